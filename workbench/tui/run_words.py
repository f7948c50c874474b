"""Runs in a line of words: how many in which states, and one run with its reason, tags and params."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core import units
from workbench.core.blocks import Cell, Column, Tone
from workbench.core.model import Run
from workbench.core.status import STATE_MARKS
from workbench.tui.bars import Piece
from workbench.tui.cells import cell_text
from workbench.tui.rows import EXACT, RunRows
from workbench.tui.session import ViewState

EMPTY_HINT = """\
Start a training anywhere below this folder: JSON lines, CSV and TensorBoard files are found by themselves.

From Python:
│ import workbench
│ run = workbench.init(params={"lr": 1e-3})
│ run.log({"train/loss": loss}, step=step)

To look around first, leave with [[app.quit]] and run `workbench demo`.
A log is not found? `workbench detect FILE` says what it is taken for."""
"""What to do where there is no run."""


def summary(rows: RunRows, shown: int, view: ViewState, sets_baseline: str) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """Left: runs by state, marks, the filter. Right: the baseline, or the key that sets one."""
    runs, states = rows.snapshot.runs, rows.states
    total = count(len(runs), "run")
    left = [Piece(f" {total}" if shown == len(runs) else f" {shown:,} of {total}")]
    for state in ("running", "failed", "lost", "quiet"):
        if states[state]:
            left.append(Piece(f" · {states[state]:,} {state}", STATE_MARKS[state][2], keep=3))
    if view.marks:
        left.append(Piece(f" · {len(view.marks)} marked", "accent", keep=2))
    if view.where:
        left.append(Piece(f" · filter: {view.where}", "warn", "filter"))
    base = rows.by_id.get(rows.snapshot.baseline or "")
    none = f"no baseline, {sets_baseline} sets it" if runs else ""
    said = none if base is None else f"baseline {base.name or base.path}"
    return left, [Piece(f"{said} ", "dim", keep=4)]


def detail(run: Run) -> list[Piece]:
    """One run: why it is in its state, its tags, its last note, its params."""
    params = "  ".join(f"{key}={_param(value)}" for key, value in sorted(run.params.items()))
    tags = "  ".join(
        f"#{key}:{value}" if value and value != "true" else f"#{key}" for key, value in sorted(run.tags.items())
    )
    pieces = [Piece(f" {run.name or run.path}", "strong")]
    if run.diagnosis:
        tone: Tone = "bad" if run.attention == "bad" else "warn" if run.attention == "warn" else ""
        pieces.append(Piece(f"  ! {run.diagnosis}", tone))
    pieces.append(Piece(f"  {run.status_reason}", "dim"))
    if tags:
        pieces.append(Piece(f"  {tags}", "accent"))
    if run.notes:
        pieces.append(Piece(f"  “{run.notes[-1]}”"))
    return [*pieces, Piece(f"  {params}", "dim")]


def count(number: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _param(value: object) -> str:
    exact = units.logged(value)
    return (
        exact if 0 < len(exact) <= EXACT else units.number(value) if isinstance(value, float) else exact or str(value)
    )


def as_text(cell: Cell, column: Column) -> Cell:
    """A cell as the words it shows, for a painting that needs no data."""
    return Cell(None, cell.tone, cell.delta, text=cell_text(cell, column.unit, column.width or 12))
