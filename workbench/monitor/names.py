"""What the usual column names of production exports say; case and separators do not matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

LatencyUnit = Literal["s", "ms", "us", "ns"]

LATENCY_UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Seconds in one unit."""

_UNIT_WORDS: Mapping[LatencyUnit, frozenset[str]] = {
    "ms": frozenset({"ms", "msec", "msecs", "millis", "milliseconds", "millisecond"}),
    "us": frozenset({"us", "usec", "usecs", "micros", "microseconds", "microsecond"}),
    "ns": frozenset({"ns", "nsec", "nsecs", "nanos", "nanoseconds", "nanosecond"}),
    "s": frozenset({"s", "sec", "secs", "seconds", "second"}),
}
_UNIT = "|".join(sorted(word for words in _UNIT_WORDS.values() for word in words))
_CALL = (
    "request|response|inference|predict|prediction|model|server|serving|call|processing|execution|upstream|total|e2e"
)


def _pattern(regex: str) -> Callable[[str], bool]:
    compiled = re.compile(regex)
    return lambda name: compiled.fullmatch(plain_name(name)) is not None


def plain_name(name: str) -> str:
    """A column's name in snake case: `inferenceTime` and `Inference Time` are both `inference_time`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


ROLES: Mapping[str, Callable[[str], bool]] = {
    "probability": _pattern(r"(y_?)?(pred(icted|iction)?_?)?(prob|proba|probability|score|confidence)s?"),
    "prediction": _pattern(r"(y_?)?(pred|predicted|prediction|predictions|hat|forecast)(_(label|class|value|y))?|yhat"),
    "label": _pattern(r"(y_?)?(true|target|label|actual|actuals|ground_?truth|truth|outcome)(_(label|class|value))?|y"),
    "latency": _pattern(
        rf"(\w+_)?latency(_\w+)?|(({_CALL})_)?(duration|elapsed|took)(_time)?(_({_UNIT}))?|({_CALL})_time(_({_UNIT}))?"
    ),
    "status": _pattern(
        rf"((http|{_CALL})_)?(status|status_code|http_code|http_status|response_code)|"
        r"(is_|has_)?(error|errors|failed|failure)|success|succeeded"
    ),
    "business": _pattern(
        r"(\w+_)?(revenue|profit|gmv|margin|sales|business_value|order_value|conversion|conversions|converted)(_\w{3})?"
    ),
}
"""Role to whether a name speaks for it, in the order in which roles are given away."""

names_time = _pattern(rf"(\w+_)?(timestamp|ts|datetime|date|time|at|hour|day)(_({_UNIT}|utc))?")
"""Whether a name speaks of a point in time."""

names_event_time = _pattern(rf"timestamp|ts|time|datetime|(event|{_CALL})_(time|timestamp|ts)")
"""Whether a name speaks of the time of the row itself, rather than of something in it."""

names_row = _pattern(
    r"(\w+_)?(uuid|guid)|id|(request|trace|span|event|prediction|inference|session|transaction|correlation|row)_?id|index"
)
"""Whether a name speaks of the identity of a row, which never repeats and so never drifts."""

names_context = _pattern(
    r"model|model_?(name|version|id)|version|endpoint|deployment|host|hostname|pod|instance|worker"
)
"""Whether a name speaks of who served a row, rather than of what was predicted from."""

names_version = _pattern(r"(model_?)?(version|revision)(_?(id|hash))?|deployment(_version)?")
"""Whether a name speaks of which model answered."""

names_sampling = _pattern(r"(sampling|sample)_?(fraction|rate|ratio|probability)")
"""Whether a name speaks of the share of requests that are logged."""

names_segment = _pattern(
    r"(\w+_)?(country|region|market|segment|tier|channel|platform|language|locale|tenant|cohort|variant)"
)
"""Whether a name speaks of a part of the population."""


def latency_unit(name: str) -> LatencyUnit | None:
    """The unit a column's name ends with, or None."""
    last = plain_name(name).rsplit("_", 1)[-1]
    return next((unit for unit, words in _UNIT_WORDS.items() if last in words), None)
