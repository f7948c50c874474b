"""A study as blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.plugin.api import Block, Cell, Column, Columns, Empty, Fit, Line, Lines, Note, Stack, Stat, Table, Tone
from workbench_optuna.coordinates import coordinates
from workbench_optuna.importance import is_number
from workbench_optuna.model import STATES, Importance, Importances, OptunaData, Study, StudyData, Trial
from workbench_optuna.ranking import best_first, best_so_far, complete, pareto_front

TRIALS = 10
_TONES: dict[str, Tone] = {"complete": "good", "pruned": "dim", "failed": "bad", "running": "accent"}
_NOTHING = Empty(
    "No Optuna study in this project",
    "A study's storage is read where it lies: create_study(storage='sqlite:///study.db') or a journal file, "
    "JournalStorage(JournalFileBackend('journal.log')), anywhere below this folder.",
)


def optuna_block(data: OptunaData, fit: Fit) -> Block:
    """Studies in full, then the others in a table."""
    if not data.studies:
        return _NOTHING
    blocks: list[Block] = [_study(each, fit) for each in data.studies]
    if data.others:
        blocks.append(_others(data.others))
    if len(blocks) == 1:
        return blocks[0]
    return Stack(blocks, "Optuna")


def _study(data: StudyData, fit: Fit) -> Stack:
    study = data.study
    several = len(study.objectives) > 1
    blocks: list[Block] = [_counts(study)]
    if not complete(study):
        blocks.append(Note("No trial is complete yet.", "dim"))
    else:
        blocks += _fronts(study) if several else [_course(study)]
    blocks += _parameters(data)
    blocks += _coordinates(data, fit)
    blocks += _trials(study)
    return Stack(blocks, f"{study.name}: {_wanted(study)} ({study.storage})")


def _wanted(study: Study) -> str:
    pairs = zip(study.objectives, study.directions, strict=True)
    return ", ".join(f"{way} {name}" for name, way in pairs) or "no objective is known yet"


def _counts(study: Study) -> Block:
    """How many trials there are in each state, and the best."""
    tones: dict[str, Tone] = {"failed": "bad", "running": "accent"}
    stats = [Stat("trials", float(len(study.trials)))]
    for state in STATES:
        n = study.count(state)
        if n or state in ("complete", "pruned"):
            stats.append(Stat(state, float(n), tone=tones.get(state, "") if n else ""))
    best = [] if len(study.objectives) != 1 else best_first(study)[:1]
    if best:
        stats.append(Stat(f"best {study.objectives[0]}, trial {best[0].number}", best[0].values[0], tone="good"))
    return Columns(stats)


def _course(study: Study) -> Lines:
    """What each trial gave, and the best of all up to it."""
    trials = [trial for trial in study.trials if trial.state == "complete" and trial.values]
    values = [trial.values[0] for trial in trials]
    x = np.array([trial.number for trial in trials], np.float64)
    every = np.array([math.nan if value is None else value for value in values])
    best = np.array(best_so_far(values, study.directions[0]))
    lines = [Line("each trial", x, every, color=7), Line("best so far", x, best, color=2)]
    return Lines(lines, f"{study.objectives[0]} by trial", "trial", log_y=_is_wide(every))


def _is_wide(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Whether positive values span so much that only a logarithmic axis shows the good ones."""
    finite = values[np.isfinite(values)]
    return bool(len(finite) and finite.min() > 0 and finite.max() / finite.min() > 1_000)


def _fronts(study: Study) -> list[Block]:
    """Trials that no other beats, as a curve where there are two objectives, and as a table."""
    front = pareto_front(study)
    blocks: list[Block] = []
    finite = [trial for trial in front if all(value is not None and math.isfinite(value) for value in trial.values)]
    if len(study.objectives) == 2 and len(finite) > 1:
        x, y = (np.array([trial.values[at] for trial in finite], np.float64) for at in (0, 1))
        others = [trial for trial in complete(study) if trial not in front]
        lines = [*([_cloud(others)] if others else []), Line("Pareto front", x, y, color=2)]
        blocks.append(Lines(lines, "Pareto front", study.objectives[0], study.objectives[1]))
    blocks.append(_trial_table(study, front[:TRIALS], _titled(front, "Pareto front"), [""] * len(front)))
    return blocks


def _cloud(trials: Sequence[Trial]) -> Line:
    """Trials that are no line: a dot each, since points that are nowhere break the line between them."""
    x, y = (np.array([trial.values[at] for trial in trials], np.float64) for at in (0, 1))
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    gaps = np.full(len(x), math.nan)
    return Line("other trials", np.stack([x, gaps], axis=1).ravel(), np.repeat(y, 2), color=7)


def _titled(trials: Sequence[Trial], what: str) -> str:
    return what if len(trials) <= TRIALS else f"{what}: the first {TRIALS} of {len(trials)}"


def _parameters(data: StudyData) -> list[Block]:
    """Importance of each parameter, a table an objective."""
    known = [each for each in data.importances if each.params]
    if not known:
        return [Note(f"Importance: {each.remark}.", "dim") for each in data.importances[:1] if each.remark]
    best = best_first(data.study)[:1] if len(data.study.objectives) == 1 else []
    blocks: list[Block] = []
    for found in known:
        title = "Parameters" if len(known) == 1 else f"Parameters, for {found.objective}"
        blocks += [_parameter_table(data.study, found, best, title), Note(_trust(found), "dim")]
    return blocks


