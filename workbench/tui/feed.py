"""What the interface asks of the store: every function here runs off the event loop and answers with a message."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from textual.message import Message

from workbench.core.config import CONFIG_NAME, Config, ConfigError, load_config
from workbench.core.cycles import uncollected
from workbench.core.model import Run, Series
from workbench.core.query import Query
from workbench.core.roles import PERCENTILES, main_metric
from workbench.core.where import parse, percentiles_of
from workbench.tui.collector import set_aside
from workbench.tui.messages import ChartLoaded, ConfigLoaded, Crashed, ExtrasLoaded, LoadFailed, RunsLoaded, Unchanged
from workbench.tui.run_columns import Snapshot, telling_runs
from workbench.tui.session import NEWEST

SPARK_POINTS = 30
_UNFOLDED_AT_ONCE = 20
MOST_AT_ONCE = 200
"""Runs whose sparklines and percentiles are asked for in one go."""


def load_runs(query: Query, preferred: str | None, configured: str | None, revision: str | None) -> Message:
    """The runs and what they mean, if the store is at another revision than `revision`."""
    started = time.thread_time()
    try:
        now = query.revision()
        if now == revision:
            return Unchanged()
        with uncollected():
            snapshot = _snapshot(query.runs(hidden=True), query, preferred, configured)
            set_aside(len(snapshot.runs))
        return RunsLoaded(snapshot, query.monitors(), now, time.thread_time() - started)
    except Exception as error:  # noqa: BLE001 - whatever the store raises is shown, and tried again
        return LoadFailed(error)


def load_newest(source: Callable[[Config], Query], config: Config, preferred: str | None) -> Message:
    """The newest runs, enough for a screen, of a store that takes a while to be read for the first time."""
    try:
        query = source(config)
        found = query.newest(NEWEST + 1)
        snapshot = _snapshot(found[:NEWEST], query, preferred, config.main_metric, whole=len(found) <= NEWEST)
        return RunsLoaded(snapshot, (), "", 0.0)
    except Exception as error:  # noqa: BLE001 - whatever the store raises is shown, and tried again
        return LoadFailed(error)


def _snapshot(
    runs: Sequence[Run], query: Query, preferred: str | None, configured: str | None, *, whole: bool = True
) -> Snapshot:
    from workbench.core.compare import baseline_of, latency_keys  # numpy is not wanted before the first paint

    telling = telling_runs(runs)
    roles = {key: query.roles(key) for key in {key for run in telling for key in run.metrics}}
    visible = [run for run in runs if not run.hidden] or runs
    latencies = latency_keys(visible, roles.__getitem__)
    baseline = baseline_of(runs)
    return Snapshot(
        runs,
        telling,
        whole,
        roles,
        preferred if preferred in roles else main_metric(visible, roles.__getitem__, configured),
        latencies[0] if latencies else None,
        None if baseline is None else baseline.id,
    )


def unfold(runs: Sequence[Run]) -> None:
    """Make what runs keep folded until it is looked at, a few at a time: the first filter need not wait for it."""
    for first in range(0, len(runs), _UNFOLDED_AT_ONCE):
        for run in runs[first : first + _UNFOLDED_AT_ONCE]:
            run.params.get("")
            run.metrics.get("")
        time.sleep(0.005)  # whoever draws comes first
    set_aside(len(runs), whole=True)


def series_state(run: Run, snapshot: Snapshot) -> tuple[int, ...]:
    """How long the series are that a run's sparkline and percentile are made of: other numbers, other answers."""
    keys = (snapshot.main, snapshot.latency)
    return tuple(run.metrics[key].n if key in run.metrics else 0 for key in keys if key is not None)


def load_extras(query: Query, snapshot: Snapshot, asked: Mapping[str, tuple[int, ...]], where: str) -> Message:
    """Sparklines and percentiles of the runs asked about."""
    ids = list(asked)
    try:
        sparks = {} if snapshot.main is None else query.sparks(ids, snapshot.main, SPARK_POINTS)
        keys = latency_series(snapshot, where)
        found = query.percentiles(ids, keys, PERCENTILES) if keys and ids else {}
    except Exception as error:  # noqa: BLE001 - whatever the store raises is shown, and tried again
        return LoadFailed(error)
    return ExtrasLoaded(snapshot.main, sparks, found, asked)


def latency_series(snapshot: Snapshot, where: str) -> Sequence[str]:
    """The series whose percentiles the table shows or its filter asks for."""
    try:
        filtered = {key for key, _ in percentiles_of(parse(where))}
    except ValueError:
        filtered = set()
    return sorted({*filtered, *([snapshot.latency] if snapshot.latency is not None else [])})


def load_chart(query: Query, metric: str, ids: Sequence[str], points: int) -> Message:
    """The series of the runs in the chart, thinned to the width it has."""
    try:
        found: list[Series] = [query.series(run_id, metric, points) for run_id in ids]
    except Exception as error:  # noqa: BLE001 - whatever the store raises is shown, and tried again
        return LoadFailed(error)
    return ChartLoaded(metric, found)


def config_stamp(root: Path) -> tuple[int, int] | None:
    """When `workbench.toml` was written and how long it is; None where there is none."""
    try:
        known = (root / CONFIG_NAME).stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size


def load_changed(root: Path, stamp: tuple[int, int] | None) -> Message:
    """The configuration, if `workbench.toml` is another one than that with this stamp."""
    now = config_stamp(root)
    if now == stamp:
        return ConfigLoaded(now)
    try:
        return ConfigLoaded(now, load_config(root))
    except ConfigError as error:
        return ConfigLoaded(now, error=f"{error}; the configuration before stays in use")


def posting(post: Callable[[Message], object], job: Callable[[], Message]) -> Callable[[], None]:
    """A job whose answer is posted; an interface that is gone by then needs no answer."""

    def run() -> None:
        try:
            message = job()
        except Exception as error:  # noqa: BLE001 - an error in our own code ends the app with its traceback
            message = Crashed(error)
        try:
            post(message)
        except RuntimeError:  # the event loop has been closed meanwhile
            return

    return run
