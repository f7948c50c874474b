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

Goals = Mapping[tuple[str, str], Direction]
"""Direction by study and objective."""


def optuna_runs(runs: Sequence[Run]) -> Mapping[tuple[str, str], Sequence[Run]]:
    """Runs by storage and study, the study with the newest trial first; each group as it comes."""
    found: dict[tuple[str, str], list[Run]] = defaultdict(list)
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
        f"""SELECT DISTINCT r.group_name, f.key, f.value FROM fact f JOIN run r ON r.id = f.run_id
        WHERE f.kind = 'goal' AND r.group_name IN ({marks})""",  # noqa: S608 - marks only
        list(names),
    ).rows
    found = {(str(group), str(key)): _GOALS.get(str(value).strip('"')) for group, key, value in rows}
    return {place: direction for place, direction in found.items() if direction and place[1] != INTERMEDIATE}


def study_of(name: str, runs: Sequence[Run], goals: Goals) -> Study:
    """A study from its runs; objectives without a known direction are minimised, as Optuna does by default."""
    known = sorted(key for group, key in goals if group == name)
    seen = sorted({key for run in runs for key in run.metrics if key != INTERMEDIATE and key.startswith("value")})
    objectives = known or seen
    directions = [goals.get((name, key), "minimize") for key in objectives]
    trials = sorted((_trial(run, objectives) for run in runs), key=lambda trial: (trial.number, trial.run))
    return Study(name, objectives, directions, trials)


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