def _parameter_table(study: Study, found: Importances, best: Sequence[Trial], title: str) -> Table:
    columns = [
        Column("param", "parameter", priority=0),
        Column("share", "importance", "share", "right", priority=0),
        Column("strength", "by ranks", "", "right", priority=1),
        Column("rank", "correlation", "", "right", priority=2),
        *([Column("best", "best trial's", "", "right", priority=1)] if best else []),
        Column("range", "tried", priority=3),
    ]
    fixed = [name for name in study.params if name not in {each.param for each in found.params}]
    rows = [_parameter(study, each, best) for each in (*found.params, *map(Importance, fixed))]
    return Table(columns, rows, title)


def _parameter(study: Study, own: Importance, best: Sequence[Trial]) -> list[Cell]:
    values = [trial.params[own.param] for trial in study.trials if own.param in trial.params]
    return [
        Cell(own.param),
        Cell(own.share),
        Cell(_rounded(own.strength)),
        Cell(_rounded(own.rank)),
        *(_value(trial.params.get(own.param)) for trial in best),
        Cell(_range(values)),
    ]


def _order(data: StudyData) -> list[str]:
    """Parameters, the most important for the first objective first, then those that never varied."""
    first = [each.param for found in data.importances for each in found.params]
    return list(dict.fromkeys([*first, *data.study.params]))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _value(value: Any) -> Cell:
    return Cell(value) if value is None or isinstance(value, str | int | float | bool) else Cell(str(value))


def _range(values: Sequence[Any]) -> str:
    """What was tried, in words."""
    if values and all(is_number(value) for value in values):
        finite = [value for value in values if math.isfinite(value)]
        return f"{min(finite):.4g} to {max(finite):.4g}" if finite else "–"
    choices = sorted({str(value) for value in values})
    return ", ".join(choices[:5]) + (", …" if len(choices) > 5 else "")


def _trust(found: Importances) -> str:
    """What the figures are made from, and how far they can be believed."""
    if found.remark:
        return f"By ranks of {found.trials} complete trials alone: {found.remark}."
    return (
        "Importance is a parameter's share of the variance by itself; what is missing to 100 % is of several together. "
        f"The forest of {found.trials} trials explains {found.explained:.0%} of trials it has not seen."
    )


def _coordinates(data: StudyData, fit: Fit) -> list[Block]:
    """As many trials as can still be told apart."""
    varied = [name for name in _order(data) if _varies(data.study, name)]
    drawn = coordinates(data.study, varied, min(max(fit.columns // 10, 4), 15))
    if drawn is None:
        return []
    lines, words = drawn
    return [lines, Note("Axes: " + " · ".join(words) + ".", "dim")]


def _varies(study: Study, param: str) -> bool:
    return len({repr(trial.params.get(param)) for trial in study.trials if trial.state == "complete"}) > 1


def _trials(study: Study) -> list[Block]:
    """The best trials, then those that run and those that failed or were pruned last."""
    best = best_first(study)[:TRIALS] if len(study.objectives) == 1 else []
    going = [trial for trial in study.trials if trial.state == "running"][-TRIALS:]
    ended = [trial for trial in study.trials if trial.state in ("pruned", "failed")][-max(TRIALS // 2, 1) :]
    shown = [*best, *going, *reversed(ended)]
    place = [str(at + 1) for at in range(len(best))] + [""] * (len(shown) - len(best))
    title = f"Trials: {len(shown)} of {len(study.trials)}" if len(shown) < len(study.trials) else "Trials"
    return [_trial_table(study, shown, title, place)] if shown else []


def _trial_table(study: Study, trials: Sequence[Trial], title: str, places: Sequence[str]) -> Table:
    columns = [
        Column("place", "", "", "right", priority=2),
        Column("trial", "trial", "", "right", priority=0),
        Column("state", "state", priority=0),
        *(Column(f"value{at}", name, "", "right", priority=0) for at, name in enumerate(study.objectives)),
        *(Column(f"param:{name}", name, "", "right", priority=3 + at) for at, name in enumerate(study.params)),
        Column("seconds", "took", "duration", "right", priority=1),
        Column("step", "last step", "", "right", priority=2),
    ]
    rows = [_trial_row(study, trial, place) for trial, place in zip(trials, places, strict=False)]
    return Table(columns, rows, title, [trial.run for trial in trials][: len(rows)])


def _trial_row(study: Study, trial: Trial, place: str) -> list[Cell]:
    return [
        Cell(place or None, text=place or " "),
        Cell(trial.number),
        Cell(trial.state, _TONES[trial.state]),
        *(Cell(value) for value in trial.values),
        *(_value(trial.params.get(name)) for name in study.params),
        Cell(trial.seconds),
        Cell(trial.last_step),
    ]


def _others(studies: Sequence[Study]) -> Table:
    """Studies that are not shown in full; a row opens its newest trial, and with it the study."""
    columns = [
        Column("study", "other studies", priority=0),
        Column("trials", "trials", "", "right", priority=0),
        Column("complete", "complete", "", "right", priority=2),
        Column("best", "best", "", "right", priority=1),
        Column("wanted", "wanted", priority=3),
        Column("storage", "storage", priority=4),
    ]
    rows, ids = [], []
    for study in studies:
        best = best_first(study)[:1] if len(study.objectives) == 1 else []
        rows.append([
            Cell(study.name), Cell(len(study.trials)), Cell(study.count("complete")),
            Cell(best[0].values[0] if best else None), Cell(_wanted(study)), Cell(study.storage),
        ])  # fmt: skip
        ids.append(study.trials[-1].run)
    return Table(columns, rows, "", ids)
