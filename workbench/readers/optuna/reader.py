"""Optuna's SQLite storage: a study is a group, a trial a run, read on from the rows that came last."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from msgspec import Struct, field

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Reader
from workbench.readers.gathering import Gathering, digest, local_seconds, mapping_of, number_of, utc_seconds, whole_of
from workbench.readers.optuna.trial import (
    HEARTBEAT_GRACE,
    INTERMEDIATE,
    OPEN,
    WAITING,
    Study,
    attribute,
    beginning,
    ending,
    external,
    final_values,
    metric_names,
    native_id,
)
from workbench.readers.sqlite import NOT_SQLITE, Database, UnreadableDatabaseError, is_sqlite, opened, tables_at

_TABLES = frozenset({"studies", "trials", "trial_params"})
_UTC_SINCE = 5
"""The version of Optuna that began to store UTC; older ones stored local time."""
MOST_TRIALS = 2_000
"""Trials taken in one look."""
_AT_ONCE = 500
_NEWEST = "SELECT max(trial_id) FROM trials"
_VALUES: Mapping[str, float] = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}


class OptunaReader(Reader):
    """Reads trials by id: new ones, and again those that had not ended."""

    name: ClassVar[str] = "optuna"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("*.db", "*.sqlite", "*.sqlite3", "*.db3")

    def claim(self, head: Head) -> Claim:
        """Certain when the database has Optuna's tables."""
        if not is_sqlite(head.data):
            return Claim(0.0, NOT_SQLITE)
        if tables_at(head.place) >= _TABLES:
            return Claim(1.0, "an SQLite database with Optuna's tables", many_runs=True)
        return Claim(0.0, "an SQLite database without the tables studies, trials and trial_params")

    def read(self, chunk: Chunk) -> Batch:
        """The trials that are new or were open at the last look."""
        try:
            with opened(chunk.place) as database:
                return _Look(chunk, database).batch()
        except UnreadableDatabaseError as problem:
            return Batch(state=chunk.state, message=str(problem), more=problem.later)
        except (TypeError, ValueError, KeyError) as problem:
            return Batch(state=chunk.state, message=f"rows of a kind that Optuna does not write: {problem}")


class _Trial(Struct):
    """A row of `trials` and what hangs on it."""

    number: int
    study: int
    state: str
    started: float | None
    ended: float | None
    facts: list[Fact] = field(default_factory=list)
    values: dict[int, float] = field(default_factory=dict)
    steps: dict[int, tuple[float, int]] = field(default_factory=dict)
    """Value and row id of what was reported, by step."""


