"""Which series speaks for a metric of a run: one format's, whatever else logged it too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.store.schema import SERIES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMED = "SELECT DISTINCT series_id, run_id, key FROM series_log"


def shown_series(con: DuckDBPyConnection, runs: Sequence[str], keys: Sequence[str]) -> dict[int, tuple[str, str]]:
    """(run, key) of each series that is shown of some metrics of some runs, by series id.

    Only where formats contend for a metric are their points counted.
    """
    if not runs or not keys:
        return {}
    marks = ", ".join("?" * len(keys))
    if len(runs) == 1:
        found = con.execute(f"{_NAMED} WHERE run_id = ? AND key IN ({marks})", [runs[0], *keys]).fetchall()
    else:
        con.register("wanted", {"run_id": np.array([*{*runs}], dtype=object)})
        found = con.execute(f"{_NAMED} SEMI JOIN wanted USING (run_id) WHERE key IN ({marks})", list(keys)).fetchall()
        con.unregister("wanted")
    contested = {pair for pair, n in Counter((run, key) for _, run, key in found).items() if n > 1}
    shown = {series: (run, key) for series, run, key in found if (run, key) not in contested}
    return {**shown, **_decided(con, contested)} if contested else shown


def _decided(con: DuckDBPyConnection, contested: set[tuple[str, str]]) -> dict[int, tuple[str, str]]:
    con.register("contested", {"run_id": np.array([*{run for run, _ in contested}], dtype=object)})
    rows = con.execute(
        f"SELECT series_id, run_id, key FROM ({SERIES.format(where='SEMI JOIN contested USING (run_id)')})"
    ).fetchall()
    con.unregister("contested")
    return {series: (run, key) for series, run, key in rows if (run, key) in contested}
