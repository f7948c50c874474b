"""Opens the interface on a project, with an ingester as a child process when none runs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.ahead import Begun
from workbench.core.settings import Settings, settings_path
from workbench.core.settings_file import SettingsFiles
from workbench.tui import collector
from workbench.tui.session import NEWEST, session_path

if TYPE_CHECKING:
    from workbench.core.blocks import Empty
    from workbench.core.config import Config
    from workbench.core.query import Query
    from workbench.plugin.api import Panel
    from workbench.store.place import Place
    from workbench.store.store import Store
    from workbench.tui.words import Word

_LOOK_AGAIN = 2.0
"""Seconds between looks whether an ingester runs."""


COLORS = {"truecolor": "truecolor", "256": "256", "16": "standard"}
"""What Textual calls the colours a terminal can show."""


def start(
    root: Path,
    waiting: Callable[[], Empty | None] = lambda: None,
    given: Mapping[str, str | bool | int] | None = None,
    words: Callable[[], Sequence[Word]] = lambda: (),
) -> None:
    """Run the interface until the user leaves it; `waiting` says what to expect while there is no run.

    `given` are settings by name that win over those of any file. `words` tells the commands of the command line,
    which can be typed here too.

    Raises:
        ConfigError: the project's configuration cannot be used.
        StoreError: its store cannot be used.
    """
    root = root.resolve()
    files = SettingsFiles(settings_path(), root, given or {})
    settings = files.load()
    _prepare(settings)
    collector.hold()
    with _scratch(settings.flag("read_only")) as scratch:
        code = _run(root, waiting, files, scratch, words)
    if code:
        raise SystemExit(code)


def _run(
    root: Path, waiting: Callable[[], Empty | None], files: SettingsFiles, scratch: Path | None,
    words: Callable[[], Sequence[Word]],
) -> int:  # fmt: skip
    """Open the project and run the app; with `scratch`, what must be written goes there and nothing to the project."""
    from workbench.core.config import load_config
    from workbench.ingest.annotate import Annotator
    from workbench.store.place import place_of
    from workbench.store.store import Store

    config = load_config(root)
    place = place_of(root)
    store, ingester = Store(place, scratch=scratch), Ingester(place)
    if not store.exists:
        _create(store, scratch)
        ingester.start()  # there is nothing to paint before it has read something
    quick = partial(_quick, store) if session_path(root).exists() else _ahead(store, config)
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.quiet import kept_terminal

    def on_answer() -> None:
        collector.release()
        if scratch is None:
            ingester.start()

    try:
        with kept_terminal((scratch or place.store) / "tui.log") as terminal_taken:
            app = WorkbenchApp(
                partial(_query, store, root, writes=scratch is None), Annotator(root), config,
                partial(_panels, root), quick=quick, on_start=terminal_taken,
                on_answer=on_answer, settings=files,
            )  # fmt: skip
            app.waiting = waiting
            app.outside = words
            _listen()
            app.run(mouse=app.settings.flag("mouse"))
    finally:
        ingester.stop()
    return app.return_code or 0


def _listen() -> None:
    """Hear what the terminal says of itself, where there is something to draw images with."""
    if find_spec("textual_image") is not None and "TEXTUAL_DRIVER" not in os.environ:
        from workbench.tui.terminal_answers import listen

        listen()


def _quick(store: Store, config: Config) -> Query:
    """What the first rows are read with: neither readers nor plugins are loaded for it."""
    from workbench.store.query import StoreQuery

    return StoreQuery(store, config)


def _query(store: Store, root: Path, config: Config, *, writes: bool) -> Query:
    """What everything else is read with, the metrics of plugins among it."""
    from workbench.ingest.readers import all_readers, flush_intervals
    from workbench.plugin.derived import with_metrics
    from workbench.plugin.discovery import loaded_metrics, use_project
    from workbench.store.query import StoreQuery

    if writes:
        store.create()
    use_project(root, config.plugins, config.path)
    return with_metrics(StoreQuery(store, config, flush_intervals(all_readers())), loaded_metrics(), config.metrics)


def _panels(root: Path, config: Config) -> Sequence[Panel]:
    from workbench.panels.registry import all_panels
    from workbench.plugin.discovery import use_project

    use_project(root, config.plugins, config.path)
    return all_panels(config)


def _prepare(settings: Settings) -> None:
    """Say in the environment what Textual reads there when it is imported, and plugins when they are looked for."""
    os.environ.setdefault("TEXTUAL_FPS", str(settings.whole("frames")))
    colors = settings.text("colors")
    if colors == "none":
        os.environ.setdefault("NO_COLOR", "1")
    elif colors in COLORS:
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", COLORS[colors])
    if settings.flag("safe"):
        os.environ["WORKBENCH_SAFE"] = "1"


@contextmanager
def _scratch(wanted: bool) -> Iterator[Path | None]:
    """A folder outside the project that goes when the interface does; None where it is not wanted."""
    if not wanted:
        yield None
        return
    import tempfile  # 10 ms that only this way of starting pays

    with tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _create(store: Store, scratch: Path | None) -> None:
    """Make the store.

    Raises:
        StoreError: it cannot be made, or nothing may be written.
    """
    from workbench.store.errors import StoreGoneError

    if scratch is not None:
        raise StoreGoneError(
            f"{store.path}: no log was read here yet, and read-only reads none.\n  next: workbench watch --once"
        )
    store.create()


def _ahead(store: Store, config: Config) -> Callable[[Config], Query]:
    """What the first rows are read with; they are being read while the interface's modules are loaded."""

    def read() -> Query:
        query = _quick(store, config)
        query.newest(NEWEST + 1)
        return query

    begun = Begun(read)

    def quick(now: Config) -> Query:
        begun.wait()
        with suppress(Exception):  # whoever asks for them meets it again, and says so
            if now is config:
                return begun.result()
        return _quick(store, now)

    return quick


class Ingester:
    """Sees to it that somebody reads the logs: a child of this process whenever nobody else does."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._mind, name="ingester", daemon=True)

    def start(self) -> None:
        """Begin to mind the ingester, on a thread of its own; once it is minded, nothing."""
        if self._thread.ident is None:
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
