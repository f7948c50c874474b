"""The metric files of MLflow's file store: a line a point, `milliseconds value [step [dataset digest]]`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from msgspec import Struct

from workbench.core.batch import Reject

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Number = TypeVar("_Number", int, float)
_EXCERPT = 4096
_PLAIN = re.compile(rb"(?:\d{1,18} \S{1,40} -?\d{1,18}\n)*")
_INT64 = 1 << 63
_SECONDS_BELOW = 1 << 32
"""Milliseconds below this are January 1970: lines of two fields come from an MLflow that wrote seconds."""


class MetricLines(Struct, frozen=True):
    """Points of complete lines as columns of one length, with the lines that are none."""

    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    offset: NDArray[np.int64]
    rejects: tuple[Reject, ...] = ()


def parse(data: bytes, start: int, name: str) -> MetricLines:
    """Decode lines that all have their ends; `start` is the offset of the first, `name` the file's in reasons."""
    if _PLAIN.fullmatch(data):
        try:
            return _columns(data, start)
        except ValueError:
            pass
    return _one_by_one(data, start, name)


def _columns(data: bytes, start: int) -> MetricLines:
    """Lines of three fields each.

    Raises:
        ValueError: a value is no number.
    """
    fields = data.split()
    value = np.array(list(map(float, fields[1::3])), np.float64)
    wall = np.array(list(map(int, fields[0::3])), np.int64) / 1000
    step = np.array(list(map(int, fields[2::3])), np.int64)
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    offset = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))[: len(ends)] + start
    return MetricLines(step, wall, value, offset)


def _one_by_one(data: bytes, start: int, name: str) -> MetricLines:
    points: list[tuple[int, float, float, int]] = []
    rejects: list[Reject] = []
    for line in re.findall(rb"[^\n]*\n", data):
        try:
            points.append((*_point(line), start))
        except ValueError as error:
            reason = f"E130 not a line of an MLflow metric: {error}; in {name}"
            rejects.append(Reject(start, len(line), reason, line[:_EXCERPT]))
        start += len(line)
    step, wall, value, offset = zip(*points, strict=True) if points else ((), (), (), ())
    return MetricLines(
        np.array(step, np.int64), np.array(wall, np.float64), np.array(value, np.float64), np.array(offset, np.int64),
        tuple(rejects),
    )  # fmt: skip


def _point(line: bytes) -> tuple[int, float, float]:
    """Step, wall time and value of one line; a line of two fields has step 0, as MLflow reads it."""
    fields = line.split()
    if len(fields) < 2 or len(fields) == 4:  # more than 5: the dataset's name has spaces in it
        raise ValueError(f"{len(fields)} fields, where MLflow writes 2, 3 or 5")
    if len(line) > _EXCERPT:
        raise ValueError(f"{len(line):,} bytes long")
    moment = _number("time", fields[0], int)
    value = _number("value", fields[1], float)
    step = _number("step", fields[2], int) if len(fields) > 2 else 0
    if not -_INT64 <= step < _INT64:
        raise ValueError("the step is beyond 64 bits")
    unit = 1 if len(fields) == 2 and abs(moment) < _SECONDS_BELOW else 1000
    wall = moment / unit if abs(moment) < _INT64 else math.nan
    return step, wall, value


def _number(what: str, text: bytes, kind: type[_Number]) -> _Number:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"its {what} is no number") from None
