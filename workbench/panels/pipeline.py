"""Pipeline: the stages of a run with their times and rows, and how long each took in the runs before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core import units
from workbench.core.model import Run, Stage
from workbench.core.query import Query
from workbench.panels.parts import labels_of, that_fit
from workbench.panels.shapes import number, stage_shape
from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Focus, Note, Panel, Stack, Table, Tone

STAGES = ("ingestion", "preprocessing", "training", "evaluation", "result logging")
"""The five steps of a training pipeline, in order; a run may log others too."""
_EARLIER = 8
_SLOWER = 1.5
_TONES: Mapping[str, Tone] = {"finished": "good", "failed": "bad", "running": "accent"}


class PipelineData(Struct, frozen=True):
    """A run's stages, and those of the runs before it."""

    run: Run | None = None
    stages: Sequence[Stage] = ()
    earlier: Sequence[Run] = ()
    earlier_stages: Mapping[str, Sequence[Stage]] = field(default_factory=dict)


class PipelinePanel(Panel):
    """Where the time of a training goes, and the rows."""

    name = "pipeline"
    title = "Pipeline"
    key = "0"

    def load(self, query: Query, focus: Focus) -> PipelineData:
        """The focused run's stages, or those of the newest run that logged any."""
        runs = list(query.runs(focus.where)) or list(query.runs())
        if focus.run is not None:
            runs = [*(run for run in runs if run.id == focus.run), *(run for run in runs if run.id != focus.run)]
        found = {run.id: stages for run in runs[: 4 * _EARLIER] if (stages := query.stages(run.id))}
        staged = [run for run in runs if run.id in found]
        if not staged:
            return PipelineData()
        return PipelineData(staged[0], found[staged[0].id], staged[1 : _EARLIER + 1], found)

    def view(self, data: PipelineData, fit: Fit) -> Block:
        """The five stages with their times and rows, then the same of earlier runs."""
        if data.run is None:
            return Empty(
                "No run logged its stages yet",
                'Log them: with run.stage("ingestion") as stage: stage.rows = len(table) – then `workbench show RUN`.',
            )
        blocks: list[Block] = [_stages(data, fit)]
        absent = [name for name in STAGES if name not in {stage.name for stage in data.stages}]
        if absent:
            blocks.append(Note(f"not logged: {', '.join(absent)}", "dim"))
        if data.earlier:
            blocks.append(_before(data, fit))
        return Stack(blocks, f"{self.title}: {data.run.name}")

    def to_json(self, data: PipelineData) -> Any:
        """The stages of the run and of those before it."""
        if data.run is None:
            return None
        return [
            {"run": run.id, "name": run.name, "stages": [stage_shape(each) for each in data.earlier_stages[run.id]]}
            for run in (data.run, *data.earlier)
        ]


def _took(stage: Stage) -> float | None:
    return None if stage.start is None or stage.end is None else number(stage.end - stage.start)


def _in_order(stages: Sequence[Stage]) -> list[Stage]:
    return sorted(stages, key=lambda stage: STAGES.index(stage.name) if stage.name in STAGES else len(STAGES))


def _stages(data: PipelineData, fit: Fit) -> Table:
    columns = [
        Column("stage", "stage", priority=0),
        Column("status", "state", priority=0),
        Column("took", "took", "duration", "right", priority=0),
        Column("share", "share", "share", "right", priority=2),
        Column("rows", "rows", "count", "right", priority=1),
        Column("speed", "rows/s", "count", "right", priority=3),
        Column("usual", "usually", "duration", "right", priority=2),
        Column("started", "started", "time", priority=4),
    ]
    known = [took for stage in data.stages if (took := _took(stage)) is not None]
    total = sum(known)
    rows = []
    for stage in _in_order(data.stages):
        took, usual = _took(stage), _usual(data, stage.name)
        slow: Tone = "warn" if took is not None and usual and took > _SLOWER * usual else ""
        speed = stage.rows / took if stage.rows is not None and took else None
        rows.append([
            Cell(stage.name), Cell(stage.status, _TONES.get(stage.status, "")), Cell(took, slow),
            Cell(took / total if took is not None and total else None), Cell(stage.rows), Cell(speed), Cell(usual),
            Cell(stage.start),
        ])  # fmt: skip
    kept = that_fit(columns, rows, fit)
    title = f"Stages, {units.duration(total)} in all" if known else "Stages"
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title)


def _usual(data: PipelineData, name: str) -> float | None:
    """The median time of a stage in the runs before."""
    found = sorted(
        took
        for run in data.earlier
        for stage in data.earlier_stages[run.id]
        if stage.name == name and (took := _took(stage)) is not None
    )
    return found[len(found) // 2] if found else None


def _before(data: PipelineData, fit: Fit) -> Table:
    names = list(dict.fromkeys([*STAGES, *(stage.name for stages in data.earlier_stages.values() for stage in stages)]))
    columns = [
        Column("run", "run", priority=0),
        *(Column(name, name, "duration", "right", priority=at + 1) for at, name in enumerate(names)),
    ]
    rows = []
    for run, label in zip(data.earlier, labels_of(data.earlier), strict=True):
        took = {stage.name: _took(stage) for stage in data.earlier_stages[run.id]}
        rows.append([Cell(label), *(Cell(took.get(name)) for name in names)])
    kept = that_fit(columns, rows, fit)
    return Table(
        [columns[at] for at in kept], [[row[at] for at in kept] for row in rows], "Runs before",
        [run.id for run in data.earlier],
    )  # fmt: skip
