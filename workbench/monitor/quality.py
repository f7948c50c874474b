"""What is wrong with a window's rows themselves: missing, unseen, out of range, infinite, constant, duplicate."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from workbench.monitor.frames import Frame
from workbench.monitor.performance import Metrics, Place
from workbench.monitor.session import Session, quoted
from workbench.monitor.tables import Column, Table

_TOGETHER = 40
"""Columns looked at in one scan."""
_MOST_SEEN = 10_000
"""Categories of a reference beyond which a new one is nothing new."""


class Usual(Struct, frozen=True):
    """What the reference holds in a column: its range, or its categories; both None where neither says anything."""

    low: float | None = None
    high: float | None = None
    categories: Sequence[str] | None = None
    constant: bool = False


def usual_values(session: Session, table: Table, columns: Sequence[Column]) -> Mapping[str, Usual]:
    """What the reference's columns hold, for those that exports have too, by name."""
    found: dict[str, Usual] = {}
    for column in columns:
        reference = table.column(column.name)
        if reference is None:
            continue
        name = quoted(reference.sql)
        if reference.kind in {"int", "float"}:
            low, high = session.rows(
                f"SELECT min(x), max(x) FROM (SELECT {name}::DOUBLE AS x FROM {table.source}) WHERE isfinite(x)",
                table.parameters,
            )[0]
            found[column.name] = Usual(low, high, None, low is not None and low == high)
        elif reference.kind in {"string", "bool"}:
            rows = session.rows(
                f"SELECT DISTINCT {name}::VARCHAR FROM {table.source} WHERE {name} IS NOT NULL LIMIT {_MOST_SEEN + 1}",
                table.parameters,
            )
            values = [str(row[0]) for row in rows]
            found[column.name] = Usual(None, None, values if len(values) <= _MOST_SEEN else None, len(values) == 1)
    return found


def quality_sql(frame: Frame) -> Mapping[str, str]:
    """Aggregates by key: the share of rows whose id another row of the window has too."""
    if "id" not in frame.columns:
        return {}
    return {"quality.duplicates": "1 - count(DISTINCT id) / nullif(count(id), 0)"}


def column_quality(session: Session, frame: Frame, group: str, usual: Mapping[str, Usual]) -> Mapping[Place, Metrics]:
    """`quality.missing.COLUMN` for every feature; `unseen` and `out_of_range` where there is a reference; `infinite`
    and `constant` where it is so. All are shares of the window's rows, except `constant`, which is 1."""
    found: dict[Place, Metrics] = defaultdict(dict)
    for start in range(0, len(frame.features), _TOGETHER):
        _measure(session, frame, group, frame.features[start : start + _TOGETHER], usual, found)
    for column in frame.features:
        known = usual.get(column.name)
        if known and known.categories is not None and column.kind in {"string", "bool"}:
            for window, segment, share in session.rows(
                f"""SELECT w, {group} AS g, avg((x IS NOT NULL AND NOT seen)::INTEGER) FROM (
                      SELECT *, {column.sql}::VARCHAR AS x,
                        coalesce(x IN (SELECT unnest(?::VARCHAR[])), false) AS seen FROM {frame.source})
                    GROUP BY ALL""",
                [list(known.categories), *frame.parameters],
            ):
                found[window, segment][f"quality.unseen.{column.name}"] = float(share)
    return found


def _measure(
    session: Session, frame: Frame, group: str, columns: Sequence[Column], usual: Mapping[str, Usual],
    found: dict[Place, Metrics],
) -> None:  # fmt: skip
    select = []
    for column in columns:
        number = f"{column.sql}::DOUBLE" if column.kind in {"int", "float"} else "NULL::DOUBLE"
        values = f"count({column.sql}) - count(*) FILTER (isnan({number}))"
        known = usual.get(column.name, Usual())
        low, high = ("NULL" if bound is None else f"{bound!r}::DOUBLE" for bound in (known.low, known.high))
        outside = f"count(*) FILTER (isfinite({number}) AND NOT {number} BETWEEN {low} AND {high})"
        text = f"{column.sql}::VARCHAR"
        infinite = f"count(*) FILTER (isinf({number}))"
        select += [f"1 - ({values}) / count(*)", f"{infinite} / count(*)", f"{outside} / count(*)",
                   f"({values}) > 1 AND min({text}) = max({text})"]  # fmt: skip
    rows = session.rows(
        f"SELECT w, {group} AS g, {', '.join(select)} FROM {frame.source} GROUP BY ALL", frame.parameters
    )
    for window, segment, *figures in rows:
        metrics = found[window, segment]
        for i, column in enumerate(columns):
            missing, infinite, outside, constant = figures[4 * i : 4 * i + 4]
            known = usual.get(column.name, Usual())
            metrics[f"quality.missing.{column.name}"] = float(missing)
            if infinite:
                metrics[f"quality.infinite.{column.name}"] = float(infinite)
            if known.low is not None and column.kind in {"int", "float"}:
                metrics[f"quality.out_of_range.{column.name}"] = float(outside)
            if constant and not known.constant:
                metrics[f"quality.constant.{column.name}"] = 1.0
