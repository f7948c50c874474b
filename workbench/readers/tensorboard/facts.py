"""What event files say besides numbers: hyperparameters, how a session went, and notes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from workbench.core.batch import Fact
from workbench.readers.protobuf import BYTES, Field, WireError, double, fields, signed, text, unsigned

_ENDINGS = {1: ("finished", "hparams session ended: success"), 2: ("failed", "hparams session ended: failure")}
_DEEPEST = 32


def hparams_facts(content: bytes, wall: float | None, offset: int) -> Iterator[Fact]:
    """The facts in an HParamsPluginData message; raises WireError when it is none."""
    for field in fields(content, 0, len(content)):
        match field.number, field.wire:
            case 2, 2:
                yield from _experiment(content, field, wall, offset)
            case 3, 2:
                yield from _session_start(content, field, wall, offset)
            case 4, 2:
                yield from _session_end(content, field, wall, offset)


def _experiment(data: bytes, whole: Field, wall: float | None, offset: int) -> Iterator[Fact]:
    for field in fields(data, whole.lo, whole.hi):
        if field.wire != BYTES or field.lo == field.hi:
            continue
        match field.number:
            case 1:
                yield Fact("tag", text(data, field), "experiment", wall, offset)
            case 2:
                yield Fact("note", text(data, field), "experiment", wall, offset)
            case 3:
                yield Fact("environment", text(data, field), "user", wall, offset)


def _session_start(data: bytes, whole: Field, wall: float | None, offset: int) -> Iterator[Fact]:
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 2:
                name, value = _entry(data, field, 0)
                yield Fact("param", _scalar(value), name, wall, offset)
            case 4, 2 if field.lo < field.hi:
                yield Fact("tag", text(data, field), "group", wall, offset)
            case 5, 1 if _is_time(data, field):
                yield Fact("started", double(data, field), "", wall, offset)


def _session_end(data: bytes, whole: Field, wall: float | None, offset: int) -> Iterator[Fact]:
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 0 if signed(data, field) in _ENDINGS:
                status, reason = _ENDINGS[signed(data, field)]
                yield Fact("status", status, reason, wall, offset)
            case 2, 1 if _is_time(data, field):
                yield Fact("ended", double(data, field), "", wall, offset)


def _is_time(data: bytes, field: Field) -> bool:
    return 0 < double(data, field) < math.inf


def _entry(data: bytes, whole: Field, depth: int) -> tuple[str, Any]:
    """Key and value of one entry of a map from strings to values."""
    key, value = "", None
    for field in fields(data, whole.lo, whole.hi):
        if field[:2] == (1, BYTES):
            key = text(data, field)
        elif field[:2] == (2, BYTES):
            value = _value(data, field, depth)
    return key, value


def _value(data: bytes, whole: Field, depth: int) -> Any:
    """A google.protobuf.Value as Python has it; whole numbers come back as int, since it knows only doubles."""
    if depth > _DEEPEST:
        raise WireError(f"parameter nested more than {_DEEPEST} deep")
    value: Any = None
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 2, 1:
                value = _number(double(data, field))
            case 3, 2:
                value = text(data, field)
            case 4, 0:
                value = unsigned(data, field) != 0
            case 5, 2:
                value = dict(
                    _entry(data, f, depth + 1) for f in fields(data, field.lo, field.hi) if f[:2] == (1, BYTES)
                )
            case 6, 2:
                value = [_value(data, f, depth + 1) for f in fields(data, field.lo, field.hi) if f[:2] == (1, BYTES)]
    return value


def _number(value: float) -> int | float | str:
    if not math.isfinite(value):  # JSON has no number for it
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _scalar(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value
