"""The panel: one study in full, the others by name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from workbench.plugin.api import Block, Fit, Focus, Panel, Query
from workbench_optuna.importance import Shares, Table, asked_worker, importances
from workbench_optuna.model import Importances, OptunaData, Study, StudyData
from workbench_optuna.ranking import complete
from workbench_optuna.shapes import study_shape
from workbench_optuna.studies import Goals, Place, goals_of, optuna_runs, study_of
from workbench_optuna.views import optuna_block

IN_REPORT = 3
"""Studies shown in full where no run is looked at, the newest first."""
_KEPT = 32


class OptunaPanel(Panel):
    """A study: its trials, the best so far, which parameters matter, and the Pareto front of several objectives."""

    name = "optuna"
    title = "Optuna"
    key = "O"

    def __init__(self, ask: Callable[[Table], Shares] | None = None) -> None:
        """`ask` fits the forest of the importances; by default a process of its own does."""
        self._ask = ask or asked_worker
        self._goals: tuple[frozenset[Place], Goals] = (frozenset(), {})
        self._known: OrderedDict[tuple[Any, ...], Sequence[Importances]] = OrderedDict()
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
        return OptunaData([StudyData(study, self._importances(study)) for study in studies], others)

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

    def _importances(self, study: Study) -> Sequence[Importances]:
        """One an objective, from memory while no trial was completed."""
        key = (
            study.storage,
            study.name,
            tuple(study.objectives),
            tuple((trial.run, tuple(trial.values)) for trial in complete(study)),
        )
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = [importances(study, at, self._ask) for at in range(len(study.objectives))]
            with self._lock:
                self._known[key] = known
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return known
