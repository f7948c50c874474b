"""Judges runs whose series have changed, a few at a time, and keeps what is worth attention in them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, takewhile

import numpy as np
from msgspec.structs import replace

from workbench.analysis.diagnosis import ENGINE, Curve, diagnose, is_judged
from workbench.analysis.diagnosis_pace import Rhythm, is_gpu_use, rhythm
from workbench.core.ahead import ahead
from workbench.core.config import Config
from workbench.core.model import Finding
from workbench.core.roles import roles_for, words_of
from workbench.ingest.progress import Progress
from workbench.ingest.recent import RecentRuns, touched
from workbench.store.append import Delta
from workbench.store.run_findings import (
    LONG,
    CurveRows,
    Judgement,
    SeriesState,
    append_judgements,
    changed_series,
    fetch_curves,
    fetch_judged,
    fetch_states,
    newest_commit,
)
from workbench.store.store import Store

AT_ONCE = 512
"""Runs that are looked up in one lease while many wait; a lease holds up others."""
FEW = 64
"""The same while runs are live."""
POINTS, POINTS_LIVE = 500_000, 50_000
"""Points that are fetched in one lease; fewer where others wait. Twice as many are in memory, as some are judged."""
REST = 10.0
"""Seconds between two judgements of a run that goes on."""
SHARE, SHARE_AT_FIRST = 0.02, 0.3
"""Share of the time spent on judging again, and on what was never judged."""
MOST_PREPARED = 2_000
"""Runs whose findings may wait for their commits."""
MOST = 24
"""Series of a run that are judged; a model logs one for every layer."""
_GROWN = 1.1
"""How much longer a run's series must be before its findings are written down again with nothing new in them."""


