"""The app's side of copying, of the command that prints what is seen, of saved views, and of jumping."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.core import text
from workbench.tui import views as saved
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.journal import JournalApp
from workbench.tui.messages import Said
from workbench.tui.places import Place
from workbench.tui.prompt import Verdict
from workbench.tui.session import ViewState
from workbench.tui.spoken import line

if TYPE_CHECKING:
    from workbench.tui.yank import Copied

SAVE = "\0save"
"""The entry that keeps the present view; no view can be called so."""


class TakingApp(JournalApp, inherit_bindings=False):
    """What is taken out of the interface, and brought back into it."""

    def action_panel(self, name: str) -> None:
        """Show a panel."""
        raise NotImplementedError

    # The command that prints the same

    def spoken_lines(self) -> list[tuple[str, str]]:
        """What is seen here, and the command that prints it, for each thing that is seen."""
        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return []
        root = self._config.root.resolve()
        where = "" if os.path.realpath(os.curdir) == str(root) else str(root)
        return [(each.about, line(each.words, where)) for each in screen.spoken()]

    def action_spoken(self) -> None:
        """Show the command that prints what is seen here."""
        from workbench.tui.menus import CommandPage
        from workbench.tui.yank import Copied

        lines = self.spoken_lines()
        if lines:
            self.push_screen(CommandPage(lines), lambda words: self._copy(Copied("command", words)) if words else None)

    # Copying

    def action_yank(self) -> None:
        """Choose what to copy."""
        from workbench.tui.menus import YankMenu

        screen = self.screen
        if isinstance(screen, WorkbenchScreen):
            offers = [*screen.shown().offers(), *["command"] * bool(self.spoken_lines())]
            self.push_screen(YankMenu(offers), lambda what: self.yank(what) if what else None)

    def yank(self, what: str) -> None:
        """Copy something of what is seen; a row has many values, and asks which."""
        from workbench.tui.yank import Copied

        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return
        if what == "command":
            lines = self.spoken_lines()
            self._copy(Copied("command", "\n".join(words for _, words in lines)) if lines else None)
            return
        shown = screen.shown()
        if what not in shown.offers():
            self.say(f"no {what} to copy here", bad=True)
        elif what == "value" and len(shown.values) > 1:
            self._ask_which(shown.values)
        else:
            self._copy(shown.copied(what))

    def _ask_which(self, values: Sequence[tuple[str, str]]) -> None:
        from workbench.tui.yank import Copied

        options = [Option(str(place), title, text.plain(words)) for place, (title, words) in enumerate(values)]

        def chosen(place: str | None) -> None:
            if place is not None:
                self._copy(Copied(*values[int(place)]))

        self.push_screen(Chooser("Copy which value", lambda: options), chosen)

    def _copy(self, copied: Copied | None) -> None:
        """Send a text off the event loop, because tmux and a disk may take their time."""
        from workbench.tui.yank import deliver, yank_path

        if copied is None:
            self.say("nothing to copy here", bad=True)
            return
        file = None if self.read_only else yank_path(self._config.root)

        def job() -> Said:
            try:
                return Said(deliver(copied, os.environ, self._to_terminal, file))
            except OSError as error:
                return Said(f"not copied: {error}", bad=True)

        self.in_background(job)

    def _to_terminal(self, sequence: str) -> None:
        """Put a sequence on the terminal, between two frames."""
        self.call_from_thread(self._put, sequence)

    def _put(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    # Saved views

    def _views(self) -> saved.SavedViews:
        """The saved views; a file that cannot be read is told, and stays as it is."""
        try:
            return saved.load_views(saved.views_path(self._config.root))
        except saved.ViewsError as error:
            self.say(str(error), bad=True)
            return saved.SavedViews({})

    def saved_views(self) -> Sequence[str]:
        """Names of the saved views."""
        return list(self._views().by_name)

    def save_view(self, name: str) -> None:
        """Keep what is looked at under a name."""
        if self.read_only:
            self.say(f"read-only, so not kept: view {name}", bad=True)
            return
        try:
            saved.save_view(saved.views_path(self._config.root), name, self.view)
            self.say(f"view {name} is kept: {saved.in_words(self.view)}")
        except saved.ViewsError as error:
            self.say(str(error), bad=True)

    def open_view(self, name: str) -> None:
        """Look at what a saved view keeps."""
        views = self._views()
        if name not in views.by_name:
            return
        opened = views.opened(name, self.view)
        other = opened.metric != self.view.metric
        self.action_panel("runs")
        self._see(opened)
        if other:
            self.reload()
        self.say(f"view {name}: {saved.in_words(opened)}")

    def _see(self, view: ViewState) -> None:
        before, self.view = self.view, view
        if view != before:
            self.tell(lambda screen: screen.view_changed(before))

    def delete_view(self, name: str) -> None:
        """Forget a saved view."""
        if self.read_only:
            self.say(f"read-only, so not deleted: view {name}", bad=True)
            return
        try:
            saved.delete_view(saved.views_path(self._config.root), name)
            self.say(f"view {name} is deleted")
        except saved.ViewsError as error:
            self.say(str(error), bad=True)

    def action_views(self) -> None:
        """Open, keep or delete a view."""
        from workbench.tui.menus import ViewChooser

        def options() -> list[Option]:
            views = self._views()
            known = [Option(name, name, saved.in_words(views.opened(name, ViewState()))) for name in views.by_name]
            return [*known, Option(SAVE, "save this view …", saved.in_words(self.view))]

        def chosen(name: str | None) -> None:
            if name == SAVE:
                self.call_next(self._ask_name)
            elif name is not None:
                self.open_view(name)

        self.push_screen(ViewChooser(options, self.delete_view, SAVE), chosen)

    def _ask_name(self) -> None:
        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return

        def judge(name: str) -> Verdict:
            known = name.strip() in self.saved_views()
            return Verdict(f"{'replaces the view of that name' if known else 'a name'}: {saved.in_words(self.view)}")

        def named(name: str | None) -> None:
            if name is not None and (kept := " ".join(name.split())):
                self.save_view(kept)

        screen.ask("a name for this view", "", judge, named)

    # Jumping

    def action_jump(self) -> None:
        """Put letters on what can be gone to."""
        from workbench.tui.jump import Jump

        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return

        def jumped(answer: tuple[Place, bool] | None) -> None:
            if answer is not None:
                place, opens = answer
                self.call_next(screen.perform, place.open if opens and place.open else place.go)

        self.push_screen(Jump(_on_screen(screen)), jumped)


def _on_screen(screen: WorkbenchScreen) -> list[Place]:
    """Places by lines from the top, one for each cell."""
    by_cell = {(place.y, place.x): place for place in reversed(screen.places())}
    return [by_cell[cell] for cell in sorted(by_cell)]
