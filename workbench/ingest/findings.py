"""Looks at what monitors evaluated, and keeps what is worth attention."""

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


def tell_findings(
    store: Store, config: Config, tell: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.time,
) -> None:  # fmt: skip
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
