"""Gates: what CI would say of this project now, the failing ones first; each opens what it was judged on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core import units
from workbench.core.config import Config
from workbench.core.gates import GateResult
from workbench.core.query import Query
from workbench.panels.parts import that_fit
from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Focus, Note, Panel, Stack, Table
from workbench.rules import evaluate_all

_COLUMNS = (
    Column("verdict", "", priority=0),
    Column("gate", "gate", priority=0),
    Column("value", "value", align="right", priority=1),
    Column("limit", "limit", align="right", priority=3),
    Column("check", "check", priority=2),
    Column("subject", "judged", priority=4),
)


class Judged(Struct, frozen=True):
    """What a gate was judged on: a panel, its focus, and words for it."""

    panel: str
    focus: Mapping[str, Any]
    words: str


class GatesData(Struct, frozen=True):
    """Results, failing ones first, and by gate what it was judged on."""

    results: Sequence[GateResult] = ()
    judged: Mapping[str, Judged] = field(default_factory=dict)


class GatesPanel(Panel):
    """The project's gates, judged on what the store holds."""

    name = "gates"
    title = "Gates"
    key = "i"
    in_report = False  # a report has them on top, whatever panels it shows

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> GatesData:
        """Judge every gate."""
        config, now = self._config, self._clock()
        results = evaluate_all(config.gates, query, baseline=focus.baseline, monitors=config.monitors, now=now)
        names = {run.id: run.name for run in query.runs()}
        found = {each.name: _judged_on(each, names) for each in results}
        return GatesData(results, {name: place for name, place in found.items() if place is not None})

    def view(self, data: GatesData, fit: Fit) -> Block:
        """A table, and below it why the failing ones fail."""
        if not data.results:
            return Empty("No gates yet", 'Write one: [gates] in workbench.toml, model = "best(val/accuracy) >= 0.9".')
        rows = [_row(each) for each in data.results]
        kept = that_fit(_COLUMNS, rows, fit)
        ids = [f"gate:{each.name}" for each in data.results]
        table = Table([_COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in rows], ids=ids)
        failing = [each for each in data.results if not each.passed]
        summary = f"{len(failing)} of {len(data.results)} gates fail" if failing else f"all {len(data.results)} pass"
        notes = [Note(f"{each.name}: {each.message}", "bad") for each in failing]
        return Stack([Note(summary, "bad" if failing else "good"), table, *notes], self.title)


def _judged_on(result: GateResult, names: Mapping[str, str]) -> Judged | None:
    """Where to look for what a gate was judged on; `names` are those of runs, by id."""
    if result.monitor:
        return Judged(result.panel, {"monitor": result.monitor}, result.monitor)
    return Judged("run", {"run": result.run}, names[result.run]) if result.run in names else None


def _row(result: GateResult) -> list[Cell]:
    tone = "good" if result.passed else "bad"
    return [
        Cell("passed" if result.passed else "FAILED", tone),  # type: ignore[arg-type]
        Cell(result.name),
        Cell(result.value, text=units.number(result.value)),
        Cell(result.limit, text=units.number(result.limit)),
        Cell(result.check),
        Cell(result.subject),
    ]