class _Look:
    """One look at the database, all of it of one state."""

    def __init__(self, chunk: Chunk, database: Database) -> None:
        self.chunk = chunk
        self.database = database
        self.path: PurePath = chunk.path
        self.found = Gathering()
        self.open: dict[str, Any] = dict(mapping_of(chunk.state.get("open")))
        self.last = self.reached = int(chunk.state.get("last", 0))
        self.studies = self._studies()
        self.seconds = utc_seconds if self._is_utc() else local_seconds

    def batch(self) -> Batch:
        """What changed since the last look."""
        newest = max([0, *(whole_of(row[0]) or 0 for row in self.database.rows(_NEWEST))])
        if newest < self.last or self._renamed():
            return Batch(restart=True, message="trials were deleted from the storage; read again")
        trials = self._trials()
        self._hang_on(trials)
        changed = sum(self._tell(trial_id, trial) for trial_id, trial in trials.items())
        names = {str(key): study.name for key, study in self.studies.items()}
        state = {"last": self.reached, "open": self.open, "names": names}
        return self.found.batch(
            changed + self.reached - self.last, state, message=self.database.remark, more=self.reached < newest,
            accepted=len(trials),
        )  # fmt: skip

    def _renamed(self) -> bool:
        """Whether an id now stands for another study: ids of deleted ones are given again."""
        known = mapping_of(self.chunk.state.get("names"))
        now = {str(key): study.name for key, study in self.studies.items()}
        return any(now.get(key, name) != name for key, name in known.items())

    def _is_utc(self) -> bool:
        versions = [str(row[0]) for row in self.database.select("version_info", ["library_version"])]
        major = versions[0].partition(".")[0] if versions else ""
        return major.isdigit() and int(major) >= _UTC_SINCE

    def _studies(self) -> dict[int, Study]:
        directions: dict[int, dict[int, str]] = {}
        for study, objective, direction in self.database.select(
            "study_directions", ["study_id", "objective", "direction"]
        ):
            directions.setdefault(study, {})[objective] = direction
        where = "WHERE key = 'study:metric_names'"
        rows = self.database.select("study_system_attributes", ["study_id", "value_json"], where)
        names = {study: metric_names(_json(text)) for study, text in rows}
        return {
            study: Study(str(name), [way for _, way in sorted(directions.get(study, {}).items())], names.get(study, ()))
            for study, name in self.database.select("studies", ["study_id", "study_name"])
        }

    def _trials(self) -> dict[int, _Trial]:
        """Trials to look at, by id: the open ones, and the next of the new ones."""
        columns = ["trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"]
        tail = "WHERE trial_id > ? ORDER BY trial_id LIMIT ?"
        rows = list(self.database.select("trials", columns, tail, self.last, MOST_TRIALS))
        if any(whole_of(row[0]) is None for row in rows):
            raise TypeError("a trial_id is no integer")
        self.reached = max([self.last, *(row[0] for row in rows)])
        for ids in _slices(int(key) for key in self.open):
            rows += self.database.select("trials", columns, f"WHERE trial_id IN ({_marks(ids)})", *ids)
        return {
            row[0]: _Trial(whole_of(row[1]) or 0, row[2], str(row[3]), self.seconds(row[4]), self.seconds(row[5]))
            for row in rows
            if row[2] in self.studies
        }

    def _hang_on(self, trials: Mapping[int, _Trial]) -> None:
        """Params, values and attributes of trials that run or ran; what waits has no run yet."""
        for ids in _slices(key for key, trial in trials.items() if trial.state != WAITING):
            self._params(ids, trials)
            self._values(ids, trials)
            self._rest(ids, trials)

    def _params(self, ids: list[int], trials: Mapping[int, _Trial]) -> None:
        columns = ["trial_id", "param_name", "param_value", "distribution_json"]
        for trial_id, name, value, distribution in self._of("trial_params", columns, ids):
            run = self._run(trials[trial_id])
            trials[trial_id].facts.append(Fact("param", external(value, distribution), str(name), run=run))

    def _values(self, ids: list[int], trials: Mapping[int, _Trial]) -> None:
        for trial_id, objective, value, kind in self._of(
            "trial_values", ["trial_id", "objective", "value", "value_type"], ids
        ):
            number = _VALUES.get(kind, number_of(value))
            if number is not None:
                trials[trial_id].values[whole_of(objective) or 0] = number
        columns = ["trial_id", "step", "intermediate_value", "intermediate_value_type", "trial_intermediate_value_id"]
        for trial_id, step, value, kind, row in self._of("trial_intermediate_values", columns, ids):
            number = _VALUES.get(kind, math.nan if value is None else number_of(value))
            if number is not None:
                trials[trial_id].steps[whole_of(step) or 0] = (number, row)

    def _rest(self, ids: list[int], trials: Mapping[int, _Trial]) -> None:
        for trial_id, key, text in self._of("trial_user_attributes", ["trial_id", "key", "value_json"], ids):
            trials[trial_id].facts.append(attribute(str(key), _json(text), self._run(trials[trial_id])))
        for trial_id, beat in self._of("trial_heartbeats", ["trial_id", "heartbeat"], ids):
            moment = utc_seconds(beat)
            if moment is not None and trials[trial_id].state in OPEN:
                promise = Fact("heartbeat", moment + HEARTBEAT_GRACE, run=self._run(trials[trial_id]))
                trials[trial_id].facts.append(promise)

    def _of(self, table: str, columns: list[str], ids: list[int]) -> Iterable[tuple[Any, ...]]:
        tail = f"WHERE trial_id IN ({_marks(ids)}) ORDER BY trial_id, 2"
        return self.database.select(table, columns, tail, *ids)

    def _run(self, trial: _Trial) -> str:
        return native_id(self.path, self.studies[trial.study].name, trial.number)

    def _tell(self, trial_id: int, trial: _Trial) -> int:
        """Add what is new of a trial; how much that is, 0 for nothing."""
        known = mapping_of(self.open.pop(str(trial_id), None))
        reported = int(known.get("row", 0))
        if trial.state == WAITING:
            self.open[str(trial_id)] = {}
            return 0
        run, study = self._run(trial), self.studies[trial.study]
        new = [(row, step, value) for step, (value, row) in trial.steps.items() if row > reported]
        for row, step, value in sorted(new):
            self.found.point(INTERMEDIATE, step, value, run=run, offset=row)
        if trial.state in OPEN:
            self.open[str(trial_id)] = {"row": max([reported, *(row for row, _, _ in new)]), "facts": ""}
        else:
            step = max(trial.steps, default=0)
            final_values(self.found, study, trial.values, step=step, wall=trial.ended, run=run, offset=trial_id)
        facts = [*beginning(study, trial.number, run), *_times(trial, run), *trial.facts, *ending(trial.state, run)]
        mark = digest([[fact.kind, fact.key, fact.value] for fact in facts])
        if trial.state in OPEN:
            self.open[str(trial_id)]["facts"] = mark
        if mark != known.get("facts"):
            self.found.facts += facts
            return len(new) + 1
        return len(new)


def _times(trial: _Trial, run: str) -> Iterable[Fact]:
    if trial.started is not None:
        yield Fact("started", trial.started, run=run)
    if trial.ended is not None:
        yield Fact("ended", trial.ended, run=run)


def _slices(ids: Iterable[int]) -> Iterable[list[int]]:
    listed = sorted(ids)
    return (listed[at : at + _AT_ONCE] for at in range(0, len(listed), _AT_ONCE))


def _marks(ids: list[int]) -> str:
    return ", ".join("?" * len(ids))


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return text if isinstance(text, str) else None
