"""Keeps the windows of configured monitors up to date with the files they come from."""

from __future__ import annotations

import glob
import gzip
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

from workbench.core.config import Config, MonitorConfig
from workbench.core.ids import hash64
from workbench.monitor.session import open_session
from workbench.monitor.tables import DriftInputError, parquet_complete, sniff_format
from workbench.monitor.windows import Memory, evaluate
from workbench.store.append import Cursor, Delta, append, latest_cursors
from workbench.store.store import Store
from workbench.store.windows import append_windows, monitor_inputs

_ENGINE = 1
"""Raise it when the same rows give other windows: they are evaluated again."""


class MonitorWatch:
    """Evaluates a monitor again when its files or its configuration changed."""

    def __init__(
        self, root: Path, config: Config, store: Store, tell: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._root = root
        self._config = config
        self._store = store
        self._tell = tell or (lambda text: None)
        self._clock = clock
        self._seen: dict[str, str] = {}
        self._memory: dict[str, Memory] = {}

    def update(self) -> None:
        """Bring every monitor up to date; one that cannot be evaluated says why, and the others go on."""
        for monitor in self._config.monitors.values():
            files = self._files(monitor.path)
            inputs = self._fingerprint([*files, *self._files(monitor.reference or "")])
            if files and self._seen.get(monitor.name) != inputs:
                try:
                    self._evaluate(monitor, files, inputs)
                except OSError as error:
                    self._tell(f"monitor {monitor.name}: {error}; looked at again at the next change")
                self._seen[monitor.name] = inputs

    def _evaluate(self, monitor: MonitorConfig, files: Sequence[PurePath], inputs: str) -> None:
        spec = hashlib.blake2b(f"{_ENGINE}{monitor!r}".encode(), digest_size=8).hexdigest()
        with self._store.read() as con:
            if monitor_inputs(con).get(monitor.name) == (spec, inputs):
                return
        known = self._memory.pop(monitor.name, None)
        try:
            evaluation = evaluate(
                monitor, self._root, [Path(file) for file in files], progress=self._progress(monitor.name), memory=known
            )
        except DriftInputError as error:
            self._tell(f"monitor {monitor.name}: {error}")
            with self._store.write() as con:
                append_windows(con, monitor.name, spec, inputs, str(error), ())
            return
        results = [(result.window, result.distributions) for result in evaluation.results]
        problems = dict(evaluation.problems)
        deltas = self._sources(files, problems)
        message = "; ".join(f"{path}: {why}" for path, why in evaluation.problems)
        with self._store.write() as con:
            append_windows(con, monitor.name, spec, inputs, message, results)
            if deltas:
                append(con, deltas)
        if evaluation.memory is not None:
            self._memory[monitor.name] = evaluation.memory

    def _files(self, pattern: str) -> list[PurePath]:
        if not pattern:
            return []
        found = glob.glob(pattern, root_dir=self._root, recursive=True)
        return sorted(PurePath(path) for path in found if (self._root / path).is_file())

    def _fingerprint(self, files: Sequence[PurePath]) -> str:
        digest = hashlib.blake2b(digest_size=12)
        for file in files:
            try:
                stat = (self._root / file).stat()
            except OSError:
                continue
            digest.update(
                f"{file}\0{stat.st_ino}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode("utf-8", "surrogateescape")
            )
        return digest.hexdigest()

    def _progress(self, name: str) -> Callable[[str, int, int], None]:
        """Says each stage once, when it begins."""
        said: set[str] = set()

        def tell(stage: str, _done: int, total: int) -> None:
            if stage not in said:
                said.add(stage)
                self._tell(f"monitor {name}: {stage} ({total})")

        return tell

    def _sources(self, files: Sequence[PurePath], problems: Mapping[str, str]) -> list[Delta]:
        """A source row for each export: rows accepted, a new generation when it changed, and what is wrong with it."""
        with self._store.read() as con:
            known = {cursor.path: cursor for cursor in latest_cursors(con)}
        changes = [self._source(file, known.get(str(file)), problems.get(str(self._root / file), "")) for file in files]
        return [change for change in changes if change is not None]

    def _source(self, file: PurePath, before: Cursor | None, problem: str) -> Delta | None:
        path = self._root / file
        stat = path.stat()
        if before is not None and (before.bytes, before.mtime_ns, before.message) == (
            stat.st_size, stat.st_mtime_ns, problem,
        ):  # fmt: skip
            return None
        form, rows = _counted(path) if stat.st_size and not problem else ("export", 0)
        generation = 0 if before is None else before.generation + 1
        return Delta(
            Cursor(
                hash64("source", str(file)), str(file), form, 1, "", "", stat.st_ino, generation, 0, stat.st_size,
                stat.st_size, stat.st_mtime_ns, 0, "", "", rows, 0, "damaged" if problem else "live", problem, "",
                None, None, 0.0, 0.0, self._clock(),
            )
        )  # fmt: skip


def _counted(path: Path) -> tuple[str, int]:
    """Format and rows of an export; a file still being written has none yet."""
    if path.suffix == ".parquet" and not parquet_complete(path):
        return "export parquet", 0
    try:
        form = f"export {sniff_format(path)}"
        return form, count_rows(path, form)
    except (DriftInputError, OSError, EOFError):
        return "export", 0


def count_rows(path: Path, form: str) -> int:
    """Rows of an export: from a Parquet file's footer, else its lines, without a CSV's header."""
    if form.endswith("parquet"):
        with open_session() as session:
            return int(session.rows("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)])[0][0])
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return max(0, lines - form.endswith("csv"))
