"""Opens the interface on a project, with an ingester as a child process when none runs."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.core.config import Config
    from workbench.core.query import Query
    from workbench.plugin.api import Panel
    from workbench.store.place import Place

FRAMES = "120"
"""Frames a second at most; a key that changes two frames is seen that much sooner."""
_LOOK_AGAIN = 2.0
"""Seconds between looks whether an ingester runs."""


def start(root: Path) -> None:
    """Run the interface until the user leaves it.

    Raises:
        ConfigError: the project's configuration cannot be used.
        StoreError: its store cannot be used.
    """
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # read when Textual is imported
    from workbench.core.config import load_config
    from workbench.ingest.annotate import Annotator
    from workbench.store.place import place_of
    from workbench.store.store import Store
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.quiet import kept_terminal

    root = root.resolve()
    config = load_config(root)
    place = place_of(root)
    store = Store(place)
    if not store.exists:
        store.create()
    ingester = Ingester(place)

    def query(config: Config) -> Query:
        from workbench.ingest.readers import all_readers, flush_intervals
        from workbench.store.query import StoreQuery

        store.create()
        return StoreQuery(store, config, flush_intervals(all_readers()))

    def panels() -> Sequence[Panel]:
        from workbench.panels.registry import all_panels

        return all_panels()

    def on_start() -> None:
        terminal_taken()
        ingester.start()

    try:
        with kept_terminal(place.store / "tui.log") as terminal_taken:
            app = WorkbenchApp(query, Annotator(root), config, panels, on_start=on_start)
            app.run()
    finally:
        ingester.stop()
    if app.return_code:
        raise SystemExit(app.return_code)


class Ingester:
    """Sees to it that somebody reads the logs: a child of this process whenever nobody else does."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._mind, name="ingester", daemon=True)

    def start(self) -> None:
        """Begin to mind the ingester, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the child, if it is ours."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _mind(self) -> None:
        from workbench.ingest.election import Election

        election = Election(self._place)
        while not self._stopped.is_set():
            if _terminal_is_gone():
                os.kill(os.getpid(), signal.SIGHUP)
            ours = self._child is not None and self._child.poll() is None
            if not ours and election.holder() is None:
                self._child = self._spawn()
            self._stopped.wait(_LOOK_AGAIN)

    def _spawn(self) -> subprocess.Popen[bytes]:
        """What the child says goes to a file, because the screen is the interface's."""
        command = [
            sys.executable,
            "-m",
            "workbench.cli.main",
            "watch",
            str(self._place.root),
            "--parent",
            str(os.getpid()),
        ]
        with (self._place.store / "ingest.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _terminal_is_gone() -> bool:
    """Whether our terminal was closed without a signal, which would leave us reading nothing for ever."""
    poll = select.poll()
    poll.register(0, select.POLLHUP)
    return any(events & select.POLLHUP for _, events in poll.poll(0))
