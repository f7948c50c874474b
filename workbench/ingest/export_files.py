"""Files that monitors read: found, recognised when they come back, and opened as the text or table they hold."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath

from msgspec import Struct
from msgspec.structs import replace

from workbench.ingest import limits
from workbench.ingest.identity import Mark, mark_of, opened, still_at
from workbench.ingest.inflate import inflate, is_packed, plain_path
from workbench.monitor.reading import Export
from workbench.monitor.tables import DriftInputError, parquet_complete, sniff_format
from workbench.store.exports import ExportCursor

WRITTEN = 60.0
"""Seconds without a change after which a Parquet file without its end is no longer being written."""


class Found(Struct, frozen=True):
    """A file of a monitor as the file system shows it."""

    kind: str
    """`rows` or `labels`."""
    path: str
    """Relative to the project."""
    place: Path
    inode: int
    bytes: int
    mtime_ns: int

    @property
    def modified(self) -> float:
        """When it was written last, seconds since 1970."""
        return self.mtime_ns / 1e9


def find(root: Path, pattern: str | None, kind: str) -> list[Found]:
    """The files of a glob pattern, in order of their names."""
    found = []
    for name in sorted(glob.glob(pattern, root_dir=root, recursive=True)) if pattern else ():
        place = Path(os.path.realpath(root / name))
        try:
            if place.is_file():
                stat = place.stat()
                found.append(Found(kind, str(PurePath(name)), place, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        except OSError:
            continue
    return found


def unread(file: Found, cursor: ExportCursor | None, now: float) -> bool:
    """Whether a file may have something new."""
    if cursor is None:
        return file.bytes > 0
    if (cursor.inode, cursor.bytes, cursor.mtime_ns) != (file.inode, file.bytes, file.mtime_ns):
        return True
    if cursor.whole or cursor.message:
        return False
    return not cursor.waits or _settled(file, now)


def _settled(file: Found, now: float) -> bool:
    return now - file.modified > limits.SETTLED


def fresh(file: Found, generation: int = 0) -> ExportCursor:
    """A file of which nothing is read."""
    return ExportCursor(file.kind, file.path, file.inode, generation, 0, 0, file.bytes, file.mtime_ns)


def start_of(file: Found, cursor: ExportCursor | None) -> ExportCursor:
    """Where to read on: behind what was read, or from the start as a new generation where that is there no more.

    Raises:
        OSError: it cannot be read.
    """
    if cursor is None:
        return fresh(file)
    mark = Mark(cursor.head_length, cursor.head_hash, cursor.tail_hash)
    with opened(file.place) as descriptor:
        same = still_at(descriptor, file.bytes, cursor.marked, mark)
    grown_behind = cursor.unended and cursor.bytes != file.bytes
    if same and not grown_behind and not cursor.message:
        return replace(cursor, inode=file.inode, bytes=file.bytes, mtime_ns=file.mtime_ns, whole=False, waits=False)
    return fresh(file, cursor.generation + 1)


def marked(file: Found, cursor: ExportCursor, form: str) -> ExportCursor:
    """The cursor with what its content is recognised by: of plain text what was read of it, else all of the file.

    Raises:
        OSError: it cannot be read.
    """
    at = file.bytes if form == "parquet" or is_packed(PurePath(file.path)) else cursor.position
    with opened(file.place) as descriptor:
        mark = mark_of(descriptor, at)
    return replace(cursor, marked=at, head_length=mark.head_length, head_hash=mark.head_hash, tail_hash=mark.tail_hash)


def moved(files: Sequence[Found], cursors: Mapping[tuple[str, str], ExportCursor]) -> list[Found]:
    """The files, those that were only moved under the name by which they are known."""
    here = {(file.kind, file.path) for file in files}
    gone = {(cursor.kind, cursor.inode): cursor for place, cursor in cursors.items() if place not in here}
    found = []
    for file in files:
        old = gone.get((file.kind, file.inode)) if (file.kind, file.path) not in cursors else None
        same = old is not None and old.mtime_ns == file.mtime_ns and old.bytes == file.bytes
        found.append(replace(file, path=old.path) if old is not None and same else file)
    return found


@contextmanager
def open_export(file: Found, folder: Path, form: str, now: float) -> Iterator[Export | None]:
    """Open a file for reading; None while it is being written.

    folder: where compressed text is decompressed. form: `auto`, or the format that is configured.

    Raises:
        DriftInputError: it is not what it seems, or damaged.
        OSError: it cannot be read.
    """
    plain = plain_path(PurePath(file.path))
    final = _settled(file, now)
    with opened(file.place) as descriptor:
        if is_packed(PurePath(file.path)):
            inflated = inflate(descriptor, PurePath(file.path), folder)
            try:
                if inflated.problem and not (final or inflated.problem.startswith("E150")):
                    yield None
                    return
                if inflated.problem.startswith("E150"):
                    raise DriftInputError(f"{file.path}: {inflated.problem}")
                kind = form if form != "auto" else sniff_format(Path(plain), os.pread(inflated.descriptor, 64, 0))
                yield Export(file.path, file.place, kind, inflated.descriptor, True, inflated.problem)  # type: ignore[arg-type]
            finally:
                inflated.close()
            return
        head = os.pread(descriptor, 64, 0)
        kind = form if form != "auto" else sniff_format(Path(plain), head)
        if kind == "parquet" and not parquet_complete(file.place):
            if now - file.modified > WRITTEN:
                raise DriftInputError(f"{file.path}: E160 the Parquet file has no end: it was cut off")
            yield None
            return
        yield Export(file.path, file.place, kind, descriptor, final)  # type: ignore[arg-type]
