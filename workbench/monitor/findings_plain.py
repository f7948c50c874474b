"""Findings that need no test: windows without rows, columns of another type or empty, verdicts that stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from workbench.core import units
from workbench.core.changes import FEWEST
from workbench.core.model import ColumnDrift, Finding, Roles, Window
from workbench.core.moments import moment
from workbench.core.strength import is_p_value, strength
from workbench.monitor.findings_words import named

_WORSE = 1.5
"""How many times as bad a metric is in the newest of a few windows to be worth a word."""


def plain_findings(
    windows: Sequence[Window], dated: Collection[str], roles: Callable[[str], Roles]
) -> Iterator[Finding]:  # fmt: skip
    """What is certain by itself; `dated` are columns whose drift goes on and is told with its date already."""
    yield from _without_rows(windows)
    by_column = _by_column(windows)
    for name, found in by_column.items():
        yield from _other_schema(windows, name, found)
        yield from _empty(windows, name, found)
        yield from _said(windows, name, found)
    yield from _standing(windows, by_column, dated)
    if len([window for window in windows if window.rows]) < FEWEST:
        yield from _few(windows, roles)


def _by_column(windows: Sequence[Window]) -> dict[str, list[ColumnDrift | None]]:
    """A column's verdict in every window, by name."""
    found: dict[str, list[ColumnDrift | None]] = {}
    for at, window in enumerate(windows):
        for column in window.columns:
            found.setdefault(column.column, [None] * len(windows))[at] = column
    return found


def _runs(flags: Sequence[bool | None]) -> Iterator[tuple[int, int]]:
    """Stretches of True as (first, behind the last); None neither begins nor ends one."""
    first: int | None = None
    for at, flag in enumerate(flags):
        if flag and first is None:
            first = at
        elif flag is False and first is not None:
            yield first, at
            first = None
    if first is not None:
        yield first, len(flags)


def _without_rows(windows: Sequence[Window]) -> Iterator[Finding]:
    for first, behind in _runs([window.rows == 0 for window in windows]):
        ended = windows[behind].start if behind < len(windows) else None
        many = behind - first
        last = f" to {moment(windows[behind - 1].start, windows)}" if many > 1 else ""
        text = f"no rows in {many} window{'s' if many > 1 else ''}, {moment(windows[first].start, windows)}{last}"
        yield _certain(windows, "volume", "rows", "bad" if ended is None else "warn", text, first, ended)


def _other_schema(windows: Sequence[Window], name: str, found: Sequence[ColumnDrift | None]) -> Iterator[Finding]:
    changed = [None if column is None else column.status == "schema-changed" for column in found]
    for first, behind in _runs(changed):
        ended = windows[behind].start if behind < len(windows) else None
        column = found[first]
        reason = f": {column.reason}" if column is not None and column.reason else ""
        dates = _dates(windows, first, ended)
        text = f"the schema of {name} changed {dates}{reason}"
        yield _certain(windows, "schema", name, "bad" if ended is None else "warn", text, first, ended)


def _empty(windows: Sequence[Window], name: str, found: Sequence[ColumnDrift | None]) -> Iterator[Finding]:
    """A column without a single value where the reference has some."""
    empty = [
        None if column is None or not window.rows
        else column.status == "no-data" and column.n_reference > 0 and not column.n_current
        for column, window in zip(found, windows, strict=True)
    ]  # fmt: skip
    for first, behind in _runs(empty):
        ended = windows[behind].start if behind < len(windows) else None
        text = f"{name} has no values {_dates(windows, first, ended)}"
        yield _certain(windows, "missing", name, "bad" if ended is None else "warn", text, first, ended)


def _said(windows: Sequence[Window], name: str, found: Sequence[ColumnDrift | None]) -> Iterator[Finding]:
    """What the comparison with the reference said of a column besides its shape, from when to when."""
    kinds = dict.fromkeys(each.kind for column in found if column is not None for each in column.findings)
    for kind in kinds:
        if kind == "missing":
            continue  # told by its share
        told = [None if column is None else next((each for each in column.findings if each.kind == kind), None)
                for column in found]  # fmt: skip
        flags = [
            None if column is None else each is not None and (kind, column.status) != ("schema", "schema-changed")
            for column, each in zip(found, told, strict=True)
        ]
        for first, behind in _runs(flags):
            newest = next(each for each in reversed(told[first:behind]) if each is not None)
            ended = windows[behind].start if behind < len(windows) else None
            if newest.severity == "info" or (first == 0 and ended is not None):
                continue
            text = f"{newest.sentence}, {_dates(windows, first, ended)}"
            severity = newest.severity if ended is None else "info"
            yield _certain(windows, "schema" if kind == "schema" else "quality", name, severity, text, first, ended)


