"""Every number format of the product; `None` is unknown and shown as `–`, never as 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # both load numpy, and commands that only print numbers start without it
    from workbench.core.blocks import Tone
    from workbench.core.model import Direction

UNKNOWN = "–"
"""What stands for a value nobody knows."""

_TIMES = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def number(value: float | None, digits: int = 4) -> str:
    """A value with `digits` significant digits, whole numbers in full: `0.9132`, `12,345`, `1.5e-7`, `NaN`."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e9 and float(value).is_integer():
        return f"{int(value):,}"
    if size >= 1e9 or size < 1e-4:
        return _scientific(value, digits)
    decimals = digits - 1 - math.floor(math.log10(size))
    return _strip(f"{value:,.{max(decimals, 0)}f}")


def logged(value: object) -> str:
    """A number as it was logged, every digit and no separator: `20130101`, `1e-05`; empty for anything else."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else _not_finite(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "inf" if value > 0 else "-inf"


def _strip(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{_strip(mantissa)}e{int(exponent)}"


def percent(share: float | None) -> str:
    """A share of 1 as a percentage: 0.321 is `32.1 %`."""
    if share is None or not math.isfinite(share):
        return UNKNOWN if share is None else _not_finite(share)
    points = 100 * share
    return f"{points:,.0f} %" if abs(points) >= 999.5 or points == 0 else f"{points:.1f} %"


def delta(relative: float | None) -> str:
    """A relative change with arrow and sign: `▲ +3.2 %`, `▼ -0.4 %`, `= 0.0 %`; from 10 times on, `▲ x12.5`."""
    if relative is None or not math.isfinite(relative):
        return UNKNOWN
    if abs(relative) < 0.0005:
        return "= 0.0 %"
    arrow = "▲" if relative > 0 else "▼"
    if relative >= 9.995:
        return f"{arrow} x{number(relative + 1, 3)}"
    return f"{arrow} {100 * relative:+.1f} %"


def delta_tone(relative: float | None, direction: Direction | None) -> Tone:
    """Whether a change is for the better; no tone while the direction is unknown or nothing changed."""
    if relative is None or direction is None or not math.isfinite(relative) or abs(relative) < 0.0005:
        return ""
    return "good" if (relative > 0) == (direction == "higher") else "bad"


def duration(seconds: float | None) -> str:
    """A stretch of time in two steps: `0.4s`, `12s`, `3m 12s`, `2h 04m`, `3d 04h`."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 9.95:
        return f"{sign}{_strip(f'{seconds:.1f}')}s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole}s"
    if whole < 3600:
        return f"{sign}{whole // 60}m {whole % 60:02d}s"
    if whole < 86_400:
        return f"{sign}{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{sign}{whole // 86_400}d {whole % 86_400 // 3600:02d}h"


def age(seconds: float | None) -> str:
    """How long ago, in at most four characters: `now`, `42s`, `3m`, `2h`, `5d`, `9w`, `2y`; never negative."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 2:
        return "now"
    for size, unit in ((31_557_600, "y"), (604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size * (2 if unit in "wy" else 1):
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def size(count: float | None) -> str:
    """Bytes in binary steps: `640 B`, `1.5 KiB`, `23.4 MiB`."""
    if count is None or not math.isfinite(count):
        return UNKNOWN
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1023.95 or unit == "TiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def count(value: float | None) -> str:
    """How many, in at most five characters: `987`, `12.3k`, `4.5M`, `1.2G`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN if value is None else _not_finite(value)
    for limit, unit in ((999.5, ""), (999_950, "k"), (999_950_000, "M"), (math.inf, "G")):
        if abs(value) < limit:
            scaled = value / {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit]
            return f"{scaled:.0f}" if not unit else f"{_strip(f'{scaled:.1f}')}{unit}"
    return UNKNOWN


def latency(value: float | None, unit: str = "ms") -> str:
    """A response time in the unit that suits it: `840 µs`, `12.3 ms`, `1.24 s`; from a minute on as a duration."""
    if value is None or not math.isfinite(value):
        return UNKNOWN if value is None else _not_finite(value)
    seconds = value * _TIMES[unit]
    magnitude = abs(seconds)
    if magnitude >= 60:
        return duration(seconds)
    if magnitude >= 0.9995 or seconds == 0:
        return f"{number(seconds, 3)} s"
    if magnitude >= 0.9995e-3:
        return f"{number(seconds * 1e3, 3)} ms"
    if magnitude >= 0.9995e-6:
        return f"{number(seconds * 1e6, 3)} µs"
    return f"{number(seconds * 1e9, 3)} ns"


def p_value(value: float | None) -> str:
    """A p-value: `0.0312`, `3.1e-5`, `<1e-16` where doubles can say no more."""
    if value is None or math.isnan(value):
        return UNKNOWN if value is None else "NaN"
    if value < 1e-16:
        return "<1e-16"
    return number(value, 3) if value >= 1e-3 else _scientific(value, 2)


def timestamp(seconds: float | None, zone: tzinfo | None = UTC) -> str:
    """A moment in ISO form, `2026-11-22T05:08:11Z`; `2026-11-22 06:08:11+01:00` outside UTC; None is local time."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    try:
        moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return number(seconds)
    if zone is UTC:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat(" ", "seconds")


def _moment(seconds: float | None) -> str:
    return timestamp(seconds).replace("T", " ").replace("Z", "")


_FORMATS: dict[str, Callable[[float | None], str]] = {
    "age": age,
    "B": size,
    "bytes": size,
    "count": count,
    "date": lambda seconds: timestamp(seconds)[:10],
    "duration": duration,
    "p": p_value,
    "share": percent,
    "time": _moment,
}


def has_format(unit: str) -> bool:
    """Whether a unit decides how its values are written (`bytes`, `share`, `time` …) rather than just follows them."""
    return unit in _FORMATS


def value(amount: float | None, unit: str = "") -> str:
    """A value with its unit: times in the unit that suits them, `bytes`, `share`, `duration`, `age`, `time` (epoch
    seconds, UTC), `date`, `count` and `p` in their own formats, any other unit written behind the number.
    """
    if amount is None:
        return UNKNOWN
    if unit in _FORMATS:
        return _FORMATS[unit](amount)
    if unit in _TIMES:
        return latency(amount, unit)
    return f"{number(amount)} {unit}" if unit and math.isfinite(amount) else number(amount)
