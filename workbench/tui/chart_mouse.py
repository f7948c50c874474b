"""What the mouse does over charts: reads them in passing, drags and zooms what is in sight, picks and opens."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.message import Message
from textual.widget import Widget

from workbench.tui.chart_layout import Slot


class ChartMouse(Widget, can_focus=False, inherit_bindings=False):
    """Says in messages what the mouse does; knows of charts only which one is where."""

    class Read(Message):
        """The mouse points at an x of a chart: passing over it, or putting the crosshair there."""

        def __init__(self, x: float | None, *, stays: bool) -> None:
            super().__init__()
            self.x = x
            self.stays = stays

    class Picked(Message):
        """A chart or a heading was clicked, or clicked twice."""

        def __init__(self, id: str, *, twice: bool) -> None:
            super().__init__()
            self.id = id
            self.twice = twice

    class Zoomed(Message):
        """The wheel was turned over an x, where there is one: nearer is positive."""

        def __init__(self, x: float | None, steps: int) -> None:
            super().__init__()
            self.x = x
            self.steps = steps

    class Dragged(Message):
        """A chart was dragged by a share of its width; to the left is negative."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._grabbed: int | None = None
        self._dragged = False

    def under(self, x: int, y: int) -> tuple[Slot | None, float | None]:
        """The slot at a cell, and the logged x nearest to it where a chart is read there."""
        raise NotImplementedError

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Read where the mouse is, or drag what is in sight."""
        if self._grabbed is None:
            self.post_message(self.Read(self.under(event.x, event.y)[1], stays=False))
            return
        moved = event.x - self._grabbed
        if moved:
            slot, _ = self.under(self._grabbed, event.y)
            self._dragged = True
            self._grabbed = event.x
            self.post_message(self.Dragged(moved / max(self.size.width if slot is None else slot.width, 1)))

    def on_leave(self, event: events.Leave) -> None:
        """What was read in passing is over."""
        self.post_message(self.Read(None, stays=False))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of a chart."""
        if event.button == 1:
            self._grabbed, self._dragged = event.x, False
            self.capture_mouse()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of it."""
        self._grabbed = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Put the crosshair there; a second click opens the chart."""
        if self._dragged:
            self._dragged = False
            return
        slot, x = self.under(event.x, event.y)
        if slot is None:
            return
        if x is not None:
            self.post_message(self.Read(x, stays=True))
        self.post_message(self.Picked(slot.id, twice=event.chain > 1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Nearer, over a curve; else a page back."""
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Farther, over a curve; else a page on."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        self.post_message(self.Zoomed(self.under(event.x, event.y)[1], steps))
