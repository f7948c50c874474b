"""Blocks: what every panel is made of, and what every renderer draws.

Text in a block is raw and untrusted; a renderer passes it through `core.text.plain` before it leaves the process.
Numbers stay numbers: a renderer formats them with `core.units`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Tone = Literal["", "good", "bad", "warn", "dim", "accent"]
"""Meaning, not colour; a renderer pairs each with a glyph or a word as well."""


class Cell(Struct, frozen=True):
    """A table's cell: a value, and how it stands to the baseline."""

    value: str | float | int | bool | None
    tone: Tone = ""
    delta: float | None = None
    """Relative change to the baseline, 0.05 is +5 %; None when there is none."""
    spark: Sequence[float] = ()
    """A sparkline instead of the value."""
    text: str = ""
    """Overrides the formatted value on screens; JSON keeps `value`."""


class Column(Struct, frozen=True):
    """A table's column: `key` in JSON, `title` on screens."""

    key: str
    title: str = ""
    unit: str = ""
    align: Literal["left", "right"] = "left"
    width: int | None = None
    """Characters; None fits the content."""
    priority: int = 1
    """0 is kept to the last; higher ones are dropped first when there is no room."""


class Table(Struct, frozen=True):
    """Rows under columns; `ids` name each row for actions, an empty one none."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    ids: Sequence[str] = ()


class Line(Struct, frozen=True):
    """One curve; NaN and inf break it."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    raw: NDArray[np.float64] | None = None
    """The unsmoothed values behind a smoothed curve."""
    color: int = 0
    """Index into the palette, stable per run."""
    low: NDArray[np.float64] | None = None
    """The lower edge of a band around the curve, as of several runs; both edges or none."""
    high: NDArray[np.float64] | None = None


class Lines(Struct, frozen=True):
    """Curves over one x axis."""

    lines: Sequence[Line]
    title: str = ""
    x_label: str = "step"
    y_label: str = ""
    log_y: bool = False
    x_kind: Literal["number", "time", "duration"] = "number"
    marks: Sequence[tuple[float, str]] = ()
    """Vertical marks: (x, label)."""
    log_x: bool = False
    x_names: Sequence[str] = ()
    """What the places 0, 1, 2 … of the x axis are called; empty for numbers."""
    y_names: Sequence[str] = ()
    """The same of the y axis."""


class Axis(Struct, frozen=True):
    """One axis of a scatter: numbers, or names in their order."""

    label: str = ""
    kind: Literal["number", "time", "duration"] = "number"
    log: bool = False
    names: Sequence[str] = ()
    """What the places 0, 1, 2 … are called; empty for numbers."""


class Point(Struct, frozen=True):
    """A named point of a scatter; `good` marks the best one, `accent` those worth a second look."""

    name: str
    x: float
    y: float
    tone: Tone = ""
    color: int = 0
    """Index into the palette, stable per run."""


class Scatter(Struct, frozen=True):
    """Named points over two axes; one that is not finite is counted instead of drawn."""

    points: Sequence[Point]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    title: str = ""


class Bars(Struct, frozen=True):
    """Groups of bars side by side: one value per label and series."""

    labels: Sequence[str]
    series: Sequence[tuple[str, Sequence[float]]]
    title: str = ""
    unit: str = ""


class Heat(Struct, frozen=True):
    """A matrix of values in rows by columns; None is no value."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    title: str = ""
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    """Values at or above it are marked besides their colour."""
    flags: Sequence[Sequence[bool]] = ()
    """Cells marked one by one, where a threshold differs from cell to cell."""


class Stat(Struct, frozen=True):
    """One figure that matters, with its label, unit and change to the baseline."""

    label: str
    value: float | str | None
    unit: str = ""
    delta: float | None = None
    tone: Tone = ""
    spark: Sequence[float] = ()


class Note(Struct, frozen=True):
    """A paragraph."""

    text: str
    tone: Tone = ""


class Empty(Struct, frozen=True):
    """Nothing to show, why, and the next step."""

    title: str
    hint: str = ""


class Stack(Struct, frozen=True):
    """Blocks one below the other."""

    blocks: Sequence[Block]
    title: str = ""


class Columns(Struct, frozen=True):
    """Blocks side by side, with relative widths; stacked where there is no room."""

    blocks: Sequence[Block]
    weights: Sequence[int] = field(default=())


Block = Table | Lines | Bars | Heat | Stat | Note | Empty | Stack | Columns | Scatter
