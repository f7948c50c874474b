"""What a run logged of its own GPUs: the curves that are there on a machine without one, too.

Names are those of W&B (`system/gpu.0.temp`), MLflow (`system/gpu_0_utilization_percentage`), trackio
(`system/gpu/0/power`) and of scripts that follow their example.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from workbench.plugin.api import Query, Run, Series
from workbench_gpu.model import Logged

POINTS = 400
RUNS = 20
"""Newest runs among which one with such metrics is sought, where none is looked at."""
_GPU = re.compile(r"(?:^|[/._ ])gpus?(?:[._/ -]?(\d+))?(?:[._/ -]+(.*))?$", re.I)
_FIGURES = (
    ("temperature", re.compile(r"temp")),
    ("power", re.compile(r"power(?!.*(percent|limit|%))|watts?$")),
    ("memory", re.compile(r"mem(?=.*(percent|%|alloc|usage|used?$|util))(?!.*(byte|[mg]i?b$|megabyte|gigabyte))")),
    ("utilization", re.compile(r"util|busy|load|^gpu$|^$")),
)


def figure_of(key: str) -> tuple[str, str] | None:
    """(figure, GPU) of a metric's key, or None where it is about no GPU: `("power", "GPU 0")`."""
    if ".process." in key.lower():
        return None
    found = _GPU.search(key)
    if found is None:
        return None
    rest = (found[2] or "").lower()
    name = f"GPU {found[1]}" if found[1] else "GPU"
    return next(((figure, name) for figure, pattern in _FIGURES if pattern.search(rest)), None)


def logged_by(query: Query, runs: Sequence[Run]) -> Logged | None:
    """What the first of the runs that logged anything of a GPU logged of it."""
    for run in runs:
        found: dict[str, dict[str, Series]] = defaultdict(dict)
        for key in run.metrics:
            if place := figure_of(key):
                found[place[0]].setdefault(place[1], query.series(run.id, key, POINTS))
        if found:
            return Logged(run, {figure: sorted(series.items()) for figure, series in found.items()})
    return None
