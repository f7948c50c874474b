"""The tables of a comparison: metrics by runs or runs by metrics, and the parameters that differ."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core import units
from workbench.core.compare import MetricRow, ParamRow
from workbench.core.model import Run
from workbench.panels.parts import labels_of, param_cell, that_fit, value_cell
from workbench.plugin.api import Cell, Column, Fit, Table

_LEAST = 6
"""Columns of a terminal that a run takes at least."""

SAME = "≈"
"""Marks a change that another seed may have made."""


def fits_upright(runs: Sequence[Run], rows: Sequence[MetricRow], fit: Fit) -> bool:
    """Whether a column for each run has room beside the names of the metrics."""
    if len(runs) * _LEAST > fit.columns:
        return False
    table = upright(runs, None, rows, fit, all_columns=True)
    return len(that_fit(table.columns, table.rows, fit)) > len(runs)


def upright(
    runs: Sequence[Run], baseline: Run | None, rows: Sequence[MetricRow], fit: Fit, *, all_columns: bool = False
) -> Table:
    """Metrics by runs; behind them, where there is room, the best run and what is noise."""
    names = labels_of(runs)
    columns = [Column("key", "metric", priority=0), *_run_columns(runs, names, baseline)]
    noisy, ranked = any(row.noise for row in rows), len(runs) > 2 and any(row.best is not None for row in rows)
    extra = ([Column("best", "best", priority=len(runs) + 1)] if ranked else []) + (
        [Column("noise", "noise ±", align="right", priority=len(runs) + 2)] if noisy else []
    )
    cells = [
        [
            Cell(row.key),
            *(metric_cell(row, at) for at in range(len(runs))),
            *([Cell(None if row.best is None else names[row.best])] if ranked else []),
            *([_noise_cell(row)] if noisy else []),
        ]
        for row in rows
    ]
    columns = [*columns, *extra]
    return _kept(columns, cells, "", fit, [f"metric:{row.key}" for row in rows], every=all_columns)


def lying(runs: Sequence[Run], baseline: Run | None, rows: Sequence[MetricRow], fit: Fit) -> Table:
    """Runs by metrics, for more runs than have room side by side; the metrics on the right give way first."""
    names = labels_of(runs)
    columns = [
        Column("run", "run", priority=0),
        *(Column(row.key, row.key, row.roles.unit, "right", priority=min(at, 1) + at) for at, row in enumerate(rows)),
    ]
    cells = [
        [Cell(name, text=_marked(name, run, baseline)), *(metric_cell(row, at, own_unit=False) for row in rows)]
        for at, (run, name) in enumerate(zip(runs, names, strict=True))
    ]
    return _kept(columns, cells, "", fit, [run.id for run in runs])


def params_table(runs: Sequence[Run], baseline: Run | None, params: Sequence[ParamRow], fit: Fit) -> Table:
    """Parameters that differ by runs, or runs by parameters where runs have no room side by side."""
    names = labels_of(runs)
    columns = [Column("key", "parameter", priority=0), *_run_columns(runs, names, baseline)]
    cells = [[Cell(row.key), *(_param(row, at, baseline, runs) for at in range(len(runs)))] for row in params]
    if len(that_fit(columns, cells, fit)) == len(columns):
        return Table(columns, cells, "Parameters that differ")
    columns = [
        Column("run", "run", priority=0),
        *(Column(row.key, row.key, align="right", priority=at + 1) for at, row in enumerate(params)),
    ]
    cells = [
        [Cell(name, text=_marked(name, run, baseline)), *(_param(row, at, baseline, runs) for row in params)]
        for at, (run, name) in enumerate(zip(runs, names, strict=True))
    ]
    return _kept(columns, cells, "Parameters that differ", fit, [run.id for run in runs])


def metric_cell(row: MetricRow, at: int, *, own_unit: bool = True) -> Cell:
    """A run's value with its change; a change within noise is marked and has no judgement."""
    cell = value_cell(row.values[at], row.deltas[at], row.roles.unit if own_unit else None)
    if not row.within_noise[at]:
        return cell
    return Cell(cell.value, "dim", cell.delta, text=f"{SAME} {units.value(row.values[at], row.roles.unit)}")


def _run_columns(runs: Sequence[Run], names: Sequence[str], baseline: Run | None) -> list[Column]:
    """One column a run; those on the right give way first."""
    return [
        Column(run.id, _marked(name, run, baseline), align="right", priority=at)
        for at, (run, name) in enumerate(zip(runs, names, strict=True))
    ]


def _marked(name: str, run: Run, baseline: Run | None) -> str:
    return f"{name} ◆" if baseline is not None and run.id == baseline.id else name


def _param(row: ParamRow, at: int, baseline: Run | None, runs: Sequence[Run]) -> Cell:
    """A value; one that is the baseline's stands back."""
    cell = param_cell(row.values[at]) if row.present[at] else Cell(None, "dim", text="not set")
    base = next((place for place, run in enumerate(runs) if baseline is not None and run.id == baseline.id), None)
    if base is None or base == at or not row.present[at]:
        return cell
    same = row.present[base] and row.values[base] == row.values[at]
    return Cell(cell.value, "dim", text=cell.text) if same else cell


def _noise_cell(row: MetricRow) -> Cell:
    if row.noise is None:
        return Cell(None)
    return Cell(row.noise.threshold, "dim", text=units.value(row.noise.threshold, row.roles.unit))


def _kept(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], title: str, fit: Fit, ids: Sequence[str],
    *, every: bool = False,
) -> Table:  # fmt: skip
    kept = range(len(columns)) if every else that_fit(columns, rows, fit)
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title, ids)
