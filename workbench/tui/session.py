"""The view kept from one start to the next, and the last rows seen, so that the first paint waits for nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.blocks import Cell, Column

if TYPE_CHECKING:
    from workbench.core.strokes import Marker  # numpy comes after the first paint

VERSION = 1
MARKERS: tuple[Marker, ...] = ("braille", "block", "dot", "ascii")
"""What curves can be drawn with."""
PAINTED_ROWS = 60


@dataclass(frozen=True, slots=True)
class ViewState:
    """What the user looks at; changed only by the app, which tells the screen."""

    cursor: str | None = None
    marks: tuple[str, ...] = ()
    where: str = ""
    sort: str = "age"
    descending: bool = False
    columns: tuple[str, ...] | None = None
    """Extra columns by key (`param:lr`, `metric:loss`); None lets the table choose."""
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


@dataclass(frozen=True, slots=True)
class Painting:
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
    data = {"version": VERSION, "view": asdict(view), "painting": None if painting is None else asdict(painting)}
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(data, default=str), encoding="utf-8")
        temporary.replace(path)
    except (OSError, ValueError):
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _view(data: Mapping[str, Any]) -> ViewState:
    """A view from JSON: unknown keys are dropped, lists become tuples, a value of another type keeps the default."""
    default = ViewState()
    found: dict[str, Any] = {}
    for each in fields(ViewState):
        value = data.get(each.name, getattr(default, each.name))
        if isinstance(value, list):
            value = tuple(str(item) for item in value)
        usual = getattr(default, each.name)
        if usual is None or (isinstance(value, type(usual)) if not isinstance(usual, float) else _number(value)):
            found[each.name] = value
    return ViewState(**found)


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
