"""What plugins cost that are only installed: listing them, and every start, import none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figures import Budget, Figure
from tests.bench.processes import WORKBENCH, Plan, in_turns, measured, middle

INSTALLED = 50
BUDGET = Budget("extra", 50)


def measure(plan: Plan) -> Sequence[Figure]:
    full, empty = _site(plan.scratch / "plugins-50", INSTALLED), _site(plan.scratch / "plugins-0", 0)
    sides = {
        f"{INSTALLED} plugins": lambda: measured([WORKBENCH, "plugins", "list"], PYTHONPATH=str(full)),
        "none": lambda: measured([WORKBENCH, "plugins", "list"], PYTHONPATH=str(empty)),
    }
    found = in_turns(plan, 4 * plan.rounds, sides)
    imported = list(full.glob("*.imported"))
    ours, peer = (1000 * middle(found[name]) for name in sides)
    note = "none is imported" if not imported else f"{len(imported)} were imported"
    return [Figure(f"workbench plugins list, {INSTALLED} installed", "ms", ours, peer, "none installed", BUDGET, note)]


def _site(folder: Path, count: int) -> Path:
    """A folder of installed packages, each with a panel and a long README in its metadata."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for at in range(count):
        name = f"bench_plugin_{at}"
        (folder / f"{name}.py").write_text(
            "from pathlib import Path\nPath(__file__).with_suffix('.imported').touch()\n"
        )
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n{'A long page. ' * 800}")
        (info / "entry_points.txt").write_text(f"[workbench.panels]\np{at} = {name}:Panel\n")
    return folder
