"""The items that W&B's history, summary and config messages are lists of, decoded singly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from workbench.core.batch import Histogram
from workbench.readers.histograms import compact
from workbench.readers.protobuf import Field, double, fields, signed, text, unsigned

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_DEPTH = 32
LONGEST_TEXT = 4096
"""Characters kept of a text in a fact."""
_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MOST_EDGES = 65_536


class Item(Struct, frozen=True):
    """A path of keys and the value that belongs there."""

    path: tuple[str, ...]
    value: Any


class Unreadable(ValueError):
    """The item's text is not JSON."""


def item(data: bytes, whole: Field) -> Item:
    """The item in one field of a message; raises WireError or Unreadable."""
    key, value = "", None
    nested: list[str] = []
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 2:
                key = text(data, field)
            case 2, 2:
                nested.append(text(data, field))
            case 16, 2:
                value = loads(data[field.lo : field.hi]) if value is None else value
            case ((4 | 5 | 6 | 7 | 8), _):
                value = _typed(data, field)
    return Item(tuple(nested) if nested else (key,), value)


def _typed(data: bytes, field: Field) -> Any:
    """A value written by its type rather than as JSON."""
    match field.number, field.wire:
        case 4, 0:
            return unsigned(data, field) != 0
        case 5, 0:
            raw = unsigned(data, field)
            return raw >> 1 ^ -(raw & 1)
        case 6, 1:
            return double(data, field)
        case 7, 2:
            return text(data, field)
        case 8, 2:
            return loads(data[field.lo : field.hi])
    return None


def loads(raw: bytes) -> Any:
    """A JSON text as Python has it; NaN and infinities may be bare words."""
    try:
        return json.loads(raw.decode("utf-8", "replace"), strict=False)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        raise Unreadable(str(error)) from None


def tree_of(found: Iterator[Item]) -> dict[str, Any]:
    """Items as nested dicts; of several about one path the last holds."""
    root: dict[str, Any] = {}
    for item in found:
        put(root, item.path, item.value)
    return root


def put(root: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set the value at a path, replacing what stands in the way."""
    node = root
    for part in path[:-1][:MOST_DEPTH]:
        below = node.get(part)
        if not isinstance(below, dict):
            below = node[part] = {}
        node = below
    node[path[-1]] = value


def leaves(tree: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything that is no dict, and of media, which are dicts that say their `_type`."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and "_type" not in value and depth <= MOST_DEPTH:
            yield from leaves(value, f"{key}.", depth + 1)
        else:
            yield key, value


def number(value: Any) -> float | None:
    """The number a value is, as a float; NaN and infinities may be spelled; None for anything else."""
    if isinstance(value, str):
        return _SPELLED.get(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def histogram(key: str, media: Mapping[str, Any], step: int, wall: float, offset: int) -> Histogram | None:
    """A `wandb.Histogram`, its bins listed or packed; None when it is none."""
    try:
        edges: NDArray[np.float64]
        counts: NDArray[np.float64] = np.asarray(media["values"], np.float64)
        packed = media.get("packedBins")
        if packed is not None:
            n = min(int(packed["count"]), _MOST_EDGES)
            edges = np.float64(packed["min"]) + np.float64(packed["size"]) * np.arange(n + 1, dtype=np.float64)
        else:
            edges = np.array(media["bins"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    kept = compact(edges, counts) if counts.ndim == edges.ndim == 1 else None
    return None if kept is None else Histogram(key, step, wall, *kept, offset)


def timestamp(data: bytes, whole: Field) -> float | None:
    """Seconds since 1970 of a google.protobuf.Timestamp; None when it is empty."""
    seconds = nanos = 0
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 0:
                seconds = signed(data, field)
            case 2, 0:
                nanos = signed(data, field)
    return seconds + nanos / 1e9 if seconds > 0 else None


def short(value: Any) -> Any:
    """A value fit for a fact: no number that JSON lacks, no text without end."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (list, dict)):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= LONGEST_TEXT else f"{type(value).__name__} of {len(value):,}"
    return value[:LONGEST_TEXT] if isinstance(value, str) else value
