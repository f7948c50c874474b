"""What an ingester hands to the store, made by hand: for formats and states that no file in a test can bring about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.batch import Fact
from workbench.core.ids import hash64, series_id
from workbench.store.append import Cursor, Cut, Delta, PointRows, append
from workbench.store.store import Store


def delta(
    run: str, path: str, source_format: str, series: dict[str, Sequence[float]], *, first_step: int = 0,
    start: int = 0, generation: int = 0, facts: Sequence[Fact] = (), wall: float = 1_800_000_000.0,
    cuts: Sequence[Cut] = (),
) -> Delta:  # fmt: skip
    """One stretch of a source: a value a step of each key, 100 bytes a point."""
    ids = {key: series_id(run, key, source_format) for key in series}
    sizes = [len(values) for values in series.values()]
    n, steps = sum(sizes), np.concatenate([np.arange(size) + first_step for size in sizes] or [np.empty(0)])
    points = PointRows(
        np.array([*ids.values()], np.uint64), [run] * len(ids), np.repeat(np.arange(len(ids), dtype=np.uint16), sizes),
        start + 100 * np.arange(n, dtype=np.int64), steps.astype(np.int64), wall + steps.astype(np.float64),
        np.array([value for values in series.values() for value in values], np.float64),
    )  # fmt: skip
    cursor = Cursor(
        hash64("source", path), path, source_format, 1, run, "", 0, generation, start, start + 100 * max(n, 1),
        start + 100 * max(n, 1), int(wall * 1e9), 0, "", "", n, 0, "live", "", "", first_step if n else None,
        wall, 1.0, 1.0, wall,
    )  # fmt: skip
    return Delta(
        cursor, points if n else None, [(id_, run, key, source_format) for key, id_ in ids.items()],
        [(run, path.rpartition("/")[0] or ".", source_format)], [(run, fact) for fact in facts], cuts=cuts,
    )  # fmt: skip


def commit(store: Store, *deltas: Delta) -> None:
    """Write them in one transaction."""
    with store.write() as con:
        append(con, deltas)
