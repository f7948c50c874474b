"""The panel: one study in full, the others by name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.plugin.api import Block, Fit, Focus, Panel, Query
from workbench_optuna.importance import Ask, importances_of, prepared
from workbench_optuna.model import Importances, OptunaData, Study, StudyData
from workbench_optuna.ranking import complete
from workbench_optuna.shapes import study_shape
from workbench_optuna.studies import Goals, Place, goals_of, optuna_runs, study_of
from workbench_optuna.views import optuna_block

IN_REPORT = 3
"""Studies shown in full where no run is looked at, the newest first."""
_KEPT = 32
Key = tuple[Any, ...]


class OptunaPanel(Panel):
    """A study: its trials, the best so far, which parameters matter, and the Pareto front of several objectives."""

    name = "optuna"
    title = "Optuna"
    key = "Z"

    def __init__(self, ask: Ask | None = None) -> None:
        """`ask` fits the forests of the importances; by default a process of its own does."""
        self._ask = ask
        self._goals: tuple[frozenset[Place], Goals] = (frozenset(), {})
        self._known: OrderedDict[Key, Sequence[Importances]] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, query: Query, focus: Focus) -> OptunaData:
        """The study of the run that is looked at, else the newest ones."""
        groups = optuna_runs(query.runs(hidden=True))
        if not groups:
            return OptunaData()
        goals = self._goals_of(query, frozenset(groups))
        looked_at = next((key for key, runs in groups.items() if any(run.id == focus.run for run in runs)), None)
        shown = [looked_at] if looked_at else list(groups)[: 1 if focus.run else IN_REPORT]
        studies = [study_of(key, groups[key], goals) for key in shown]
        others = [study_of(key, runs, goals) for key, runs in groups.items() if key not in shown]
        return OptunaData(self._with_importances(studies), others)

    def view(self, data: OptunaData, fit: Fit) -> Block:
        """Counts and the best, the course, the parameters, parallel coordinates, and trials."""
        return optuna_block(data, fit)

    def to_json(self, data: OptunaData) -> list[dict[str, Any]]:
        """Each study with its trials, best, front and importances."""
        return [study_shape(each) for each in data.studies]

    def _goals_of(self, query: Query, places: frozenset[Place]) -> Goals:
        """What studies want, asked again when another study appears: it never changes in one."""
        with self._lock:
            known, goals = self._goals
        if places != known:
            goals = goals_of(query, sorted({name for _, name in places}))
            with self._lock:
                self._goals = places, goals
        return goals

    def _with_importances(self, studies: Sequence[Study]) -> list[StudyData]:
        """Studies with the importances of each objective, from memory while no trial was completed."""
        keys = [_key(study) for study in studies]
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        asked = [(key, study) for key, study in zip(keys, studies, strict=True) if key not in known]
        pairs = [(key, prepared(study, at)) for key, study in asked for at in range(len(study.objectives))]
        found: dict[Key, list[Importances]] = {key: [] for key, _ in asked}
        for (key, _), each in zip(pairs, importances_of([each for _, each in pairs], self._ask), strict=True):
            found[key].append(each)
        with self._lock:
            self._known.update(found)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        every: Mapping[Key, Sequence[Importances]] = {**known, **found}
        return [StudyData(study, every[key]) for key, study in zip(keys, studies, strict=True)]


def _key(study: Study) -> Key:
    """What the importances of a study follow from."""
    told = tuple((trial.run, tuple(trial.values)) for trial in complete(study))
    return study.storage, study.name, tuple(study.objectives), told
