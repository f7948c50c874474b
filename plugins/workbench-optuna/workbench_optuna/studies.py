"""Studies from runs: a study is a group of runs that Optuna's readers made, a trial is one of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from workbench.plugin.api import Query, Run
from workbench_optuna.model import Direction, State, Study, Trial

INTERMEDIATE = "intermediate_value"
"""What a trial reports on the way, as the readers call it."""
_GOALS: Mapping[str, Direction] = {"min": "minimize", "max": "maximize"}
_NUMBER = re.compile(r"(\d+)$")

Place = tuple[str, str]
"""A study: its storage, relative to the project, and its name."""
Goals = Mapping[Place, Mapping[str, Direction]]
"""Direction by objective, of each study."""


def optuna_runs(runs: Sequence[Run]) -> Mapping[Place, Sequence[Run]]:
    """Runs by storage and study, the study with the newest trial first; each group as it comes."""
    found: dict[Place, list[Run]] = defaultdict(list)
    for run in runs:
        if run.format.startswith("optuna"):
            found[run.path, run.group].append(run)
    return found


def goals_of(query: Query, names: Sequence[str]) -> Goals:
    """What the studies want of their objectives."""
    if not names:
        return {}
    marks = ", ".join("?" * len(names))
    rows = query.sql(
        f"""SELECT DISTINCT r.path, r.group_name, f.key, f.value FROM fact f JOIN run r ON r.id = f.run_id
        WHERE f.kind = 'goal' AND r.group_name IN ({marks})""",  # noqa: S608 - marks only
        list(names),
    ).rows
    found: dict[Place, dict[str, Direction]] = defaultdict(dict)
    for path, group, key, value in rows:
        direction = _GOALS.get(str(value).strip('"'))
        if direction is not None and key != INTERMEDIATE:
            found[str(path), str(group)][str(key)] = direction
    return found


def study_of(place: Place, runs: Sequence[Run], goals: Goals) -> Study:
    """A study from its runs; objectives without a known direction are minimised, as Optuna does by default."""
    known = goals.get(place, {})
    seen = sorted({key for run in runs for key in run.metrics if key != INTERMEDIATE and key.startswith("value")})
    objectives = sorted(known) or seen
    directions: list[Direction] = [known.get(key, "minimize") for key in objectives]
    trials = sorted((_trial(run, objectives) for run in runs), key=lambda trial: (trial.number, trial.run))
    return Study(place[1], objectives, directions, trials, place[0])


def _trial(run: Run, objectives: Sequence[str]) -> Trial:
    number = _NUMBER.search(run.name)
    reported = run.metrics.get(INTERMEDIATE)
    values = [run.metrics[key].last if key in run.metrics else None for key in objectives]
    return Trial(
        run.id,
        int(number[1]) if number else -1,
        _state(run),
        values,
        dict(run.params),
        run.started_at,
        run.ended_at,
        reported.last_step if reported else None,
        reported.last if reported else None,
    )


def _state(run: Run) -> State:
    if "pruned" in run.tags:
        return "pruned"
    return {"finished": "complete", "failed": "failed"}.get(run.status, "running")  # type: ignore[return-value]
