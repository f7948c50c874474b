"""The least that Textual can show: one line of text, and how many keys were pressed."""

from textual.app import App
from textual.widgets import Static


class Bare(App[None]):
    pressed = 0

    def compose(self):
        yield Static("the least there is")

    def on_key(self, event):
        self.pressed += 1
        self.query_one(Static).update(f"key {self.pressed}.")


Bare().run()
