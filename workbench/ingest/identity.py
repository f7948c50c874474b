"""How a source is recognised: by inode and by hashes of its head and of what lies before the cursor.

Sizes and times alone miss rewrites; content alone takes two runs with equal heads for one. So path and inode name a
source, and the hashes only confirm it.
"""

from __future__ import annotations

import hashlib
import os
import stat as stats
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

HEAD_BYTES = 1024
TAIL_BYTES = 256


class Mark(Struct, frozen=True):
    """What is remembered of a source's content at its cursor."""

    head_length: int = 0
    head_hash: str = ""
    tail_hash: str = ""


@contextmanager
def opened(path: Path | str) -> Iterator[int]:
    """A descriptor of a regular file, never of a pipe, device or link.

    Raises:
        OSError: it is none, or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags)
    try:
        if not stats.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(22, "not a regular file", str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def mark_of(descriptor: int, offset: int, head_bytes: int = HEAD_BYTES) -> Mark:
    """Fingerprint the first bytes of a file and the last ones before `offset`.

    What is appended to changes at its ends; what is edited in place takes a head of the whole.
    """
    head = os.pread(descriptor, min(head_bytes, offset), 0)
    start = max(0, offset - TAIL_BYTES)
    tail = os.pread(descriptor, offset - start, start)
    return Mark(len(head), _digest(head), _digest(tail))


def head_digest(descriptor: int, length: int) -> str:
    """Fingerprint of the first bytes of a file, as in its mark."""
    return _digest(os.pread(descriptor, length, 0))


def still_at(descriptor: int, size: int, offset: int, mark: Mark) -> bool:
    """Whether the bytes up to `offset` of a file of `size` bytes are still those that were read."""
    if size < offset:
        return False
    if offset == 0:
        return True
    head = os.pread(descriptor, mark.head_length, 0)
    start = max(0, offset - TAIL_BYTES)
    tail = os.pread(descriptor, offset - start, start)
    return _digest(head) == mark.head_hash and _digest(tail) == mark.tail_hash


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()
