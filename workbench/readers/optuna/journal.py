"""Optuna's journal file: one operation a line, replayed as Optuna replays it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Head, Reader, Reject
from workbench.readers.gathering import (
    EXCERPT,
    Gathering,
    list_of,
    local_seconds,
    mapping_of,
    number_of,
    whole_of,
)
from workbench.readers.lines import split
from workbench.readers.optuna.trial import (
    INTERMEDIATE,
    OPEN,
    RUNNING,
    STATES,
    WAITING,
    Study,
    attribute,
    beginning,
    ending,
    external,
    final_values,
    metric_names,
    native_id,
    shape,
)

_METRIC_NAMES = "study:metric_names"


class OptunaJournalReader(Reader):
    """Reads a journal line by line; what is not a whole operation is refused."""

    name: ClassVar[str] = "optuna-journal"
    names: ClassVar[tuple[str, ...]] = ("*.log", "*.journal", "*journal*", "*.jsonl", "*.txt")

    def claim(self, head: Head) -> Claim:
        """Certain when the first line is an operation with a worker."""
        first = head.first_line
        if not first.startswith(b"{") or b'"op_code"' not in first or b'"worker_id"' not in first:
            return Claim(0.0, "its first line is no operation of Optuna's journal: no op_code and worker_id")
        return Claim(1.0, "begins with an operation of Optuna's journal", many_runs=True)

    def read(self, chunk: Chunk) -> Batch:
        """Replay the complete lines of a stretch."""
        lines = split(chunk)
        replay = _Replay(chunk.path, chunk.state)
        refused: list[Reject] = []
        for i in range(len(lines)):
            raw, offset = lines.raw(i), chunk.start + int(lines.starts[i])
            if not raw.strip():
                continue
            reason = replay.apply(raw, offset)
            if reason:
                refused.append(Reject(offset, len(raw), reason, raw[:EXCERPT]))
        replay.found.rejects = refused
        return replay.found.batch(lines.consumed, replay.state(), accepted=len(lines) - len(refused))


class _Replay:
    """The state of all studies and of the trials that are open; a trial that ended is never changed again."""

    def __init__(self, path: PurePath, state: Mapping[str, Any]) -> None:
        self.path = path
        self.found = Gathering()
        self.studies: list[dict[str, Any]] = [dict(study) for study in list_of(state.get("studies"))]
        self.open: dict[str, dict[str, Any]] = {key: dict(item) for key, item in mapping_of(state.get("open")).items()}
        self.trials = int(state.get("trials", 0))

    def state(self) -> dict[str, Any]:
        """What the next stretch needs, JSON-able."""
        return {"studies": self.studies, "open": self.open, "trials": self.trials}

    def apply(self, raw: bytes, offset: int) -> str:
        """Apply one operation; why it was refused, empty if it was not. One that Optuna would ignore is accepted."""
        try:
            operation = json.loads(raw)
        except (ValueError, RecursionError):
            return "E101 not JSON"
        if not isinstance(operation, dict) or whole_of(operation.get("op_code")) is None:
            return "E102 not an operation of a journal"
        try:
            self._dispatch(operation, offset)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            return f"E102 incomplete operation: {type(error).__name__} {error}"
        return ""

    def _dispatch(self, operation: dict[str, Any], offset: int) -> None:
        match operation["op_code"]:
            case 0:
                self._create_study(operation)
            case 1 if (study := self._study(operation)) is not None:
                study["deleted"] = True
            case 3 if (study := self._study(operation)) is not None:
                study["metrics"] = list(metric_names(operation["system_attr"].get(_METRIC_NAMES, study["metrics"])))
            case 4 if (study := self._study(operation)) is not None:
                self._create_trial(study, operation, offset)
            case 5 | 6 | 7 | 8 if (trial := self._trial(operation)) is not None:
                self._update(str(operation["trial_id"]), trial, operation, offset)

    def _create_study(self, operation: Mapping[str, Any]) -> None:
        name = str(operation["study_name"])
        if any(study["name"] == name and not study["deleted"] for study in self.studies):
            return
        directions = [whole_of(direction) or 0 for direction in operation["directions"]]
        self.studies.append(
            {"name": name, "directions": directions, "metrics": [], "trials": 0, "spaces": {}, "deleted": False}
        )

    def _study(self, operation: Mapping[str, Any]) -> dict[str, Any] | None:
        index = int(operation["study_id"])
        if not 0 <= index < len(self.studies) or self.studies[index]["deleted"]:
            return None
        return self.studies[index]

    def _trial(self, operation: Mapping[str, Any]) -> dict[str, Any] | None:
        return self.open.get(str(int(operation["trial_id"])))

    def _create_trial(self, study: dict[str, Any], operation: Mapping[str, Any], offset: int) -> None:
        """A new trial: running, waiting for its turn, or added as a whole with all that it has."""
        key = str(self.trials)
        trial = {
            "study": int(operation["study_id"]), "number": study["trials"], "state": RUNNING, "step": 0, "waiting": [],
        }  # fmt: skip
        self.trials += 1
        study["trials"] += 1
        self.open[key] = trial
        state = STATES[operation.get("state") or 0]
        trial["state"] = WAITING
        distributions = mapping_of(operation.get("distributions"))
        parts: list[dict[str, Any]] = [
            {"op_code": 5, "param_name": name, "param_value_internal": value, "distribution": distributions.get(name)}
            for name, value in mapping_of(operation.get("params")).items()
        ]
        attrs = mapping_of(operation.get("user_attrs"))
        parts += [{"op_code": 8, "user_attr": {name: value}} for name, value in attrs.items()]
        for step, value in mapping_of(operation.get("intermediate_values")).items():
            parts.append({"op_code": 7, "step": int(step), "intermediate_value": value})
        for part in parts:
            self._update(key, trial, part, offset)
        if state != WAITING:
            value = operation.get("value")
            values = operation.get("values") or (None if value is None else [value])
            self._change(key, trial, {**operation, "values": values}, state, offset)

    def _update(self, key: str, trial: dict[str, Any], operation: Mapping[str, Any], offset: int) -> None:
        code = operation["op_code"]
        if code == 6:
            self._change(key, trial, operation, STATES[operation["state"]], offset)
        elif trial["state"] == WAITING:
            trial["waiting"].append(dict(operation))
        elif code == 5:
            self._param(trial, operation, offset)
        elif code == 7:
            step, value = int(operation["step"]), operation["intermediate_value"]
            trial["step"] = max(trial["step"], step)
            number = math.nan if value is None else number_of(value)
            if number is not None:
                self.found.point(INTERMEDIATE, step, number, run=self._run(trial), offset=offset)
        else:
            for name, value in operation["user_attr"].items():
                self._say(attribute(str(name), value, self._run(trial)), offset)

    def _param(self, trial: Mapping[str, Any], operation: Mapping[str, Any], offset: int) -> None:
        """A parameter, unless it contradicts the first trial that had it: then Optuna ignores it as well."""
        name, distribution = str(operation["param_name"]), operation["distribution"]
        spaces = self.studies[trial["study"]]["spaces"]
        if spaces.setdefault(name, shape(distribution)) != shape(distribution):
            return
        value = external(operation["param_value_internal"], distribution)
        self._say(Fact("param", value, name, run=self._run(trial)), offset)

    def _change(
        self, key: str, trial: dict[str, Any], operation: Mapping[str, Any], state: str, offset: int
    ) -> None:  # fmt: skip
        """A trial begins or ends; what it said while it waited is told now."""
        run, before = self._run(trial), trial["state"]
        if state == before:
            return
        trial["state"] = state
        if state == WAITING:
            return
        study = self._as_study(trial)
        if before == WAITING:
            for fact in beginning(study, trial["number"], run):
                self._say(fact, offset)
            waiting, trial["waiting"] = trial["waiting"], []
            for told in waiting:
                self._update(key, trial, told, offset)
        started, ended = (local_seconds(operation.get(name)) for name in ("datetime_start", "datetime_complete"))
        if started is not None:
            self._say(Fact("started", started, run=run), offset)
        if ended is not None:
            self._say(Fact("ended", ended, run=run), offset)
        numbers = {i: number_of(value) for i, value in enumerate(list_of(operation.get("values")))}
        values = {i: number for i, number in numbers.items() if number is not None}
        final_values(self.found, study, values, step=trial["step"], wall=ended, run=run, offset=offset)
        for fact in ending(state, run):
            self._say(fact, offset)
        if state not in OPEN:
            del self.open[key]

    def _as_study(self, trial: Mapping[str, Any]) -> Study:
        study = self.studies[trial["study"]]
        return Study(study["name"], study["directions"], study["metrics"])

    def _run(self, trial: Mapping[str, Any]) -> str:
        return native_id(self.path, self.studies[trial["study"]]["name"], trial["number"])

    def _say(self, fact: Fact, offset: int) -> None:
        self.found.facts.append(Fact(fact.kind, fact.value, fact.key, fact.wall, offset, fact.run))
