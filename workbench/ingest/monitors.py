"""Keeps the windows of configured monitors up to date with the files they come from: only what is new is read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from workbench.core.config import Config, MonitorConfig
from workbench.ingest.export_files import Found, find
from workbench.ingest.monitor_reading import MonitorReading
from workbench.ingest.monitor_windows import judge
from workbench.ingest.references import reference_place
from workbench.monitor.tables import DriftInputError
from workbench.store.store import Store
from workbench.store.windows import append_windows, monitor_inputs

ENGINE = 2
"""Raise it when the same rows give other windows: they are evaluated again."""


class MonitorWatch:
    """Reads what is new of each monitor and judges the windows it touches."""

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

    def update(self) -> None:
        """Bring every monitor up to date; one that cannot be evaluated says why, and the others go on."""
        for monitor in self._config.monitors.values():
            rows = find(self._root, monitor.path, "rows")
            labels = find(self._root, monitor.labels.path if monitor.labels else None, "labels")
            if not rows:
                continue
            try:
                self._update(monitor, rows, labels)
            except OSError as error:
                self._tell(f"monitor {monitor.name}: {error}; looked at again at the next change")

    def _update(self, monitor: MonitorConfig, rows: list[Found], labels: list[Found]) -> None:
        spec = monitor_spec(monitor)
        try:
            reference = reference_place(monitor, self._root, self._store)
            inputs = _fingerprint([*rows, *labels], reference.fingerprint)
            if self._seen.get(monitor.name) == inputs:
                return
            reading = MonitorReading(
                self._root, monitor, spec, self._store, reference, self._clock, self._progress(monitor.name)
            )
            settled = reading.read([*rows, *labels])
            judge(reading, inputs)
        except DriftInputError as error:
            settled, inputs = True, _fingerprint([*rows, *labels], "")
            self._say(monitor, spec, inputs, str(error))
        if settled:
            self._seen[monitor.name] = inputs
        else:
            self._seen.pop(monitor.name, None)

    def _say(self, monitor: MonitorConfig, spec: str, inputs: str, message: str) -> None:
        """Tell why a monitor cannot be evaluated, once."""
        with self._store.read() as con:
            known = monitor_inputs(con).get(monitor.name)
        if known != (spec, inputs):
            self._tell(f"monitor {monitor.name}: {message}")
            with self._store.write() as con:
                append_windows(con, monitor.name, spec, inputs, message, ())

    def _progress(self, name: str) -> Callable[[str, int, int], None]:
        """Says each stage when it begins, and how far it is once a second."""
        said: dict[str, float] = {}

        def tell(stage: str, done: int, total: int) -> None:
            now = time.monotonic()
            if stage in said and (now - said[stage] < 1.0 or done >= total):
                return
            far = f" {100 * done // total} %" if stage in said and total else f" ({total:,})"
            said[stage] = now
            self._tell(f"monitor {name}: {stage}{far}")

        return tell


def monitor_spec(monitor: MonitorConfig) -> str:
    """A name for what decides how rows become windows: a change begins anew."""
    return hashlib.blake2b(f"{ENGINE}{monitor!r}".encode(), digest_size=8).hexdigest()


def _fingerprint(files: list[Found], reference: str) -> str:
    digest = hashlib.blake2b(reference.encode(), digest_size=12)
    for file in files:
        digest.update(
            f"{file.kind}\0{file.path}\0{file.inode}\0{file.bytes}\0{file.mtime_ns}\0".encode("utf-8", "replace")
        )
    return digest.hexdigest()
