"""A study as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench_optuna.model import STATES, StudyData, Trial
from workbench_optuna.ranking import best_first, pareto_front


def study_shape(data: StudyData) -> dict[str, Any]:
    """Objectives, counts, trials, the best of one objective or the front of several, and importances."""
    study = data.study
    several = len(study.objectives) > 1
    best = [] if several else best_first(study)[:1]
    return {
        "study": study.name,
        "storage": study.storage,
        "objectives": dict(zip(study.objectives, study.directions, strict=True)),
        "counts": {state: study.count(state) for state in STATES},
        "best": _trial(best[0]) if best else None,
        "pareto_front": [trial.number for trial in pareto_front(study)] if several else None,
        "importances": [asdict(each) for each in data.importances],
        "trials": [_trial(trial) for trial in study.trials],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "run": trial.run, "number": trial.number, "state": trial.state, "values": list(trial.values),
        "params": dict(trial.params), "seconds": trial.seconds,
    }  # fmt: skip
