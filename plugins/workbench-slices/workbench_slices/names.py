"""What the usual names of columns say about predictions; case and separators do not matter."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = {
    "prediction": r"(y_?)?(pred|predicted|prediction|predictions|hat|forecast|output)(_(label|class|value|y))?|yhat",
    "label": r"(y_?)?(true|target|label|labels|actual|truth|ground_?truth|outcome|observed)(_(label|class|value))?|y",
    "probability": r"(y_?)?(pred(icted|iction)?_?)?(prob|proba|probability|score|confidence)",
    "latency": r"(\w+_)?latency(_\w+)?"
    r"|((request|response|inference|predict|prediction|model)_)?(duration|elapsed|took)(_\w+)?"
    r"|(request|response|inference|predict|prediction|processing)_time(_\w+)?",
}
_IDENTITY = re.compile(
    r"(\w+_)?(uuid|guid|hash)|id|index|row|(request|trace|span|event|prediction|inference|session|transaction|row|user|"
    r"customer|sample)_?id|(un)?named_?\d+"
)
_MOMENT = re.compile(r"(\w+_)?(timestamp|ts|datetime|date|time|at)(_(utc|s|ms|us|ns))?")
_AFTERWARDS = re.compile(
    r"(\w+_)?(loss|residual|error|abs_error|correct|status|status_code|http_code|success|failed|weight|version|revision"
    r"|revenue|profit|margin|sales|business_value)(_\w+)?"
)
_UNITS = {
    1e3: {"s", "sec", "secs", "second", "seconds"}, 1.0: {"ms", "msec", "millis", "milliseconds"},
    1e-3: {"us", "usec", "micros", "microseconds"}, 1e-6: {"ns", "nsec", "nanos", "nanoseconds"},
}  # fmt: skip
_MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


def plain(name: str) -> str:
    """A column's name in snake case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def guess(role: str, names: Sequence[str]) -> str | None:
    """The column whose name speaks for a role, the shortest of several."""
    matching = [name for name in names if re.fullmatch(_WORDS[role], plain(name))]
    return min(matching, key=len, default=None)


def guess_time(names: Sequence[str]) -> str | None:
    """The column that tells when a row was."""
    matching = [name for name in names if _MOMENT.fullmatch(plain(name))]
    return min(matching, key=lambda name: (plain(name) not in ("timestamp", "ts", "time", "datetime"), len(name)),
               default=None)  # fmt: skip


def guess_id(names: Sequence[str]) -> str | None:
    """The column that names a row."""
    matching = [name for name in names if _IDENTITY.fullmatch(plain(name))]
    return min(matching, key=len, default=None)


def is_no_feature(name: str) -> bool:
    """Whether a name speaks of who a row is, when it was, or what became of it, rather than of what it is like."""
    words = plain(name)
    return any(pattern.fullmatch(words) for pattern in (_IDENTITY, _MOMENT, _AFTERWARDS)) or any(
        re.fullmatch(pattern, words) for pattern in _WORDS.values()
    )


def milliseconds(name: str, unit: str) -> float:
    """How many milliseconds one unit of a latency column is: as configured, else as its name ends, else one."""
    if unit in _MILLISECONDS:
        return _MILLISECONDS[unit]
    last = plain(name).rsplit("_", 1)[-1]
    return next((scale for scale, words in _UNITS.items() if last in words), 1.0)