def _standing(
    windows: Sequence[Window], by_column: Mapping[str, Sequence[ColumnDrift | None]], dated: Collection[str]
) -> Iterator[Finding]:
    """Columns that drift in the newest window, and whose begin no change tells: they always did, or just began."""
    always: list[tuple[int, ColumnDrift]] = []
    lately: list[tuple[int, ColumnDrift]] = []
    for name, found in by_column.items():
        flags = [None if column is None or column.status not in ("ok", "drift") else column.drifted for column in found]
        known = [at for at, flag in enumerate(flags) if flag is not None]
        tail = next((first for first, behind in _runs(flags) if behind == len(flags)), None)
        if tail is None or name in dated or known[-1] < len(windows) - 1:
            continue
        newest = found[known[-1]]
        assert newest is not None
        (always if tail == known[0] and len(known) > 1 else lately).append((tail, newest))
    tested = sum(column.status in ("ok", "drift") for column in windows[-1].columns) if windows else 0
    for group, sentence in ((always, _always), (lately, _lately)):
        group.sort(key=lambda one: -(strength(one[1], 1e4) or 0.0))
        if group:
            first = min(at for at, _ in group)
            severity = "bad" if 2 * len(group) >= max(tested, 1) else "warn"
            columns = [column for _, column in group]
            text = sentence(windows, group, tested)
            yield _certain(windows, "drift", columns[0].column, severity, text, first, None, columns)


def _always(windows: Sequence[Window], group: Sequence[tuple[int, ColumnDrift]], tested: int) -> str:
    lead, span = group[0][1], f"in every window since the first, {moment(windows[group[0][0]].start, windows)}"
    if len(group) == 1:
        return f"{lead.column} is past its threshold {span} ({_score(lead)})"
    names = named([column.column for _, column in group])
    return f"{len(group)} of {tested} columns are past their threshold {span}: {names}; {lead.column} {_score(lead)}"


def _lately(windows: Sequence[Window], group: Sequence[tuple[int, ColumnDrift]], tested: int) -> str:
    told = [f"{column.column} since {moment(windows[at].start, windows)} ({_score(column)})" for at, column in group]
    if len(group) == 1:
        return told[0].replace(" since ", " is past its threshold since ", 1)
    return f"{len(group)} of {tested} columns are past their threshold: {named(told)}"


def _score(column: ColumnDrift) -> str:
    score = units.p_value(column.score) if is_p_value(column) else units.number(column.score, 3)
    return f"{score}, threshold {units.number(column.threshold)}"


def _few(windows: Sequence[Window], roles: Callable[[str], Roles]) -> Iterator[Finding]:
    """Metrics that are far worse in the newest window than in the one or few before it: too few to say since when."""
    known = [window for window in windows if window.rows]
    if len(known) < 2:
        return
    newest, before = known[-1], known[:-1]
    for key, value in newest.metrics.items():
        told = roles(key)
        earlier = [each for window in before if (each := window.metrics.get(key)) is not None]
        kind = "errors" if key == "error_rate" else told.kind
        watched = ("errors", "performance", "latency", "business") if not key.endswith(".sum") else ()
        if value is None or not earlier or kind not in watched or told.direction is None:
            continue
        usual = sorted(earlier)[len(earlier) // 2]
        ratio = _ratio(value, usual, lower=told.direction == "lower")
        if ratio >= _WORSE:
            unit = "share" if key == "error_rate" else told.unit
            text = (
                f"{key} is {units.value(value, unit)} in the newest window, "
                f"{moment(newest.start, windows)}, after {units.value(usual, unit)}; "
                f"{len(known)} windows are too few to say since when"
            )
            yield _certain(windows, kind, key, "warn", text, windows.index(newest), None)


def _ratio(value: float, usual: float, *, lower: bool) -> float:
    """How many times as bad; 1 where no ratio can be made."""
    worse, better = (value, usual) if lower else (usual, value)
    return worse / better if better > 0 else 1.0


def _dates(windows: Sequence[Window], first: int, ended: float | None) -> str:
    since = moment(windows[first].start, windows)
    return f"since {since}" if ended is None else f"from {since} to {moment(ended, windows)}"


def _certain(
    windows: Sequence[Window], kind: str, subject: str, severity: str, text: str, first: int, ended: float | None,
    columns: Sequence[ColumnDrift] = (),
) -> Finding:  # fmt: skip
    moved = [{"column": column.column, "after": strength(column, 1e4)} for column in columns]
    evidence = {"moved": moved} if moved else {}
    since = windows[first].start
    return Finding(kind, subject, severity, text, since, ended, None, evidence, windows[0].monitor)  # type: ignore[arg-type]
