"""The box around a plugin's own widget: what it raises is reported there, wherever Textual called it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from textual._context import active_message_pump
from textual.dom import DOMNode
from textual.widget import Widget
from textual.worker import WorkerFailed


class Boxed(Widget):
    """Holds one widget that somebody else wrote."""

    DEFAULT_CSS = "Boxed { width: 1fr; height: 1fr; padding: 0 1; }"

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        super().__init__()
        self.report = report
        """Is told what the widget raised."""

    async def show(self, widget: Widget) -> None:
        """Put a widget in the place of the one before."""
        await self.clear()
        await self.mount(widget)

    async def clear(self) -> None:
        """Take the widget away; one that raised while it was mounted hears no message any more, and is taken out."""
        focused = self.screen.focused
        if focused is not None and self in focused.ancestors:
            self.screen.set_focus(None)  # keys would go to a widget that hears no more
        for child in [*self.children]:
            if child._task is not None and child._task.done():
                with suppress(Exception):  # its own code is told that it goes
                    await child._message_loop_exit()
                if child in self.children:
                    self._nodes._remove(child)
        await self.remove_children()


def box_around(error: BaseException) -> Boxed | None:
    """The box that an exception comes out of; None where it is nobody's but ours.

    It is found by the widgets in the traceback, the innermost first, else by whose message was being handled.
    """
    if isinstance(error, WorkerFailed):
        error = error.error
    nodes: list[object] = []
    step = error.__traceback__
    while step is not None:
        nodes.append(step.tb_frame.f_locals.get("self"))
        step = step.tb_next
    for node in (*reversed(nodes), active_message_pump.get(None)):
        found = _box_of(node)
        if found is not None:
            return found
    return None


def _box_of(node: object) -> Boxed | None:
    if not isinstance(node, DOMNode):
        return None
    return next((each for each in node.ancestors_with_self if isinstance(each, Boxed)), None)
