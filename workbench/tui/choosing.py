"""View options that a panel offers: chosen from lists, typed, or stepped through, and kept with the view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from workbench.core import text
from workbench.core.query import Choice
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.prompt import Verdict

if TYPE_CHECKING:
    from workbench.tui.panel_loader import PanelLoader

    Base = PanelLoader
else:
    Base = object

_TYPED = "\0typed"
_USUAL = "\0usual"


class ChoiceActions(Base):
    """Asks for one of a panel's options; the panel loads again with it."""

    _offered: tuple[int, Sequence[Choice]] = (0, ())
    """Number of a load, and what the panel offered for its data."""

    @property
    def choices(self) -> Sequence[Choice]:
        """What the panel offers for the data that is shown; asked for with every key, so it is asked once a load."""
        if not self._shown or self._failure is not None:
            return ()
        if self._offered[0] != self._shown:
            try:
                self._offered = self._shown, tuple(self.panel.choices(self._data))
            except Exception:  # noqa: BLE001 - a panel may raise anything; it then offers nothing
                self._offered = self._shown, ()
        return self._offered[1]

    def choice_words(self) -> list[str]:
        """The options that were chosen, for the line of state."""
        chosen = self.chosen
        known = [choice for choice in self.choices if choice.option in chosen]
        return [f"{choice.title}: {text.cut(text.plain(choice.current), 24)}" for choice in known]

    def action_choose(self) -> None:
        """Choose the option first where there are several, then its value."""
        choices = {choice.option: choice for choice in self.choices}
        if len(choices) == 1:
            self._choose(next(iter(choices)))
            return
        options = [Option(choice.option, choice.title, choice.current) for choice in choices.values()]
        self.app.push_screen(Chooser(self.panel.title, lambda: options), self._choose)

    def action_cycle_choice(self) -> None:
        """The next value of the first option."""
        if not self.choices:
            return
        choice = self.choices[0]
        values = list(choice.values)
        place = values.index(choice.current) if choice.current in values else -1
        value = values[(place + 1) % len(values)] if values else choice.current
        self.take(choice.option, value)
        self.workbench.say(f"{choice.title}: {value}")

    def _choose(self, name: str | None) -> None:
        choice = next((each for each in self.choices if each.option == name), None)
        if choice is None:
            return
        if not choice.values and choice.typed:
            self._type(choice)
            return
        options = [Option(value, value, "", value == choice.current) for value in choice.values]
        options += [Option(_TYPED, "type another", f"such as {choice.typed}")] if choice.typed else []
        options += [Option(_USUAL, "let the panel choose")] if choice.option in self.chosen else []
        self.app.push_screen(Chooser(choice.title, lambda: options), partial(self._chosen_value, choice))

    def _chosen_value(self, choice: Choice, value: str | None) -> None:
        if value == _TYPED:
            self._type(choice)
        elif value is not None:
            self.take(choice.option, None if value == _USUAL else value)

    def _type(self, choice: Choice) -> None:
        def typed(words: str | None) -> None:
            if words is not None:
                self.take(choice.option, words.strip() or None)

        self.ask(f"{choice.title}, such as {choice.typed}", choice.current, lambda _: Verdict(choice.title), typed)

    def take(self, option: str, value: str | None) -> None:
        """Have the panel show another value, or its usual one; kept with the view."""
        start = f"{self.panel.name}.{option}="
        kept = tuple(each for each in self.workbench.view.chosen if not each.startswith(start))
        self.workbench.change_view(chosen=kept if value is None else (*kept, f"{start}{value}"))
