"""What a run logged besides numbers: histograms as heat maps, and the last lines of its output."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core import units
from workbench.core.histograms import common_edges, shares
from workbench.core.model import StepHistogram
from workbench.plugin.api import Block, ConsoleLine, Fit, Heat, Note, Stack

HISTOGRAMS = 4
"""Keys shown as heat maps; a model logs one for every layer."""
STEPS = 64
"""Steps asked of each: more than have room side by side."""
LINES = 20
"""Last lines of a run's output."""
_BINS = 10
_LABEL = 12
_CELL = 2


def histogram_heat(key: str, histograms: Sequence[StepHistogram], fit: Fit) -> Heat:
    """Shares of the counts by value, highest on top, and step; thinned evenly to the width, the last step kept."""
    room = max((fit.columns - _LABEL) // _CELL, 2)
    n = len(histograms)
    shown = [
        each for at, each in enumerate(histograms) if n <= room or (at + 1) * room // n != at * room // n
    ]  # fmt: skip
    edges = common_edges(shown, _BINS)
    if not len(edges):
        return Heat((), (), (), key)
    columns = [shares(each, edges) for each in shown]
    rows = range(_BINS - 1, -1, -1)
    least = "≥" if fit.unicode else ">="
    return Heat(
        [f"{least} {units.number(float(edges[row]), 3)}" for row in rows],
        [f"{each.step:,}" for each in shown],
        [[float(column[row]) for column in columns] for row in rows],
        f"{key}: share of values by step",
        low=0.0,
    )


def console_block(lines: Sequence[ConsoleLine]) -> Block:
    """Lines as they were printed, those of the error stream marked."""
    return Stack([Note(line.text, "warn" if line.stream == "err" else "") for line in lines], "Console, last lines")
