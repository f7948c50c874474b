"""Ids are hashes, so that any host arrives at the same ones without asking."""

from __future__ import annotations

import hashlib
from functools import lru_cache


def hash64(*parts: str) -> int:
    """An unsigned 64-bit id of some texts."""
    digest = hashlib.blake2b("\x00".join(parts).encode("utf-8", "surrogateescape"), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


def run_id(native_id: str = "", path: str = "") -> str:
    """A run's id, 12 hexadecimal digits: of its native id, else of its path relative to the project."""
    text = f"native:{native_id}" if native_id else f"path:{path}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


@lru_cache(maxsize=1 << 16)
def series_id(run: str, key: str, source_format: str) -> int:
    """The id of one metric of one run as one format tells it: 24 bits that its whole run shares, and 40 of its own.

    Points of a run lie together, so ranges of ids tell a scan which parts of the table to skip.
    """
    return (int(run[:6] or "0", 16) << 40) | (hash64("series", run, key, source_format) & 0xFF_FFFF_FFFF)
