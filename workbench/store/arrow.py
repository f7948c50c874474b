"""Columns of numbers as an Arrow stream: DuckDB inserts what it holds with all its threads, numpy's columns with one.

Written against the C structures of the Arrow specification ("C data interface", "C stream interface"), because every
library that speaks them takes longer to import than it saves here.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMATS = {"int32": b"i", "int64": b"l", "uint64": b"L", "float64": b"g"}
"""Arrow's format of each numpy type that can be handed over."""
BATCH = 122_880
"""Rows of a batch: as many as a row group of DuckDB has."""
_CAPSULE = ctypes.c_char_p(b"arrow_array_stream")
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class _Schema(ctypes.Structure):
    """`ArrowSchema`."""


class _Array(ctypes.Structure):
    """`ArrowArray`."""


class _Stream(ctypes.Structure):
    """`ArrowArrayStream`."""


_ReleaseSchema = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))
_ReleaseArray = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))
_ReleaseStream = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))
_GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))
_GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))
_GetError = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))

_Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.c_void_p), ("release", _ReleaseSchema), ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))), ("dictionary", ctypes.c_void_p),
    ("release", _ReleaseArray), ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Stream._fields_ = [
    ("get_schema", _GetSchema), ("get_next", _GetNext), ("get_last_error", _GetError), ("release", _ReleaseStream),
    ("private_data", ctypes.c_void_p),
]  # fmt: skip


def _released(kind: Any) -> Any:
    """A callback that marks a structure as released, and those below it; the memory goes with the Python objects."""

    def release(pointer: Any) -> None:
        item = pointer.contents
        for place in range(getattr(item, "n_children", 0)):
            child = item.children[place].contents
            if child.release:
                child.release(item.children[place])
        item.release = kind()

    return kind(release)


_RELEASE_SCHEMA, _RELEASE_ARRAY = _released(_ReleaseSchema), _released(_ReleaseArray)
_RELEASE_STREAM = _released(_ReleaseStream)


def is_numbers(columns: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all columns can be handed over."""
    return all(column.dtype.isnative and column.dtype.name in _FORMATS for column in columns.values())


class Numbers:
    """Columns of one length as a stream, without a copy; needed until the query that reads it is done."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = {name: np.ascontiguousarray(column) for name, column in columns.items()}
        self._streams: list[_Stream] = []
        """What capsules point to."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with the stream; each call makes one that begins anew."""
        parts = _Parts(self._columns)  # not self: with it, a cycle would hold the columns until Python collects it
        batches = parts.batches()

        def get_schema(_: Any, out: Any) -> int:
            return parts.answer(out, parts.schema)

        def get_next(_: Any, out: Any) -> int:
            return parts.answer(out, lambda: next(batches, _Array()))

        get_error = _GetError(lambda _: parts.error)
        stream = _Stream(_GetSchema(get_schema), _GetNext(get_next), get_error, _RELEASE_STREAM)
        self._streams.append(stream)
        return _new_capsule(ctypes.addressof(stream), _CAPSULE, None)


class _Parts:
    """Makes the structures of a stream and keeps what they point to."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = columns
        self._kept: list[Any] = []
        self.error: bytes | None = None
        """Why the last answer was none."""

    def answer(self, out: Any, make: Callable[[], Any]) -> int:
        """Put a structure where it is wanted; an error is told by number and text, since none may leave a callback."""
        try:
            out[0] = make()
        except BaseException as error:  # noqa: BLE001 - ctypes would print it and return whatever stood there
            self.error = repr(error).encode()
            return errno.EIO
        return 0

    def schema(self) -> _Schema:
        """A struct with a column a child."""
        children = [
            _Schema(_FORMATS[column.dtype.name], name.encode(), release=_RELEASE_SCHEMA)
            for name, column in self._columns.items()
        ]
        pointers = self._pointers(_Schema, children)
        return _Schema(b"+s", b"", n_children=len(children), children=pointers, release=_RELEASE_SCHEMA)

    def batches(self) -> Iterator[_Array]:
        """Some rows each, of all columns; a thread takes one at a time."""
        length = len(next(iter(self._columns.values())))
        for at in range(0, length, BATCH):
            yield self._array(at, min(BATCH, length - at))

    def _array(self, at: int, length: int) -> _Array:
        """A struct without a validity bitmap, and a column a child."""
        children = [
            _Array(
                length,
                n_buffers=2,
                buffers=self._buffers(None, column.ctypes.data + at * column.itemsize),
                release=_RELEASE_ARRAY,
            )
            for column in self._columns.values()
        ]
        pointers, buffers = self._pointers(_Array, children), self._buffers(None)
        return _Array(
            length, n_buffers=1, n_children=len(children), buffers=buffers, children=pointers, release=_RELEASE_ARRAY
        )

    def _buffers(self, *addresses: int | None) -> Any:
        buffers = (ctypes.c_void_p * len(addresses))(*addresses)
        self._kept.append(buffers)
        return buffers

    def _pointers(self, kind: Any, items: list[Any]) -> Any:
        pointers = (ctypes.POINTER(kind) * len(items))(*(ctypes.pointer(item) for item in items))
        self._kept += [pointers, items]
        return pointers
