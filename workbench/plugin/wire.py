"""What crosses between a plugin's own process and ours: msgpack, so that nothing that arrives can run here."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np

from workbench.core.batch import ConsoleLine
from workbench.core.blocks import Axis, Block, Cell, Column, Line, Point
from workbench.core.model import (
    Artifact,
    Distribution,
    Finding,
    Roles,
    Run,
    Series,
    Source,
    Stage,
    StepHistogram,
    Window,
)
from workbench.core.query import Rows
from workbench.core.run_logs import LogPlace
from workbench.plugin.box import PluginError

_PARTS = {kind.__name__: kind for kind in (*get_args(Block), Axis, Cell, Column, Line, Point)}
_NUMBERS = "fiu"
_LENGTH = struct.Struct(">Q")
MOST_BYTES = 256 << 20
"""A message of a plugin's process that is longer is refused."""

ANSWERS: Mapping[str, Any] = {
    "runs": list[Run],
    "newest": list[Run],
    "series": Series,
    "series_of": None,
    "percentiles": None,
    "at_step": None,
    "sparks": dict[str, list[float]],
    "paces": dict[str, float],
    "histogram_keys": list[str],
    "histograms": list[StepHistogram],
    "console": list[ConsoleLine],
    "stages": list[Stage],
    "artifacts": list[Artifact],
    "sources": list[Source],
    "run_sources": list[Source],
    "log_place": LogPlace | None,
    "log_step": LogPlace | None,
    "root": str,
    "monitors": list[str],
    "windows": list[Window],
    "distribution": Distribution | None,
    "findings": list[Finding],
    "trained_by": Run | None,
    "roles": Roles,
    "sql": Rows,
    "revision": str,
}
"""What each question of `Query` is answered with; None is a mapping whose keys are no texts."""


# Messages


def send(to: socket.socket, message: Any, until: float | None = None) -> None:
    """Send one message; `until` is of the monotonic clock.

    Raises:
        TimeoutError: the other side does not read.
        OSError: it is gone.
        TypeError, ValueError, OverflowError: the message holds what cannot be sent.
    """
    data = msgspec.msgpack.encode(message, enc_hook=_encoded)
    to.settimeout(_left(until))
    to.sendall(_LENGTH.pack(len(data)) + data)


def receive(source: socket.socket, until: float | None = None) -> Any:
    """The next message.

    Raises:
        TimeoutError: there is none in time.
        EOFError: the other side is gone.
        PluginError: it is no message.
    """
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size, until))
    if length > MOST_BYTES:
        raise PluginError(f"an answer of {length:,} bytes; load less, or let SQL add it up")
    try:
        return msgspec.msgpack.decode(_exactly(source, length, until))
    except msgspec.DecodeError as error:
        raise PluginError(f"an answer that cannot be read: {error}") from error


def _exactly(source: socket.socket, length: int, until: float | None) -> bytes:
    got = bytearray()
    while len(got) < length:
        source.settimeout(_left(until))
        piece = source.recv(min(length - len(got), 1 << 20))
        if not piece:
            raise EOFError
        got += piece
    return bytes(got)


def _left(until: float | None) -> float | None:
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


# Blocks


def block_to_wire(value: Any) -> Any:
    """A block, or a part of one, with the names of its types.

    Raises:
        PluginError: a part that is no part of blocks.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return _encoded(value)
    if isinstance(value, msgspec.Struct) and type(value).__name__ in _PARTS:
        own = {name: block_to_wire(getattr(value, name)) for name in value.__struct_fields__}
        return {"is": type(value).__name__, **own}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [block_to_wire(each) for each in value]
    raise PluginError(f"a block holds a {type(value).__name__}, which no renderer can draw")


def block_of_wire(value: Any) -> Any:
    """The block that was sent; every list comes as a tuple.

    Raises:
        PluginError: it names a type that is none of a block.
    """
    if isinstance(value, list):
        return tuple(block_of_wire(each) for each in value)
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return _array(value)
    kind = _PARTS.get(value.get("is", ""))
    if kind is None:
        raise PluginError(f"an answer that names {value.get('is')!r}, which is no block")
    try:
        return kind(**{key: block_of_wire(each) for key, each in value.items() if key != "is"})
    except TypeError as error:
        raise PluginError(f"an answer that is no {kind.__name__}: {error}") from error


# Answers of a query


def answer_to_wire(method: str, answer: Any) -> Any:
    """What a query said, for the plugin's process."""
    if method == "percentiles":
        return [[*key, list(values)] for key, values in answer.items()]
    if method == "at_step":
        return [[*key, value] for key, value in answer.items()]
    if method == "root":
        return str(answer)
    return list(answer.values()) if method == "series_of" else answer


def answer_of_wire(method: str, data: Any) -> Any:
    """What a query said, as the records it said it in."""
    if method == "series":
        return _with_arrays(Series, data)
    if method == "series_of":
        return {(each["run_id"], each["key"]): _with_arrays(Series, each) for each in data}
    if method == "histograms":
        return [_with_arrays(StepHistogram, each) for each in data]
    if method in ("percentiles", "at_step"):
        return {tuple(key): values for *key, values in data}
    if method == "root":
        return Path(data)
    return msgspec.convert(data, ANSWERS[method], strict=False)


def _with_arrays(kind: type[Any], data: Mapping[str, Any]) -> Any:
    return kind(**{key: _array(each) if isinstance(each, dict) else each for key, each in data.items()})


def _encoded(value: Any) -> Any:
    """What msgpack does not know by itself."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _NUMBERS:
            raise PluginError(f"an array of {value.dtype}, not of numbers")
        return {"array": np.ascontiguousarray(value).tobytes(), "type": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent to another process")


def _array(value: Mapping[str, Any]) -> Any:
    try:
        kind = np.dtype(value["type"])
        if kind.kind not in _NUMBERS:
            raise PluginError(f"an array of {kind}, not of numbers")
        return np.frombuffer(value["array"], kind).reshape(value["shape"])
    except (KeyError, TypeError, ValueError) as error:
        raise PluginError(f"an array that cannot be read: {error}") from error
