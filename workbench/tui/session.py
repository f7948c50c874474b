"""The view kept from one start to the next, and the last rows seen, so that the first paint waits for nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from workbench.core.blocks import Cell, Column

if TYPE_CHECKING:
    from workbench.core.strokes import Marker  # numpy comes after the first paint

VERSION = 1
MARKERS: tuple[Marker, ...] = ("braille", "block", "dot", "ascii")
"""What curves can be drawn with."""
NEWEST = 100
"""Runs that are read first where nothing is remembered: more than any terminal has rows."""
PAINTED_ROWS = 60


class ViewState(Struct, frozen=True):
    """What the user looks at; changed only by the app, which tells the screen."""

    cursor: str | None = None
    marks: tuple[str, ...] = ()
    where: str = ""
    sort: str = "age"
    descending: bool = False
    columns: tuple[str, ...] | None = None
    """Extra columns by key (`param:lr`, `metric:loss`), in their order; None lets the table choose."""
    metric: str | None = None
    chart: bool | None = None
    """None follows the width of the terminal."""
    hidden: bool = False
    x: str = "step"
    log_y: bool = False
    smooth: float = 0.0
    monitor: str | None = None
    log_x: bool = False
    marker: str = "braille"
    """What curves are drawn with: `braille`, `block`, `dot` or `ascii`."""
    pinned: tuple[str, ...] = ()
    """Titles of the charts that stand first."""
    folded: tuple[str, ...] = ()
    """Groups of charts of which only the heading is shown."""
    chosen: tuple[str, ...] = ()
    """What was chosen of panels' options, each as `panel.option=value`."""
    widths: Mapping[str, int] = field(default_factory=dict)
    """Of columns that were made wider or narrower, by key."""
    screen: str = "runs"
    """The view that is open."""
    run: str | None = None
    """Id of the run that is open over it."""


class Painting(Struct, frozen=True):
    """The run table as it last stood on the screen, and when: texts only, so that showing it needs no data."""

    taken_at: float
    total: int
    columns: Sequence[Column]
    gap: int
    ids: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def session_path(root: Path) -> Path:
    """Where the session of a project is kept."""
    return root / ".workbench" / "session.json"


def load_session(path: Path) -> tuple[ViewState, Painting | None]:
    """Read a saved session; anything unreadable, of another version or of wrong types counts as none."""
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != VERSION:
            return ViewState(), None
        return _view(data["view"]), _painting(data.get("painting"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ViewState(), None


def save_session(path: Path, view: ViewState, painting: Painting | None) -> None:
    """Replace the saved session; a folder that cannot be written is no reason to fail on the way out."""
    data = plainly({"version": VERSION, "view": view, "painting": painting})
    with suppress(OSError, ValueError):
        write_whole(path, json.dumps(data))


def plainly(value: object) -> Any:
    """A view as JSON has it; a number of numpy's stays one, anything else that JSON has no word for becomes text."""
    return to_builtins(value, enc_hook=lambda each: each.item() if hasattr(each, "item") else str(each))


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone, its folder made where there is none.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _view(data: Mapping[str, Any]) -> ViewState:
    return view_of(data, ViewState())


def view_of(data: Mapping[str, Any], default: ViewState) -> ViewState:
    """A view from JSON: unknown keys are dropped, lists become tuples, a value of another type keeps the default's."""
    usual = ViewState()
    found: dict[str, Any] = {}
    for name in ViewState.__struct_fields__:
        if name in data and _fits(name, data[name], getattr(usual, name)):
            value = data[name]
            found[name] = tuple(str(item) for item in value) if isinstance(value, list) else value
    return replace(default, **found)


def _fits(name: str, value: object, usual: object) -> bool:
    """Whether a value is of the kind that a view has under this name."""
    if isinstance(usual, tuple) or name == "columns":
        return isinstance(value, list | tuple) or (value is None and usual is None)
    if isinstance(usual, dict):
        return isinstance(value, dict) and all(isinstance(width, int) and width > 0 for width in value.values())
    if name == "chart":
        return value is None or isinstance(value, bool)
    if usual is None:
        return value is None or isinstance(value, str)
    return _number(value) if isinstance(usual, float) else isinstance(value, type(usual))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _painting(data: Mapping[str, Any] | None) -> Painting | None:
    if data is None:
        return None
    columns = tuple(Column(**column) for column in data["columns"])
    rows = tuple(tuple(Cell(**{**cell, "spark": ()}) for cell in row) for row in data["rows"])
    ids = tuple(str(run_id) for run_id in data["ids"])
    if len(ids) != len(rows) or any(len(row) != len(columns) for row in rows):
        raise ValueError("a painting whose rows do not fit its columns")
    return Painting(float(data["taken_at"]), int(data["total"]), columns, int(data["gap"]), ids, rows)
