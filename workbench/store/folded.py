"""Summaries of a run's metrics, kept as columns of all runs and made into records when someone looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from workbench.core.model import Direction, Summary
from workbench.store.facts import Lazy
from workbench.store.schema import RANKED, by_hash

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

_WHOLE = ("n", "last_step", "not_finite", "first_step")
_REAL = ("last", "min", "max", "first", "last_wall", "first_wall")
_SHOWN = ("n", "last", "last_step", "min", "max", "first", "not_finite", "last_wall")


class Columns(Struct, frozen=True):
    """Every fetched series by run and key; `key` and the values of `numbers` have one length."""

    key: list[str]
    format: list[str]
    numbers: Mapping[str, NDArray[Any]]


class FoldedSeries(Struct, frozen=True):
    """One run's share of the columns, with what its status is judged by."""

    columns: Columns
    start: int
    stop: int
    last_step: int
    """The highest of all series."""
    first_wall: float | None
    last_wall: float | None
    """Of the newest of the metrics' last points."""
    not_finite: tuple[str, ...] = ()
    """Keys whose last value is NaN or infinite."""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By metric: the other formats that have it, the next best first."""

    @property
    def keys(self) -> list[str]:
        """Names of the metrics, sorted."""
        return self.columns.key[self.start : self.stop]

    @property
    def first_step(self) -> int:
        """The lowest of all series."""
        return int(self.columns.numbers["first_step"][self.start : self.stop].min())

    def is_only(self, name: str) -> bool:
        """Whether one format speaks for every metric and no other has any."""
        formats = self.columns.format
        return not self.aliases and all(formats[at] == name for at in range(self.start, self.stop))

    @property
    def shown(self) -> Counter[str]:
        """How many metrics each format speaks for."""
        return Counter(self.columns.format[self.start : self.stop])


class Metrics(Lazy[Summary]):
    """Summaries by key; which keys there are is told without making any."""

    def __init__(self, folded: FoldedSeries, direction: Callable[[str], Direction | None]) -> None:
        super().__init__(partial(_summaries, folded, direction))
        self._folded = folded

    def __len__(self) -> int:
        return self._folded.stop - self._folded.start

    def __iter__(self) -> Iterator[str]:
        return iter(self._folded.keys)

    def __contains__(self, key: object) -> bool:
        return key in self._folded.keys


def _summaries(folded: FoldedSeries, direction: Callable[[str], Direction | None]) -> dict[str, Summary]:
    own = slice(folded.start, folded.stop)
    columns = (folded.columns.numbers[name][own].tolist() for name in _SHOWN)
    made = {}
    for key, n, last, step, lowest, highest, first, not_finite, wall in zip(folded.keys, *columns, strict=True):
        better, low, high = direction(key), _known(lowest), _known(highest)
        best = low if better == "lower" else high if better == "higher" else None
        made[key] = Summary(n, last, step, low, high, best, first, not_finite, _known(wall))
    return made


def fetch_folded(con: DuckDBPyConnection, where: str) -> Iterator[tuple[str, FoldedSeries]]:
    """(run id, its series) of the runs that `where` narrows to."""
    found = con.execute(
        f"SELECT run_id, key, format, place, {', '.join(_WHOLE)}, {', '.join(_REAL)}"
        f" FROM ({by_hash(RANKED.format(where=where))}) ORDER BY run_id, key, place"
    ).fetchnumpy()
    if not len(found["run_id"]):
        return iter(())
    found = {name: np.ma.filled(found[name], np.nan) if name in _REAL else found[name] for name in found}
    aliases = _aliases(found)
    if aliases:
        first = found["place"] == 1
        found = {name: column[first] for name, column in found.items()}
    return _by_run(found, aliases)


def _aliases(found: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    aliases: dict[str, dict[str, tuple[str, ...]]] = {}
    for at in np.flatnonzero(found["place"] > 1).tolist():
        run, key, name = (found[column][at] for column in ("run_id", "key", "format"))
        of_run = aliases.setdefault(run, {})
        of_run[key] = (*of_run.get(key, ()), name)
    return aliases


def _by_run(
    found: Mapping[str, NDArray[Any]], aliases: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> Iterator[tuple[str, FoldedSeries]]:
    runs = found["run_id"]
    shared: dict[str, str] = {}
    starts = np.flatnonzero(np.append(True, runs[1:] != runs[:-1]))
    stops = np.append(starts[1:], len(runs))
    names = [shared.setdefault(key, key) for key in found["key"].tolist()]
    formats = [shared.setdefault(name, name) for name in found["format"].tolist()]
    columns = Columns(names, formats, {name: found[name] for name in (*_WHOLE, *_REAL)})
    last_step = np.maximum.reduceat(found["last_step"], starts).tolist()
    first_wall = np.fmin.reduceat(found["first_wall"], starts).tolist()
    last_wall = np.fmax.reduceat(found["last_wall"], starts).tolist()
    odd: dict[str, tuple[str, ...]] = {}
    for at in np.flatnonzero(~np.isfinite(found["last"])).tolist():
        odd[runs[at]] = (*odd.get(runs[at], ()), names[at])
    places = zip(starts.tolist(), stops.tolist(), strict=True)
    figures = zip(last_step, map(_known, first_wall), map(_known, last_wall), strict=True)
    for run, place, known in zip(runs[starts].tolist(), places, figures, strict=True):
        yield run, FoldedSeries(columns, place[0], place[1], *known, odd.get(run, ()), aliases.get(run, {}))


def _known(value: float) -> float | None:
    """The number, or None for the NaN that stands for none."""
    return None if value != value else value  # noqa: PLR0124
