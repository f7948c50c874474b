"""Judges runs whose series have changed, a few at a time, and keeps what is worth attention in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice, takewhile

from msgspec.structs import replace

from workbench.analysis.diagnosis import ENGINE
from workbench.core.ahead import ahead
from workbench.core.config import Config
from workbench.core.model import Finding
from workbench.ingest.engine import Judge
from workbench.ingest.judging import Judging
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
_GROWN = 1.1
"""How much longer a run's series must be before its findings are written down again with nothing new in them."""


class RunFindingWatch(Judge):
    """Judges runs again when their series have grown; what did not change costs nothing.

    `patience` is how long one `update` may take; None judges all that waits.
    """

    def __init__(
        self, config: Config, store: Store, tell: Callable[[str], None] = lambda text: None, *,
        patience: float | None = 0.1, clock: Callable[[], float] = time.monotonic, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self._judging = Judging(config, tell)
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
        for run in set().union(*map(touched, deltas)):
            self._prepared.pop(run, None)

    def forget(self) -> None:
        """What was said to be about to be committed may not have been."""
        self._recent.clear()
        self._prepared.clear()

    def prepare(self) -> bool:
        """Judge a run that is in memory, ahead of its commit; whether there is another.

        Only where all is judged at the end: it slows the commit down, for which others wait.
        """
        if self._patience is not None or not self._recent or len(self._prepared) >= MOST_PREPARED:
            return False
        run = self._recent.oldest
        with suppress(Exception):  # reading goes on; whoever judges it afterwards meets the same mistake
            states, rows = self._remembered(run)
            if states:
                self._prepared[run] = states, self._judging.judge(run, 0, states, rows)
        return bool(self._recent)

    def _remembered(self, run: str) -> tuple[Sequence[SeriesState], Mapping[int, CurveRows]]:
        """The series of a run that are worth a look, from memory; none where it is not there."""
        states, rows = self._recent.take(run)
        return self._judging.worth(states) if states else [], rows

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
            else:
                yield ready
                self._progress.done()
            if self._is_late(started):
                break
        for portion, rows in self._fetched(others, by_run, started):
            yield from [self._judging.judge(run, commit, by_run.get(run, []), rows) for run in portion]
            self._progress.done(len(portion))

    def _ready(self, run: str, states: Sequence[SeriesState], commit: int) -> Judgement | None:
        """What is found in a run that is or was in memory, if the store says the same of its series."""
        if run in self._prepared:
            then, judgement = self._prepared.pop(run)
            return replace(judgement, commit=commit) if then == states else None
        kept, rows = self._remembered(run)
        return self._judging.judge(run, commit, kept, rows) if kept and kept == states else None

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
        """The series of each run that are worth a look."""
        every: dict[str, list[SeriesState]] = {}
        for state in states:
            every.setdefault(state.run, []).append(state)
        return {run: self._judging.worth(own) for run, own in every.items()}

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
