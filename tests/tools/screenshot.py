"""The picture in the README, exported by the app itself: `python -m tests.tools.screenshot OUT.svg [--project DIR]`.

It shows the sample project, trained for the picture where no project is given. The clock stands still at two minutes
after the last data, only built-in panels are there, and the project is copied into a folder called flights: the same
store gives the same picture on any machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from workbench.core.config import CONFIG_NAME, load_config
from workbench.ingest.annotate import Annotator
from workbench.ingest.readers import all_readers, flush_intervals
from workbench.panels import built_in
from workbench.plugin.api import Panel
from workbench.store.place import place_of
from workbench.store.query import StoreQuery
from workbench.store.store import Store
from workbench.tui.app import WorkbenchApp

SIZE = (120, 34)
KEYS = ("asterisk",)
"""Every run is marked, so that the chart names them all."""
NAME = "flights"
AFTER = 120.0
"""Seconds between the last data and the picture."""
FONTS = '"Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace'
"""What a reader may have: the picture loads nothing."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the SVG to write")
    parser.add_argument("--project", type=Path, help="a project that has been read; by default the sample is trained")
    given = parser.parse_args(arguments)
    os.environ.pop("NO_COLOR", None)
    os.environ["COLORTERM"], os.environ["TZ"] = "truecolor", "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / NAME
        if given.project is None:
            command = [sys.executable, "-m", "workbench.cli.main", "demo", "--headless", "--dir", str(root)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        else:
            copy(given.project.resolve(), root)
        svg = asyncio.run(picture(root))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(svg, encoding="utf-8")


def copy(project: Path, root: Path) -> None:
    """What the picture needs of a project that nobody is reading now: its store and its settings."""
    root.mkdir()
    shutil.copytree(
        place_of(project).store, root / ".workbench", ignore=shutil.ignore_patterns("session.json", "*.log")
    )
    if (project / CONFIG_NAME).exists():
        shutil.copy(project / CONFIG_NAME, root)


async def picture(
    root: Path, size: tuple[int, int] = SIZE, keys: Sequence[str] = KEYS, plugins: Sequence[Panel] = ()
) -> str:
    """The app on a project as it looks after some keys, as SVG; `plugins` are there besides the built-in panels."""
    config, store = load_config(root), Store(place_of(root))
    flush = flush_intervals(all_readers())
    last = max((run.updated_at or 0.0 for run in StoreQuery(store, config, flush).runs(hidden=True)), default=0.0)

    def clock() -> float:
        return last + AFTER

    query = StoreQuery(store, config, flush, clock)
    app = WorkbenchApp(query, Annotator(root), config, [*built_in(), *plugins], clock=clock, poll=0)
    async with app.run_test(size=size) as pilot:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            await at_rest(app)
        svg = app.export_screenshot(title="workbench")
    store.close()
    return alone(svg)


async def at_rest(app: WorkbenchApp) -> None:
    """Wait until every answer has come and has been drawn."""
    calm, patience = 0, time.monotonic() + 60
    while calm < 5:
        if time.monotonic() > patience:
            raise TimeoutError("the interface does not come to rest")
        await asyncio.sleep(0.02)
        idle = app.live and not app.busy and not any(getattr(screen, "busy", False) for screen in app.workbench_screens)
        calm = calm + 1 if idle else 0


def alone(svg: str) -> str:
    """The picture without fonts from elsewhere, and with ids that say nothing."""
    svg = re.sub(r"\s*<!-- Generated .*?-->", "", svg)
    svg = re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)
    svg = re.sub(r"font-family: Fira Code, monospace;?", f"font-family: {FONTS};", svg)
    return re.sub(r"terminal-\d+", "terminal", svg)


if __name__ == "__main__":
    main()
