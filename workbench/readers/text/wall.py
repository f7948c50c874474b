"""When a line of a text log was written: the date and time at its start, or seconds since 1970 beside a key."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.readers.text.shapes import Numeral, Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RANGES = ((6.3e8, 4.2e9, 1.0), (6.3e11, 4.2e12, 1e3), (6.3e14, 4.2e15, 1e6), (6.3e17, 4.2e18, 1e9))
"""From and to, and how many units make a second: seconds, milliseconds, micro- and nanoseconds from 1990 to 2100."""


class Moment(Struct, frozen=True):
    """Where a line's time lies: runs of its year, month, day, hour, minute, second and fraction, or one number.

    `offset` is the zone's: None is local time, else a sign and the runs of its hours and minutes, of which none is UTC.
    """

    parts: Sequence[int] = ()
    offset: tuple[int, Sequence[int]] | None = None
    number: Numeral | None = None

    def seconds(self, shapes: Shapes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds since 1970 in each of these lines, NaN where the digits are no date."""
        if self.number is not None:
            return _since_1970(shapes.values(rows, self.number))
        values, lengths = shapes.runs(rows, self.parts)
        year, month, day, hour, minute = values[:, :5].T
        second = values[:, 5] if values.shape[1] > 5 else np.zeros(len(rows), np.int64)
        valid = (lengths[:, 0] == 4) & (year >= 1970) & (year < 2100) & (month >= 1) & (month <= 12) & (day >= 1)
        valid &= (day <= 31) & (hour <= 24) & (minute < 60) & (second <= 60)
        year, month = np.where(valid, year, 1970), np.where(valid, month, 1)
        months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
        days = months.astype("datetime64[D]").astype(np.int64) + np.where(valid, day, 1) - 1
        whole = np.where(valid, days * 86_400 + hour * 3600 + minute * 60 + second, 0)
        found = (whole - self._zone(shapes, rows, whole)).astype(np.float64)
        if values.shape[1] > 6:
            found += values[:, 6] / 10.0 ** lengths[:, 6]
        return np.where(valid, found, np.nan)

    def _zone(self, shapes: Shapes, rows: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.int64]:
        """Seconds that each line's clock is ahead of UTC."""
        if self.offset is None:
            hours, inverse = np.unique(whole // 3600, return_inverse=True)
            return np.array([_ahead(hour * 3600) for hour in hours.tolist()], np.int64)[inverse.ravel()]
        sign, runs = self.offset
        if not runs:
            return np.zeros(len(rows), np.int64)
        values, _ = shapes.runs(rows, runs)
        if len(runs) == 1:
            return sign * (values[:, 0] // 100 * 3600 + values[:, 0] % 100 * 60)
        return sign * (values[:, 0] * 3600 + values[:, 1] * 60)


def _ahead(local: int) -> int:
    """Seconds that local time is ahead of UTC at a local time, counted as if it were UTC."""
    naive = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=local)
    try:
        return local - int(naive.timestamp())
    except (ValueError, OverflowError, OSError):
        return 0


def _since_1970(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.full(len(values), np.nan)
    for low, high, per in _RANGES:
        inside = (low <= values) & (values <= high)
        found[inside] = values[inside] / per
    return found


def moment_of(line: str, runs: Sequence[int], match: re.Match[str] | None) -> Moment | None:
    """The moment that a match of a date and time stands for, by the line's runs of digits."""
    if match is None:
        return None
    place = {column: i for i, column in enumerate(runs)}
    parts = [place[match.start(i)] for i in range(1, 8) if match[i] is not None]
    if match[8]:
        return Moment(parts, (1, ()))
    if match[9]:
        sign = -1 if match[9] == "-" else 1
        return Moment(parts, (sign, [place[match.start(i)] for i in (10, 11) if match.start(i) in place]))
    return Moment(parts)
