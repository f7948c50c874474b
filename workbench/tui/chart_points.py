"""The points behind the charts: what has come from the store, and what has to be asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct
from textual.message import Message

from workbench.core.model import Artifact, Run, Series
from workbench.core.query import Query
from workbench.core.series_axes import steps_within, x_of
from workbench.core.series_charts import Chart
from workbench.tui.chart_images import images_of
from workbench.tui.chart_manner import Manner

POINTS = 1000
"""Points asked of a series: lowest and highest in more stretches than any terminal has columns of dots."""
HISTOGRAM_STEPS = 200
KEPT = 2000
"""Answers kept; beyond that the oldest are forgotten, and asked for again if they are looked at."""
KEYS_AGE = 30.0
"""Seconds of a live run's data after which its histograms are looked for again."""

Kind = Literal["series", "histograms", "histogram_keys", "images"]


class Want(Struct, frozen=True):
    """One question to the store; `token` changes when another answer is to be expected."""

    kind: Kind
    run: str
    key: str = ""
    token: object = None
    steps: tuple[int, int] | None = None
    """A stretch of the series alone."""

    @property
    def place(self) -> tuple[Kind, str, str, bool]:
        """What its answer takes the place of."""
        return self.kind, self.run, self.key, self.steps is not None


@dataclass
class PointsLoaded(Message):
    """What was asked for has come."""

    found: Sequence[tuple[Want, Any]]
    seconds: float


@dataclass
class PointsFailed(Message):
    """The store could not be read."""

    wants: Sequence[Want]
    error: Exception


def load_points(query: Query, wants: Sequence[Want]) -> Message:
    """Ask the store; runs off the event loop."""
    started = time.perf_counter()
    try:
        return PointsLoaded([(want, _answer(query, want)) for want in wants], time.perf_counter() - started)
    except Exception as error:  # noqa: BLE001 - whatever the store raises is shown, and tried again
        return PointsFailed(wants, error)


def _answer(query: Query, want: Want) -> Any:
    if want.kind == "histogram_keys":
        return tuple(query.histogram_keys(want.run))
    if want.kind == "images":
        return images_of(query, want.run)
    if want.kind == "histograms":
        return query.histograms(want.run, want.key, HISTOGRAM_STEPS)
    return query.series(want.run, want.key, POINTS, want.steps)


class ChartPoints:
    """Answers by what they are about; tells what is missing or has grown old."""

    def __init__(self) -> None:
        self._known: dict[tuple[Kind, str, str, bool], tuple[Want, Any]] = {}

    def take(self, want: Want, answer: Any) -> None:
        """Keep an answer."""
        self._known.pop(want.place, None)
        self._known[want.place] = want, answer
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]

    def series(self, run: str, key: str) -> Series | None:
        """A whole series, thinned where it is long; None until it has come."""
        found = self._known.get(("series", run, key, False))
        return None if found is None else found[1]

    def near(self, run: str, key: str, steps: tuple[int, int] | None) -> Series | None:
        """A series with all that is known of these steps, or the whole one."""
        found = self._known.get(("series", run, key, True))
        if found is not None and steps is not None and _covers(found[0].steps, steps):
            return found[1]  # type: ignore[no-any-return]
        return self.series(run, key)

    def histogram_keys(self, run: str) -> Sequence[str]:
        """Keys of a run's histograms, as far as known."""
        found = self._known.get(("histogram_keys", run, "", False))
        return () if found is None else found[1]

    def images(self, run: str) -> Sequence[Artifact]:
        """Images a run made, as far as known."""
        found = self._known.get(("images", run, "", False))
        return () if found is None else found[1]

    def histograms(self, run: str, key: str) -> Sequence[Any] | None:
        """Histograms by step; None until they have come."""
        found = self._known.get(("histograms", run, key, False))
        return None if found is None else found[1]

    def is_new(self, want: Want) -> bool:
        """Whether nothing at all is known of what a question is about."""
        return want.place not in self._known

    def keys_wanted(self, runs: Iterable[Run]) -> list[Want]:
        """Questions for the histograms that runs have, and for their images."""
        kinds: tuple[Kind, ...] = ("histogram_keys", "images")
        wants = [Want(kind, run.id, "", int((run.updated_at or 0.0) / KEYS_AGE)) for run in runs for kind in kinds]
        return [want for want in wants if self._differs(want)]

    def wanted(self, chart: Chart, runs: Sequence[Run], manner: Manner) -> list[Want]:
        """What a chart lacks: series that are missing or have grown, the stretch in sight of those that are thinned."""
        if chart.kind == "image":
            return []
        if chart.kind == "histogram":
            asked = [Want("histograms", run.id, chart.title, run.updated_at) for run in self._having(runs, chart)]
            return [want for want in asked if self._differs(want)]
        wants = []
        for run in runs:
            keys = dict.fromkeys(chart.keys)
            if chart.kind == "metric" and manner.axis_key is not None:
                keys[manner.axis_key] = None
            lacking = [want for key in keys for want in self._wanted_of(run, key)]
            if not lacking and chart.kind == "metric" and manner.span is not None:
                lacking = self._stretch(run, chart.keys[0], manner)
            wants += lacking
        return wants

    def _having(self, runs: Sequence[Run], chart: Chart) -> list[Run]:
        return [run for run in runs if chart.title in self.histogram_keys(run.id)]

    def _wanted_of(self, run: Run, key: str) -> Iterator[Want]:
        if key in run.metrics:
            want = Want("series", run.id, key, run.metrics[key].n)
            if self._differs(want):
                yield want

    def _differs(self, want: Want) -> bool:
        found = self._known.get(want.place)
        return found is None or found[0].token != want.token

    def _stretch(self, run: Run, key: str, manner: Manner) -> list[Want]:
        """The stretch in sight and half as much on either side, unless it is known in as much detail."""
        whole, steps = self.series(run.id, key), self.steps_in_sight(run, key, manner)
        if whole is None or steps is None or whole.n <= len(whole.value):
            return []
        found = self._known.get(("series", run.id, key, True))
        long = steps[1] - steps[0] + 1
        if found is not None and found[0].token == run.metrics[key].n and _covers(found[0].steps, steps):
            low, high = found[0].steps or steps
            if found[1].n <= len(found[1].value) or high - low <= 4 * long:
                return []
        return [Want("series", run.id, key, run.metrics[key].n, (steps[0] - long // 2, steps[1] + long // 2))]

    def steps_in_sight(self, run: Run, key: str, manner: Manner) -> tuple[int, int] | None:
        """The steps that the zoom shows of a series; None where it is not zoomed, or shows none."""
        whole = self.series(run.id, key)
        if whole is None or manner.span is None or not len(whole.step):
            return None
        over = self.series(run.id, manner.axis_key) if manner.axis_key is not None else None
        return steps_within(whole, x_of(whole, manner.axis, over, run.started_at), *manner.span)


def _covers(one: tuple[int, int] | None, other: tuple[int, int]) -> bool:
    return one is not None and one[0] <= other[0] and one[1] >= other[1]
