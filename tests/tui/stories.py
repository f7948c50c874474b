"""How a story is told to the interface: start it, press keys, wait until it has nothing left to do, read the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.project import NOW, LiveQuery, Notebook, config
from workbench.panels.compare import ComparePanel
from workbench.panels.drift import DriftPanel
from workbench.panels.run import RunPanel
from workbench.panels.runs import RunsPanel
from workbench.panels.sources import SourcesPanel
from workbench.panels.windows import WindowsPanel
from workbench.tui.app import WorkbenchApp
from workbench.tui.chrome import WorkbenchScreen

GOLDENS = Path(__file__).parent / "screens"


def clock() -> float:
    return NOW


def panels() -> list[Any]:
    return [RunsPanel(clock), RunPanel(clock), ComparePanel(), DriftPanel(), WindowsPanel(), SourcesPanel()]


@dataclass
class Story:
    """One sitting at the workbench."""

    app: WorkbenchApp
    pilot: Pilot[None]
    query: LiveQuery
    notebook: Notebook

    async def settle(self) -> None:
        """Wait until every answer has come and is on the screen."""
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            await self.pilot.pause()
            busy = (
                self.app.busy
                or self.app._looking
                or any(getattr(screen, "busy", False) for screen in self.app.workbench_screens)
            )
            if not busy and (self.app.live or self.app.failing):
                await self.pilot.pause()
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the interface does not come to rest")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def type(self, words: str) -> None:
        if isinstance(self.app.focused, Input):
            self.app.focused.post_message(events.Paste(words))
        else:
            await self.pilot.press(*("space" if char == " " else char for char in words))
        await self.settle()

    async def store_changes(self) -> None:
        """Have the app look at the store, as it does four times a second."""
        self.app._next_load = 0.0
        self.app._asked.due = 0.0
        self.app.look_at_store()
        await self.settle()

    @property
    def here(self) -> WorkbenchScreen:
        """The screen that is open."""
        found = self.app.screen
        assert isinstance(found, WorkbenchScreen)
        return found

    @property
    def screen(self) -> list[str]:
        """The screen as text, a line a row."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.screen)

    @property
    def said(self) -> str:
        """The passing remark that stands at the corner of the screen."""
        return "".join(remark.message for remark in self.app._notifications)

    async def until(self, words: str) -> None:
        """Wait until these words are on the screen."""
        patience = time.monotonic() + 60
        while words not in self.text:
            assert time.monotonic() < patience, f"{words!r} never comes:\n{self.text}"
            await self.pilot.pause(0.01)

    def row(self, words: str) -> str:
        """The one line between the bars that holds these words."""
        found = [line for line in self.screen[2:-2] if words in line]
        assert len(found) == 1, f"{words!r} stands in {len(found)} lines of\n{self.text}"
        return found[0]


@asynccontextmanager
async def workbench(
    root: Path,
    size: tuple[int, int] = (80, 24),
    query: LiveQuery | None = None,
    with_panels: Sequence[Any] | Callable[[Any], Sequence[Any]] = (),
    opening: Callable[[], object] = lambda: None,
    settle: bool = True,
    **options: Any,
) -> AsyncIterator[Story]:
    """The workbench open on a project, at a frozen time, looking at the store only when told.

    `opening` is called, off the event loop, while the store is opened.
    `options` go to the app: another `clock`, a `poll` in seconds, what to do `on_start`.
    """
    query = query or LiveQuery()
    notebook = Notebook(query)
    options = {"clock": clock, "poll": 0, **options}

    def opened(_: Any) -> LiveQuery:
        opening()
        return query

    app = WorkbenchApp(opened, notebook, config(root), with_panels or panels(), **options)
    async with app.run_test(size=size) as pilot:
        story = Story(app, pilot, query, notebook)
        if settle:
            await story.settle()
        yield story


def tell(story: Callable[[], Any]) -> None:
    """Run a story to its end."""
    asyncio.run(story())


def same_as_golden(name: str, text: str, update: bool) -> None:
    """Compare a screen with the one that was looked at and kept; `--update-screens` keeps this one instead."""
    path = GOLDENS / f"{name}.txt"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        return
    assert path.exists(), f"no golden {path.name}; run with --update-screens and look at it"
    assert text + "\n" == path.read_text(encoding="utf-8"), f"{path.name} differs:\n{text}"
