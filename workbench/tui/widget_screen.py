"""The screen of a panel that brings a widget of its own: mounted once, boxed, replaced by its error when it raises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from workbench.core.blocks import Block
from workbench.core.query import Fit, Focus
from workbench.plugin.box import PluginError
from workbench.tui.boxed import Boxed, box_around
from workbench.tui.messages import failure_of
from workbench.tui.panel_loader import PARK_AFTER
from workbench.tui.panel_screen import PanelScreen

if TYPE_CHECKING:
    from workbench.plugin.api import WidgetPanel


class WidgetScreen(PanelScreen):
    """Shows a plugin's widget, or why it cannot."""

    DEFAULT_CSS = """
    WidgetScreen #panel { display: none; }
    WidgetScreen.-failed #panel { display: block; }
    WidgetScreen.-failed Boxed { display: none; }
    """

    def content(self) -> Sequence[Widget]:
        """The widget's place, and the page that its error is written on."""
        return (*super().content(), Boxed(self._raised))

    @property
    def _wanted(self) -> tuple[Focus, str | None]:
        """One load for good: the widget looks for news itself."""
        return Focus(), None

    def view_elsewhere(self, room: Fit) -> Block | None:
        """Nothing: its widget is what is seen."""
        return None

    def load(self) -> None:
        """Have the panel make its widget, and mount it."""
        query = self.workbench.query_or_none
        if query is None:
            return
        self._asked = self._wanted
        self._number += 1
        self._shown = self._number
        try:
            widget = cast("WidgetPanel", self.panel).widget(query, self.focus_now)
            if not isinstance(widget, Widget):
                raise PluginError(f"widget() gave a {type(widget).__name__}, not a textual.widget.Widget")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
            self._raised(error)
            return
        self._failure = None
        self.remove_class("-failed")
        self.call_next(self.query_one(Boxed).show, widget)

    def _compositor_refresh(self) -> None:
        """Widgets are drawn by the screen: one that raises must not end the screen's own messages."""
        try:
            super()._compositor_refresh()
        except Exception as error:
            box = box_around(error)
            if box is None:
                raise
            box.report(error)

    def _raised(self, error: BaseException) -> None:
        """Show what the widget raised instead of the widget; it stays away until it is asked for again."""
        if self._failure is None or self._failures < PARK_AFTER:
            self.fail(failure_of(error, "widget"))
        self.add_class("-failed")
        self.call_next(self.query_one(Boxed).clear)
        self.redraw()
