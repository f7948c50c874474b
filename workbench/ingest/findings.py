"""Looks at what monitors evaluated, and keeps what is worth attention; plugins' rules are in `ingest.rules`."""

from __future__ import annotations

import time
from collections.abc import Callable

from workbench.core.config import Config
from workbench.core.roles import roles_for
from workbench.monitor.findings import findings_of
from workbench.store.findings import append_findings, unjudged_monitors
from workbench.store.store import Store
from workbench.store.windows import fetch_windows

ENGINE = 1
"""Raise it when the same windows give other findings: they are looked at again."""


class FindingWatch:
    """Looks at monitors again when the store has changed."""

    def __init__(
        self, config: Config, store: Store, tell: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._config = config
        self._store = store
        self._tell = tell or (lambda text: None)
        self._clock = clock
        self._seen = ""

    def update(self) -> None:
        """Bring the findings up to date; costs a look at the file while nothing changes."""
        if self._store.revision() != self._seen:
            tell_findings(self._store, self._config, self._tell, self._clock)
            self._seen = self._store.revision()


def tell_findings(store: Store, config: Config, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
    """Write the findings of every monitor that was evaluated since it was last looked at.

    They are sought outside of any lease, as that takes longer than a query.
    """
    with store.read() as con:
        waiting = {name: fetch_windows(con, name) for name in unjudged_monitors(con, ENGINE)}
    for name, windows in waiting.items():
        monitor = config.monitors.get(name)
        min_rows = monitor.window.min_rows if monitor is not None else 1
        tell(f"monitor {name}: looking for changes in {len(windows)} windows")
        found = findings_of(windows, lambda key: roles_for(key, config.metrics), min_rows=min_rows, now=clock())
        with store.write() as con:
            append_findings(con, name, ENGINE, found)
