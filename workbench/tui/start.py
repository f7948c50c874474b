"""Opens the interface on a project, with an ingester as a child process when none runs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.tui import collector
from workbench.tui.session import session_path

if TYPE_CHECKING:
    from workbench.core.blocks import Empty
    from workbench.core.config import Config
    from workbench.core.query import Query
    from workbench.plugin.api import Panel
    from workbench.store.place import Place
    from workbench.store.store import Store

FRAMES = "120"
"""Frames a second at most; a key that changes two frames is seen that much sooner."""
_LOOK_AGAIN = 2.0
"""Seconds between looks whether an ingester runs."""


def start(root: Path, waiting: Callable[[], Empty | None] = lambda: None) -> None:
    """Run the interface until the user leaves it; `waiting` says what to expect while there is no run.

    Raises:
        ConfigError: the project's configuration cannot be used.
        StoreError: its store cannot be used.
    """
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # read when Textual is imported
    collector.hold()
    from workbench.core.config import load_config
    from workbench.ingest.annotate import Annotator
    from workbench.store.place import place_of
    from workbench.store.store import Store

    root = root.resolve()
    config = load_config(root)
    place = place_of(root)
    store = Store(place)
    if not store.exists:
        store.create()
    if not session_path(root).exists():
        threading.Thread(target=_warm, args=(store,), name="warm", daemon=True).start()
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.quiet import kept_terminal

    ingester = Ingester(place)

    def quick(config: Config) -> Query:
        from workbench.store.query import StoreQuery

        return StoreQuery(store, config)

    def query(config: Config) -> Query:
        from workbench.ingest.readers import all_readers, flush_intervals
        from workbench.plugin.derived import with_metrics
        from workbench.plugin.discovery import loaded_metrics, use_project
        from workbench.store.query import StoreQuery

        store.create()
        use_project(root, config.plugins, config.path)
        return with_metrics(StoreQuery(store, config, flush_intervals(all_readers())), loaded_metrics(), config.metrics)

    def panels() -> Sequence[Panel]:
        from workbench.panels.registry import all_panels
        from workbench.plugin.discovery import use_project

        use_project(root, config.plugins, config.path)
        return all_panels(config)

    def on_answer() -> None:
        collector.release()
        ingester.start()

    try:
        with kept_terminal(place.store / "tui.log") as terminal_taken:
            app = WorkbenchApp(
                query, Annotator(root), config, panels, quick=quick, on_start=terminal_taken, on_answer=on_answer
            )
            app.waiting = waiting
            app.run()
    finally:
        ingester.stop()
    if app.return_code:
        raise SystemExit(app.return_code)


def _warm(store: Store) -> None:
    """Open the store once while the interface's modules are loaded; what keeps it shut is found out later, and said."""
    with suppress(Exception), store.read():
        pass


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