class RunFindingWatch:
    """Judges runs again when their series have grown; what did not change costs nothing.

    `patience` is how long one `update` may take; None judges all that waits.
    """

    def __init__(
        self, config: Config, store: Store, tell: Callable[[str], None] = lambda text: None, *,
        patience: float | None = 0.1, clock: Callable[[], float] = time.monotonic, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self._tell = tell
        self._config = config
        self._store = store
        self._patience = patience
        self._clock = clock
        self._progress = progress or Progress()
        self._revision = ""
        self._looked = 0
        """Every commit up to this one has been looked at."""
        self._opened = False
        self._known: dict[str, tuple[int, int, int]] = {}
        """Commit, engine and points of each run's newest judgement."""
        self._waiting: dict[str, int] = {}
        """Runs to judge, with the commit that changed them."""
        self._gists: dict[str, tuple[object, ...]] = {}
        """What was found last in each run judged by this process."""
        self._recent = RecentRuns()
        self._prepared: dict[str, tuple[Sequence[SeriesState], Judgement]] = {}
        """What was found in runs that were in memory, and in which of their series."""
        self._due: dict[str, float] = {}
        self._not_before = 0.0

    def keep(self, deltas: Sequence[Delta]) -> None:
        """Take notice of what is about to be committed: while it is in memory, it need not be fetched."""
        self._recent.keep(deltas)
        for delta in deltas:
            for run in [*self._prepared] if delta.cuts else touched(delta):
                self._prepared.pop(run, None)

    def prepare(self) -> bool:
        """Judge a run that is in memory, ahead of its commit; whether there is another."""
        self._prepare(self._recent.oldest)
        return bool(self._recent) and len(self._prepared) < MOST_PREPARED

    def _prepare(self, run: str) -> None:
        states, rows = self._recent.take(run)
        if states:
            chosen = self._worth(states)
            self._prepared[run] = chosen, self._judgement(run, 0, chosen, rows)

    def update(self) -> bool:
        """Judge what has changed, the newest first; costs a look at the file while nothing changes.

        True while runs wait that have never been judged.
        """
        started = self._clock()
        if started < self._not_before:
            return any(self._is_new(run) for run in self._waiting)
        self._look()
        first = any(self._is_new(run) for run in self._waiting)
        worked = time.thread_time()
        self._progress.start(len(self._waiting), 0)
        try:
            while self._waiting and not self._is_late(started):
                chosen = self._choose(AT_ONCE if first or self._patience is None else FEW)
                if not chosen:
                    break
                self._judge(chosen, started)
        finally:
            self._progress.end()
        cost = time.thread_time() - worked
        if self._patience is not None:
            self._not_before = self._clock() + cost / (SHARE_AT_FIRST if first else SHARE)
        return any(self._is_new(run) for run in self._waiting)

    def _is_late(self, started: float) -> bool:
        return self._patience is not None and self._clock() - started > self._patience

    def _look(self) -> None:
        """See which runs a commit has touched since the last look."""
        revision = self._store.revision()
        if revision == self._revision or not revision:
            return
        with self._store.read() as con:
            newest = newest_commit(con)
            if not self._opened or newest < self._looked:
                self._looked, self._waiting, self._opened = 0, {}, True
                self._known = {run: (it.commit, it.engine, it.points) for run, it in fetch_judged(con).items()}
            changed = changed_series(con, self._looked)
        for run, commit in changed.items():
            known = self._known.get(run)
            if known is None or known[0] < commit or known[1] != ENGINE:
                self._waiting[run] = commit
        self._looked, self._revision = newest, revision

    def _is_new(self, run: str) -> bool:
        known = self._known.get(run)
        return known is None or known[1] != ENGINE

    def _choose(self, most: int) -> list[str]:
        """Those that may be judged now: never judged ones first, then what changed last."""
        now = self._clock()
        due = [run for run in self._waiting if self._patience is None or self._due.get(run, 0.0) <= now]
        due.sort(key=lambda run: (not self._is_new(run), -self._waiting[run], run))
        return due[:most]

    def _judge(self, runs: Sequence[str], started: float) -> None:
        """Judge some runs, fewer where time runs out, and write down what is new."""
        with self._store.read() as con:
            commit = newest_commit(con)
            by_run = self._by_run(fetch_states(con, runs))
        judged = [*self._judgements(runs, by_run, commit, started)]
        news = [each for each in judged if self._is_news(each)]
        if news:
            with self._store.write() as con:
                append_judgements(con, ENGINE, news)
        now = self._clock()
        for each in judged:
            if self._waiting.get(each.run, 0) <= commit:
                self._waiting.pop(each.run, None)
            self._due[each.run] = now + REST
        if news:
            self._known.update({each.run: (each.commit, ENGINE, each.points) for each in news})
            self._gists.update({each.run: _gist(each.findings) for each in news})

    def _judgements(
        self, runs: Sequence[str], by_run: Mapping[str, Sequence[SeriesState]], commit: int, started: float
    ) -> Iterator[Judgement]:
        """First of runs that are or were in memory, then of the others, until time runs out; of one at least."""
        others: list[str] = []
        for run in runs:
            ready = self._ready(run, by_run.get(run, []), commit)
            if ready is None:
                others.append(run)
                continue
            yield ready
            self._progress.done()
            if self._is_late(started):
                return
        for portion, rows in self._fetched(others, by_run, started):
            yield from [self._judgement(run, commit, by_run.get(run, []), rows) for run in portion]
            self._progress.done(len(portion))

    def _ready(self, run: str, states: Sequence[SeriesState], commit: int) -> Judgement | None:
        """What was found while it was in memory, if the store says the same of its series."""
        self._prepare(run)
        then, judgement = self._prepared.pop(run, ((), None))
        return None if judgement is None or then != states else replace(judgement, commit=commit)

    def _fetched(
        self, runs: Sequence[str], by_run: Mapping[str, Sequence[SeriesState]], started: float
    ) -> Iterator[tuple[Sequence[str], dict[int, CurveRows]]]:
        """Runs, a portion at a time, with the points of their series, until time runs out.

        The next portion comes while one is judged; where time may run out, it would come for nothing.
        """

        def fetch(portion: Sequence[str]) -> tuple[Sequence[str], dict[int, CurveRows]]:
            with self._store.read() as con:
                return portion, fetch_curves(con, [state for run in portion for state in by_run.get(run, ())])

        if self._patience is None:
            return ahead(fetch, _portions(runs, by_run, POINTS))
        portions = _portions(runs, by_run, POINTS_LIVE)
        first = islice(portions, 1)
        return map(fetch, chain(first, takewhile(lambda _: not self._is_late(started), portions)))

    def _by_run(self, states: Sequence[SeriesState]) -> dict[str, list[SeriesState]]:
        """The series of each run that are worth a look, and the one that is furthest, for its pace."""
        every: dict[str, list[SeriesState]] = {}
        for state in states:
            every.setdefault(state.run, []).append(state)
        return {run: self._worth(own) for run, own in every.items()}

    def _worth(self, states: Sequence[SeriesState]) -> list[SeriesState]:
        judged = []
        for state in states:
            roles = roles_for(state.key, self._config.metrics)
            if is_judged(state.key, roles.kind, roles.direction):
                judged.append((roles.kind != "performance", "loss" not in words_of(state.key), state.key, state))
        chosen = [each[-1] for each in sorted(judged, key=lambda each: each[:-1])[:MOST]]
        furthest = max(states, key=lambda state: (state.last_step, state.n, state.key))
        return chosen if furthest in chosen else [*chosen, furthest]

    def _judgement(self, run: str, commit: int, states: Sequence[SeriesState], rows: dict[int, CurveRows]) -> Judgement:
        curves = [self._curve(state, rows[state.series_id]) for state in states if state.series_id in rows]
        walls = [state.last_wall for state in states if state.last_wall is not None and math.isfinite(state.last_wall)]
        told = [state for state in states if not is_gpu_use(state.key)]
        active = [state.last_wall for state in told if state.last_wall is not None and math.isfinite(state.last_wall)]
        points = sum(state.n for state in states)
        try:
            findings = diagnose(curves, max(active, default=max(walls, default=None)))
            pace = _rhythm(states, rows)
        except Exception as error:  # noqa: BLE001 - a mistake in a rule must not keep logs from being read
            self._tell(f"run {run}: not judged: {error!r}")
            return Judgement(run, commit, points)
        return Judgement(run, commit, points, findings, pace.gap, pace.pace)

    def _curve(self, state: SeriesState, rows: CurveRows) -> Curve:
        return Curve(
            state.key, roles_for(state.key, self._config.metrics), rows.step, rows.wall, rows.value, rows.low,
            rows.high, state.n, state.not_finite, rows.broken_from,
        )  # fmt: skip

    def _is_news(self, judgement: Judgement) -> bool:
        """Whether it is worth writing: other findings, or a run that has grown by a tenth."""
        known = self._known.get(judgement.run)
        if known is None or known[1] != ENGINE or judgement.points > _GROWN * known[2]:
            return True
        return self._gists.get(judgement.run) != _gist(judgement.findings)


def _portions(runs: Sequence[str], by_run: Mapping[str, Sequence[SeriesState]], most: int) -> Iterator[list[str]]:
    """Runs, as many at a time as have about so many points."""
    portion, points = [], 0
    for run in runs:
        portion.append(run)
        points += sum(min(state.n, LONG) for state in by_run.get(run, ()))
        if points >= most:
            yield portion
            portion, points = [], 0
    if portion:
        yield portion


def _gist(findings: Sequence[Finding]) -> tuple[object, ...]:
    """What makes findings the same ones, though their numbers move with every point."""
    return tuple(
        (each.kind, each.subject, each.severity, each.evidence.get("step"), each.until is None) for each in findings
    )


def _rhythm(states: Sequence[SeriesState], rows: dict[int, CurveRows]) -> Rhythm:
    """Of the series that is furthest and has times."""
    for state in sorted(states, key=lambda state: (-state.last_step, -state.n, state.key)):
        found = rows.get(state.series_id)
        if found is not None and np.isfinite(found.wall).sum() > 3:
            per_row = state.n / max(len(found.step), 1)
            told = rhythm(found.step, found.wall)
            return Rhythm(None if told.gap is None else told.gap / max(per_row, 1.0), told.pace)
    return Rhythm()
