"""Which parameters matter for the main metric, how sure that is, and which way to turn them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from workbench.analysis.importance import SURE, Importance, ImportanceError, Importances, importance_of
from workbench.core import units
from workbench.core.compare_columns import varying_params
from workbench.core.model import Roles
from workbench.core.query import Query
from workbench.panels.chosen import Chosen, choose, metric_values, read_column, value_choice
from workbench.panels.parts import that_fit
from workbench.panels.shapes import number
from workbench.plugin.api import Block, Cell, Choice, Column, Empty, Fit, Focus, Note, Panel, Stack, Table

_BAR = 16
_POOR = 0.1


class ImportanceData(Struct, frozen=True):
    """What was found, or why nothing can be."""

    chosen: Chosen = field(default_factory=Chosen)
    roles: Roles = field(default_factory=Roles)
    found: Importances | None = None
    reason: str = ""
    running: int = 0
    """Runs that were left out because their values still change."""


class ImportancePanel(Panel):
    """Options: `value` is what stands for a metric."""

    name = "importance"
    title = "Importance"
    key = "I"
    follows_metric = True

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> ImportanceData:
        """Grow the forest in a process of its own, unless these very values were asked about before."""
        chosen = choose(query, focus)
        ended = [run for run in chosen.runs if run.status != "running"]
        running = len(chosen.runs) - len(ended)
        chosen = replace(chosen, runs=ended)
        if chosen.metric is None:
            return ImportanceData(chosen, reason="these runs have logged no metric", running=running)
        roles = query.roles(chosen.metric)
        target = read_column(query, chosen, f"metric:{chosen.metric}", self._clock())
        columns = varying_params(ended, metric_values(query, chosen), query.roles)
        try:
            return ImportanceData(chosen, roles, importance_of(columns, target), running=running)
        except ImportanceError as error:
            return ImportanceData(chosen, roles, reason=str(error), running=running)

    def view(self, data: ImportanceData, fit: Fit) -> Block:
        """A row for each parameter, and what the figures are worth."""
        if data.found is None:
            more = f" {data.running} runs are still under way." if data.running else ""
            reason = f"{data.reason[:1].upper()}{data.reason[1:].rstrip('.')}.{more}"
            return Empty("No importance yet", f"{reason} Mark more runs with `[[runs.mark]]`, or take away the filter.")
        table = _table(data, data.found, fit)
        notes: list[Block] = [Note(text, tone) for text, tone in _remarks(data, data.found)]  # type: ignore[arg-type]
        return Stack([table, *notes], self.title)

    def choices(self, data: ImportanceData) -> Sequence[Choice]:
        """What stands for the metric."""
        return (value_choice(data.chosen.at, data.chosen.runs),)

    def to_json(self, data: ImportanceData) -> dict[str, Any]:
        """The parameters with both measures and their uncertainty, or the reason why there are none."""
        shape: dict[str, Any] = {
            "metric": data.chosen.metric,
            "direction": data.roles.direction,
            "value": data.chosen.at.option,
            "runs": len(data.chosen.runs),
            "reason": data.reason,
            "explained": None,
            "params": [],
            "changed_together": [],
        }
        if data.found is None:
            return shape
        return {
            **shape,
            "runs": data.found.runs,
            "explained": number(data.found.explained),
            "params": [_shape(each) for each in data.found.params],
            "changed_together": [list(pair) for pair in data.found.together],
        }


def _table(data: ImportanceData, found: Importances, fit: Fit) -> Table:
    columns = [
        Column("param", "parameter", priority=0),
        Column("bar", "importance", width=_BAR, priority=3),
        Column("loss", "forest loses", align="right", priority=0),
        Column("rank", "rank corr.", align="right", priority=0),
        Column("interval", "95 %", align="right", priority=4),
        Column("p", "p", "p", "right", priority=1),
        Column("better", f"better {data.chosen.metric}", priority=0),
        Column("n", "runs", align="right", priority=5),
    ]
    most = max(each.loss for each in found.params)
    rows = [_row(each, most, data, found, fit) for each in found.params]
    kept = that_fit(columns, rows, fit)
    title = f"What matters for {data.chosen.metric}, {data.chosen.at.words}"
    ids = [each.key for each in found.params]
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title, ids)


def _row(each: Importance, most: float, data: ImportanceData, found: Importances, fit: Fit) -> list[Cell]:
    clear = each.loss > 2 * each.error and found.explained > _POOR
    share = max(each.loss, 0.0) / most if most > 0 else 0.0
    filled = round(share * _BAR)
    bar = ("█" if fit.unicode else "#") * filled
    loss = f"{units.number(round(each.loss, 3), 2)} ±{units.number(round(2 * each.error, 3), 2)}"
    interval = "" if each.rank_low is None else f"{each.rank_low:+.2f} … {each.rank_high:+.2f}"
    rank = units.UNKNOWN if each.rank is None else f"{each.rank:.2f}" if each.rank_low is None else f"{each.rank:+.2f}"
    sure = each.p is not None and each.p < SURE
    return [
        Cell(each.key.removeprefix("param:")),
        Cell(each.loss, "accent" if clear else "dim", text=bar or " "),
        Cell(each.loss, "" if clear else "dim", text=loss),
        Cell(each.rank, "" if sure else "dim", text=rank), Cell(None, "dim", text=interval or " "),
        Cell(each.p, "" if sure else "dim"),
        Cell(_which(each, data.roles, sure=sure, clear=clear), "" if sure or clear else "dim"),
        Cell(each.n, "dim"),
    ]  # fmt: skip


def _which(each: Importance, roles: Roles, *, sure: bool, clear: bool) -> str:
    """Which way a parameter goes with better values; one that matters without a way has its best in between."""
    if not sure:
        return f"around {each.around:g}" if clear and each.around is not None else "not clear"
    if each.best:
        return f"with {each.best}"
    if roles.direction is None or each.rank is None:
        return "which way is better is unknown"
    return f"with {'higher' if (each.rank > 0) == (roles.direction == 'higher') else 'lower'}"


def _remarks(data: ImportanceData, found: Importances) -> list[tuple[str, str]]:
    """What the figures are worth, in plain words."""
    told = f"{units.percent(found.explained)} of the order of unseen runs" if found.explained > 0 else "nothing"
    remarks = []
    if found.explained <= _POOR:
        remarks.append(
            (
                f"The forest explains {told}: do not read its importances, there are too few runs, or other causes.",
                "warn",
            )
        )
    else:
        remarks.append(
            (
                f"A random forest on {found.runs} runs explains {told}. “Loses” is what it loses with the parameter "
                "shuffled, ± two standard errors over runs and forests.",
                "dim",
            )
        )
    remarks.append(
        ("Rank corr. is Spearman's; p is by permutation and adjusted for the number of parameters (Holm).", "dim")
    )
    for one, other in found.together[:3]:
        names = one.removeprefix("param:"), other.removeprefix("param:")
        remarks.append((f"{names[0]} and {names[1]} were changed together: nothing tells one from the other.", "warn"))
    if data.running:
        remarks.append((f"{data.running} runs under way are left out.", "dim"))
    return remarks


def _shape(each: Importance) -> dict[str, Any]:
    return {
        "param": each.key.removeprefix("param:"), "importance": number(each.loss), "error": number(each.error),
        "rank_correlation": number(each.rank), "interval": [number(each.rank_low), number(each.rank_high)],
        "p": number(each.p), "runs": each.n,
        "best": each.best or number(each.around),
    }  # fmt: skip
