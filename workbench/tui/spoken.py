"""What is seen, as a command line that prints the same: its filter, order, columns, runs and options."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from workbench.core import text
from workbench.core.model import Run
from workbench.core.query import Focus
from workbench.tui.session import ViewState

PROGRAM = "workbench"

_USUAL: Mapping[str, Any] = {"x": "step", "log_x": False, "log_y": False, "smooth": 0.0, "marker": "braille"}
"""View options that need no words; how the run table is sorted concerns no other view."""
_READS: Mapping[str, Sequence[str]] = {
    "run": ("run", "metric", "options"),
    "compare": ("run", "marked", "metric", "options"),
    "charts": ("run", "marked", "metric", "options"),
    "drift": ("monitor", "column", "window"),
    "windows": ("monitor",),
    "sources": (),
    "source": ("options",),
    "scoreboard": ("monitor", "metric"),
    "findings": ("monitor",),
    "latency": ("monitor",),
    "quality": ("monitor",),
    "pipeline": ("run", "where"),
    "plugins": (),
}
"""What the built-in views look at; others are told everything."""
_ALL = ("run", "marked", "where", "metric", "monitor", "column", "window", "options")


class Names(Struct, frozen=True):
    """How a command names runs: by name where that says which one, else by id."""

    by_id: Mapping[str, Run]

    def __call__(self, run_id: str) -> str:
        """The run's name, or its id where another run is called so or the name could steer a terminal."""
        run = self.by_id.get(run_id)
        if run is None or not run.name or run.name.startswith("-") or text.plain(run.name) != run.name:
            return run_id
        others = (each for each in self.by_id.values() if each is not run)
        taken = any(run.name in (each.id, each.name, each.path) for each in others)
        return run_id if taken else run.name


def line(words: Sequence[str], root: str = "") -> str:
    """Words as one line of a shell, for the project at `root` where that is not the folder one is in.

    No control character is left in it; line breaks stand in quotes alone, where a shell takes them as they are.
    """
    return text.plain(shlex.join([PROGRAM, *rooted(words, root)]), limit=100_000, multiline=True)


def rooted(words: Sequence[str], root: str, argument: Sequence[str] = ("runs", "sources")) -> list[str]:
    """Words with the project's folder: an argument of some commands, an option of the others."""
    if not root:
        return list(words)
    return [*words, root] if words[0] in argument else [*words, "--root", root]


def runs_words(view: ViewState, sort_key: str) -> list[str]:
    """`runs` with the filter, the order and the columns of the table."""
    words = ["runs"]
    words += ["--where", view.where] if view.where else []
    words += ["--all"] * view.hidden
    words += ["--sort", sort_key] if view.sort != "age" else []
    words += ["--desc"] * view.descending
    if view.columns is not None:
        words += ["--columns", ",".join(key.replace("\\", "\\\\").replace(",", "\\,") for key in view.columns)]
    words += ["--metric", view.metric] if view.metric else []
    return words


def compare_words(runs: Sequence[str], focus: Focus, names: Names) -> list[str]:
    """`compare` of these runs with the main metric; without runs the newest are compared."""
    return ["compare", *map(names, runs), *(["--metric", focus.metric] if focus.metric else [])]


def panel_words(panel: str, focus: Focus, names: Names) -> list[str]:
    """The command that prints a view: one of its own where that says everything, else `panel` with what it looks at."""
    unusual = _options(focus)
    if panel == "run" and focus.run and not unusual:
        return ["show", names(focus.run), *(["--metric", focus.metric] if focus.metric else [])]
    if panel == "compare" and len(focus.marked) > 1 and not unusual:
        return compare_words(focus.marked, focus, names)
    if panel == "windows" and focus.monitor:
        return ["monitor", focus.monitor]
    if panel == "sources":
        return ["sources"]
    reads = _READS.get(panel, _ALL)
    return ["panel", panel, *(word for part in reads for word in _part(part, focus, names))]


def _part(part: str, focus: Focus, names: Names) -> list[str]:
    if part == "options":
        return [word for name, value in _options(focus).items() for word in ("--option", f"{name}={_value(value)}")]
    if part == "marked":
        return [word for run_id in focus.marked for word in ("--mark", names(run_id))]
    value = getattr(focus, part)
    if not value:
        return []
    return [f"--{part}", names(value) if part == "run" else str(value)]


def _options(focus: Focus) -> dict[str, Any]:
    """Options that differ from what every view starts with."""
    return {
        name: value
        for name, value in focus.options.items()
        if name not in ("sort", "descending") and _USUAL.get(name) != value
    }


def _value(value: Any) -> str:
    """A value as `--option` reads it: a text in quotes only where it would be taken for something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)
