"""A reader's answer, checked before anything believes it: a plugin's mistake is named instead of stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

import numpy as np
from msgspec.structs import replace

from workbench.core.batch import Batch, Chunk, ConsoleLine, Fact, FactKind, Histogram, Points, Purge, Reject
from workbench.ingest import limits

_KINDS = frozenset(get_args(FactKind))
_COLUMNS: dict[str, np.dtype[Any]] = {
    "key": np.dtype(np.int32), "step": np.dtype(np.int64), "wall": np.dtype(np.float64),
    "value": np.dtype(np.float64), "offset": np.dtype(np.int64),
}  # fmt: skip
_FEW = 100
"""Codes up to which plain Python is quicker than numpy."""
_RUN_ID = re.compile("#[0-9a-f]{12}")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class ReaderFault(Exception):
    """What a reader answered cannot be right; the message says which part of it."""


def checked(batch: Any, chunk: Chunk, *, many_runs: bool) -> Batch:
    """The batch, its columns brought to their types and its excerpts to their limit.

    Raises:
        ReaderFault: a part of it has another type or length than the contract says, or points nowhere.
    """
    if not isinstance(batch, Batch):
        raise ReaderFault(f"read() gave {type(batch).__name__}, not a Batch")
    longest = _HIGHEST if chunk.place else len(chunk.data)
    _whole("consumed", batch.consumed, 0, longest)
    _whole("accepted", batch.accepted, 0, _HIGHEST)
    _text("message", batch.message)
    points = _points(batch.points)
    for fact in _all("facts", batch.facts, Fact):
        _fact(fact)
    for histogram in _all("histograms", batch.histograms, Histogram):
        _histogram(histogram)
    for line in _all("console", batch.console, ConsoleLine):
        _text("ConsoleLine.text", line.text)
        _text("ConsoleLine.run", line.run)
        _wall("ConsoleLine.wall", line.wall)
        _whole("ConsoleLine.offset", line.offset, _LOWEST, _HIGHEST)
    for purge in _all("purges", batch.purges, Purge):
        _whole("Purge.step", purge.step, _LOWEST, _HIGHEST)
        _whole("Purge.offset", purge.offset, _LOWEST, _HIGHEST)
    if many_runs:
        _named(batch)
    rejects = [_reject(item) for item in _all("rejects", batch.rejects, Reject)] if batch.rejects else ()
    if batch.state:
        _state(batch.state)
    return batch if points is batch.points and not rejects else replace(batch, points=points, rejects=rejects)


def _points(points: Any) -> Points:
    if not isinstance(points, Points):
        raise ReaderFault(f"points is {type(points).__name__}, not Points")
    n = len(points.value)
    changed: dict[str, Any] = {}
    for name, kind in _COLUMNS.items():
        column = getattr(points, name)
        if not isinstance(column, np.ndarray) or column.shape != (n,):
            raise ReaderFault(f"points.{name} must be an array of one dimension and of the length of points.value, {n}")
        if column.dtype != kind:
            if not np.can_cast(column.dtype, kind, "same_kind") and n:
                raise ReaderFault(f"points.{name} is {column.dtype}, not {kind}")
            changed[name] = column.astype(kind)
    if n:
        _codes("key", points.key, points.keys)
    if points.run is not None:
        if not isinstance(points.run, np.ndarray) or points.run.shape != (n,) or points.run.dtype.kind not in "iu":
            raise ReaderFault(f"points.run must be whole numbers of the length of points.value, {n}")
        if n:
            _codes("run", points.run, points.runs)
            for run in points.runs:
                _run("points.runs", run)
    return replace(points, **changed) if changed else points


def _codes(name: str, codes: Any, texts: Any) -> None:
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise ReaderFault(f"points.{name}s must be a sequence of texts")
    few = codes.tolist() if len(codes) < _FEW else (codes.min(), codes.max())
    low, high = int(min(few)), int(max(few))
    if low < 0 or high >= len(texts):
        raise ReaderFault(f"points.{name} goes from {low} to {high}, and there are {len(texts)} {name}s")


def _fact(fact: Fact) -> None:
    if fact.kind not in _KINDS:
        raise ReaderFault(f"Fact.kind is {fact.kind!r}; kinds are {', '.join(sorted(_KINDS))}")
    _text("Fact.key", fact.key)
    _text("Fact.run", fact.run)
    _wall("Fact.wall", fact.wall)
    _whole("Fact.offset", fact.offset, _LOWEST, _HIGHEST)


def _histogram(item: Histogram) -> None:
    _text("Histogram.key", item.key)
    _run("Histogram.run", item.run)
    _whole("Histogram.step", item.step, _LOWEST, _HIGHEST)
    _whole("Histogram.offset", item.offset, _LOWEST, _HIGHEST)
    edges, counts = np.asarray(item.edges), np.asarray(item.counts)
    if edges.ndim != 1 or edges.shape != (len(counts) + 1,) or edges.dtype.kind not in "fiu":
        raise ReaderFault(f"Histogram of {item.key!r}: {len(counts)} counts need {len(counts) + 1} edges")
    if not np.all(np.isfinite(edges)) or np.any(np.diff(edges) < 0):
        raise ReaderFault(f"Histogram of {item.key!r}: edges must be finite and ascending")


def _reject(item: Reject) -> Reject:
    _whole("Reject.offset", item.offset, _LOWEST, _HIGHEST)
    _whole("Reject.length", item.length, 0, _HIGHEST)
    _text("Reject.reason", item.reason)
    if not isinstance(item.excerpt, bytes | bytearray):
        raise ReaderFault(f"Reject.excerpt is {type(item.excerpt).__name__}, not bytes")
    return item if len(item.excerpt) <= limits.EXCERPT else replace(item, excerpt=item.excerpt[: limits.EXCERPT])


def _named(batch: Batch) -> None:
    """Where no run is the file's own, each thing must say whose it is."""
    points = batch.points
    used: list[str] = (
        [points.runs[i] for i in np.unique(points.run)] if points.run is not None else [""] * bool(len(points))
    )
    for items in (batch.facts, batch.histograms, batch.console, batch.purges):
        used += [item.run for item in items]
    if not all(used):
        raise ReaderFault("the claim said many_runs, and something here names no run")


def _state(state: Any) -> None:
    try:
        json.dumps(state)
    except (TypeError, ValueError, RecursionError) as error:
        raise ReaderFault(f"state cannot be kept as JSON: {error}") from error


def _all(name: str, items: Any, kind: type[Any]) -> Iterable[Any]:
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise ReaderFault(f"{name} is {type(items).__name__}, not a sequence")
    for item in items:
        if not isinstance(item, kind):
            raise ReaderFault(f"{name} holds {type(item).__name__}, not {kind.__name__}")
    return items


def _whole(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not low <= value <= high:
        raise ReaderFault(f"{name} is {value!r}, not a whole number from {low} to {high}")


def _wall(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, int | float | np.floating):
        raise ReaderFault(f"{name} is {value!r}, not seconds since 1970")


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ReaderFault(f"{name} is {type(value).__name__}, not a text")


def _run(name: str, value: Any) -> None:
    """A native id, or `#` and one of ours."""
    _text(name, value)
    if value.startswith("#") and _RUN_ID.fullmatch(value) is None:
        raise ReaderFault(f"{name} has {value!r}: after # comes a run's id, 12 hexadecimal digits")
