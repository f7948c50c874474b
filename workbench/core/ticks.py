"""Where an axis is labelled: round numbers, decades, calendar times, durations."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from workbench.core.units import number

Kind = Literal["number", "time", "duration"]

_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)


class Tick(NamedTuple):
    """A labelled place on an axis."""

    value: float
    label: str


def ticks(low: float, high: float, most: int, kind: Kind = "number", zone: tzinfo | None = UTC) -> list[Tick]:
    """About `most` ticks at round values from `low` to `high`; times are seconds since 1970, shown in `zone`.

    `zone` None is local time.
    """
    most = max(most, 1)
    if not (math.isfinite(high - low) and high > low):
        return [Tick(low, number(low))] if low == high else []
    if kind == "time":
        return _time_ticks(low, high, most, zone)
    if kind == "duration" and high - low >= 2:
        step = _clock_step(high - low, most)
        return [Tick(value, _duration_label(value, step)) for value in _multiples(low, high, step)]
    return _number_ticks(low, high, most)


def log_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Ticks for a logarithmic axis over positive values: decades, or 1-2-5 within few of them."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = last - first + 1
    if decades >= 2 and decades * 3 > most:
        stride = max(1, -(-decades // max(most, 1)))
        return [Tick(10.0**power, _power_label(power)) for power in range(first, last + 1, stride)]
    values = [m * 10.0**power for power in range(first - 1, last + 1) for m in (1, 2, 5)]
    inside = [Tick(value, number(value, 3)) for value in values if low <= value <= high]
    return inside if len(inside) >= 2 else _number_ticks(low, high, most)


def _power_label(power: int) -> str:
    return number(10.0**power) if -3 <= power <= 3 else f"1e{power}"


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that cuts a span into at most `most` parts."""
    raw = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 5, 10):
        if factor * power >= raw * (1 - 1e-9):
            return factor * power
    return 10 * power


def _multiples(low: float, high: float, step: float) -> list[float]:
    slack = step * 1e-6
    first, last = math.ceil((low - slack) / step), math.floor((high + slack) / step)
    return [index * step for index in range(first, last + 1)]


def _number_ticks(low: float, high: float, most: int) -> list[Tick]:
    step = nice_step(high - low, most)
    biggest = max(abs(low), abs(high))
    if step == 0 or step < biggest * 1e-12:
        return [Tick(low, number(low))]
    scale, suffix = next(((s, u) for s, u in _SCALES if biggest >= s * (10 if u == "k" else 1)), (1.0, ""))
    if biggest >= 1e13 or biggest < 1e-3:
        return [Tick(value, number(value, 3)) for value in _multiples(low, high, step)]
    decimals = max(0, -math.floor(math.log10(step / scale) + 1e-9))
    if decimals > 1 and scale > 1:
        scale, suffix, decimals = 1.0, "", max(0, -math.floor(math.log10(step) + 1e-9))
    return [Tick(value, _fixed(value / scale, decimals, suffix)) for value in _multiples(low, high, step)]


def _fixed(value: float, decimals: int, suffix: str) -> str:
    if abs(value) < 10.0**-decimals / 2:
        return "0"
    return f"{value:.{decimals}f}{suffix}"


def _clock_step(span: float, most: int) -> float:
    fitting = (step for step in _CLOCK if span / step <= most)
    return next(fitting, None) or 86400 * max(1.0, nice_step(span / 86400, most))


def _duration_label(seconds: float, step: float) -> str:
    sign, whole = ("-", -round(seconds)) if seconds < 0 else ("", round(seconds))
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    parts = [f"{days}d"] if days else []
    parts += [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if minutes and step < 3600 else []
    parts += [f"{rest}s"] if rest and step < 60 else []
    return sign + ("".join(parts) or "0")


def _time_ticks(low: float, high: float, most: int, zone: tzinfo | None) -> list[Tick]:
    try:
        start = datetime.fromtimestamp(low, UTC).astimezone(zone)
        datetime.fromtimestamp(high, UTC).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return _number_ticks(low, high, most)
    span = high - low
    if span < 2:
        return [Tick(value, f"{value % 60:.3f}s") for value in _multiples(low, high, nice_step(span, most))]
    fitting = next((step for step in _CLOCK if span / step <= most), None)
    if fitting is None:
        return _month_ticks(start, high, most)
    shift = (start.utcoffset() or timedelta()).total_seconds()
    if fitting == 604800:
        shift += 3 * 86400  # weeks begin on Monday, and 1970 began on a Thursday
    moments = [value - shift for value in _multiples(low + shift, high + shift, fitting)]
    return [Tick(moment, _time_label(moment, fitting, zone)) for moment in moments]


def _month_ticks(start: datetime, high: float, most: int) -> list[Tick]:
    months = (high - start.timestamp()) / (86400 * 30.44)
    step = next((step for step in _MONTHS if months / step <= most), _MONTHS[-1])
    index = (start.year * 12 + start.month - 1) // step * step
    found: list[Tick] = []
    while index // 12 <= 9999:
        moment = datetime(index // 12, index % 12 + 1, 1, tzinfo=start.tzinfo)
        if moment.timestamp() > high:
            break
        if moment >= start:
            found.append(Tick(moment.timestamp(), moment.strftime("%Y" if step >= 12 else "%Y-%m")))
        index += step
    return found


def _time_label(seconds: float, step: float, zone: tzinfo | None) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    if step >= 86400 or (step >= 3600 and moment.hour == 0 and moment.minute == 0):
        return moment.strftime("%m-%d")
    return moment.strftime("%H:%M:%S" if step < 60 else "%H:%M")
