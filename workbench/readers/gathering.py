"""Points and facts of several runs, gathered one by one and handed on as columns."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import stat
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from workbench.plugin.api import Batch, Fact, Histogram, Points, Reject
from workbench.readers.params import facts_beside

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes of a file that is read whole, however often it is rewritten."""
LONGEST_TEXT = 16_384
EXCERPT = 4_096
_INT64 = 2**63
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "nan": math.nan, "inf": math.inf,
          "-inf": -math.inf}  # fmt: skip


class NotYetError(Exception):
    """A file is missing, half written or too large: what was read of it before stays; the message says which."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


class Gathering(Struct):
    """What one look at a source brings."""

    keys: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)
    _codes: array[int] = field(default_factory=lambda: array("q"))
    """Key, run, step and offset of each point, one after the other."""
    _floats: array[float] = field(default_factory=lambda: array("d"))
    """Wall time and value of each point."""

    def point(
        self, key: str, step: int, value: float, *, wall: float | None = None, run: str = "", offset: int = 0
    ) -> None:
        """Add a point; a step that no 64 bits hold is left out."""
        if not -_INT64 <= step < _INT64:
            return
        key_code = self.keys.setdefault(key, len(self.keys))
        run_code = self.runs.setdefault(run, len(self.runs))
        self._codes.extend((key_code, run_code, step, offset))
        self._floats.extend((math.nan if wall is None else wall, value))

    def param_facts(self, params: Any, *, run: str = "", wall: float | None = None, offset: int = 0) -> None:
        """Add every leaf of nested parameters, secrets replaced, within the limits of parameter files."""
        found = facts_beside({"params.json": json.dumps(params, default=str).encode()})
        self.facts += [replace(fact, run=run, wall=wall, offset=offset) for fact in found]

    def __len__(self) -> int:
        return len(self._floats) // 2

    def points(self) -> Points:
        """The points as columns."""
        codes = np.frombuffer(self._codes, np.int64).reshape(-1, 4) if self._codes else np.empty((0, 4), np.int64)
        floats = np.frombuffer(self._floats).reshape(-1, 2) if self._floats else np.empty((0, 2))
        run = None if set(self.runs) <= {""} else codes[:, 1].astype(np.int32)
        return Points(
            tuple(self.keys), codes[:, 0].astype(np.int32), codes[:, 2].copy(), floats[:, 0].copy(),
            floats[:, 1].copy(), codes[:, 3].copy(), tuple(self.runs) or ("",), run,
        )  # fmt: skip

    def batch(self, consumed: int, state: Mapping[str, Any], **more: Any) -> Batch:
        """The batch of all that was gathered; `more` are further fields of `Batch`."""
        return Batch(
            self.points(), tuple(self.facts), tuple(self.rejects), consumed=consumed, state=state,
            histograms=tuple(self.histograms), **more,
        )  # fmt: skip


def number_of(value: Any) -> float | None:
    """The number a JSON value stands for, the words for NaN and infinities included; None for anything else."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return _WORDS.get(value) if isinstance(value, str) else None


def whole_of(value: Any) -> int | None:
    """The integer a JSON value stands for, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and -_INT64 <= value < _INT64 else None


def utc_seconds(text: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 text; without a zone it is UTC."""
    return _seconds(text, dt.UTC)


def local_seconds(text: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 text; without a zone it is this machine's time."""
    return _seconds(text, None)


def _seconds(text: Any, zone: dt.tzinfo | None) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def scalar_of(value: Any) -> Any:
    """A JSON value as a scalar that JSON can spell: nested ones as their text, shortened."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return str(value)[:LONGEST_TEXT]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text[:LONGEST_TEXT]


def content_of(place: str, *, largest: int = LARGEST_FILE) -> bytes:
    """All bytes of a regular file, which no link leads to.

    Raises:
        NotYetError: it is not there, not readable or too large.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise NotYetError(f"{os.path.basename(place)}: {error.strerror or error}", missing=missing) from None
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotYetError(f"{os.path.basename(place)} is not a regular file")
        if found.st_size > largest:
            raise NotYetError(f"{os.path.basename(place)} has {found.st_size >> 20} MiB, more than {largest >> 20}")
        return file.read(min(largest, found.st_size + 1))  # as much as is asked for is allocated


def object_of(place: str, *, largest: int = LARGEST_FILE) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        NotYetError: it is not there or not complete; its writer may be at it.
    """
    return parsed(content_of(place, largest=largest), os.path.basename(place))


def parsed(data: bytes, name: str) -> dict[str, Any]:
    """The JSON object that bytes hold.

    Raises:
        NotYetError: they hold none; `name` is what the message calls them.
    """
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        raise NotYetError(f"{name} is not complete") from None
    if not isinstance(loaded, dict):
        raise NotYetError(f"{name} holds no JSON object")
    return loaded


def digest(value: Any) -> str:
    """A short fingerprint of a JSON value."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def mapping_of(value: Any) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> Sequence[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def grown(entries: Sequence[Any], known: Mapping[str, Any]) -> int | None:
    """How many leading entries were read before, by the `mark_of` them; None when those are not the same any more."""
    count = int(known.get("n", 0))
    if count > len(entries) or (count and digest(entries[:count]) != known.get("digest")):
        return None
    return count


def mark_of(entries: Sequence[Any]) -> dict[str, Any]:
    """What is remembered of entries, so that the next look finds where it left off."""
    return {"n": len(entries), "digest": digest(list(entries))}
