"""Compressed logs as the plain ones they were: decompressed into a file without a name, under limits against bombs."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import IO, Any, Protocol

from msgspec import Struct

from workbench.ingest import limits

SUFFIXES = (".gz", ".zst")
_STEP = 1 << 20


class _Early(Exception):
    """The stream ends before it is whole, or must not go on; the message says why."""


class _Stream(Protocol):
    """One member or frame: both libraries' decompressors, behind one face."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def feed(self, data: bytes) -> bytes: ...
    @property
    def hungry(self) -> bool: ...


class Inflated(Struct, frozen=True):
    """What a compressed file holds; `problem` says why it ends early, and is empty when it is whole."""

    file: IO[bytes]
    size: int
    problem: str

    @property
    def descriptor(self) -> int:
        """The decompressed bytes."""
        return self.file.fileno()

    def close(self) -> None:
        """Give the space back."""
        self.file.close()


def is_packed(path: PurePath) -> bool:
    """Whether a name says that the file is compressed."""
    return path.suffix in SUFFIXES


def plain_path(path: PurePath) -> PurePath:
    """The name that the file had before it was compressed."""
    return path.with_suffix("") if is_packed(path) and path.stem else path


def inflated_head(descriptor: int, path: PurePath, length: int) -> bytes:
    """The first decompressed bytes, as far as they can be had."""
    found = b""
    try:
        for piece, _ in _pieces(descriptor, path.suffix):
            found += piece
            if len(found) >= length:
                break
    except _Early:
        pass
    return found[:length]


def inflate(descriptor: int, path: PurePath, folder: Path) -> Inflated:
    """Decompress a whole file into one without a name in `folder`.

    Raises:
        OSError: it cannot be read, or there is no room.
    """
    file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives on in the answer
    size, problem = 0, ""
    try:
        for piece, taken in _pieces(descriptor, path.suffix):
            size += len(piece)
            if size > limits.INFLATED or (size > limits.RATIO_FROM and size > limits.RATIO * taken):
                raise _Early(f"E150 {size:,} bytes out of {taken:,} compressed ones: not read any further")
            if size >> 28 != (size - len(piece)) >> 28:
                _require_room(folder)
            file.write(piece)
        file.flush()
    except _Early as early:
        file.flush()
        problem = str(early)
    except BaseException:
        file.close()
        raise
    return Inflated(file, os.fstat(file.fileno()).st_size, problem)


def _require_room(folder: Path) -> None:
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < limits.LEAST_FREE:
        raise OSError(28, "no room to decompress it", str(folder))


def _pieces(descriptor: int, suffix: str) -> Iterator[tuple[bytes, int]]:
    """Decompressed pieces, each with the compressed bytes taken so far; members and frames follow one another."""
    offset, data = 0, b""
    made: Callable[[], _Stream] = _Gzip if suffix == ".gz" else _Zstd
    while True:
        stream = made()
        while not stream.eof:
            if not data and stream.hungry:
                data = os.pread(descriptor, _STEP, offset)
                offset += len(data)
                if not data:
                    raise _Early(f"E151 the compressed stream ends early, after {offset:,} bytes")
            try:
                piece = stream.feed(data)
            except Exception as error:  # zlib.error, ZstdError and the like: one outcome for both libraries
                raise _Early(f"E152 the compressed stream is damaged near byte {offset:,}: {error}") from error
            data = b""
            yield piece, offset
        data = stream.unused_data.lstrip(b"\0")
        while not data:
            data = os.pread(descriptor, _STEP, offset)
            offset += len(data)
            if not data:
                return
            data = data.lstrip(b"\0")


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def hungry(self) -> bool:
        return not self._stream.unconsumed_tail

    def feed(self, data: bytes) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, _STEP)


class _Zstd:
    def __init__(self) -> None:
        zstd = _zstd()
        self._stream = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: limits.WINDOW_LOG})

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._stream.unused_data)

    @property
    def hungry(self) -> bool:
        return bool(self._stream.needs_input)

    def feed(self, data: bytes) -> bytes:
        return bytes(self._stream.decompress(data, _STEP))


def _zstd() -> Any:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
