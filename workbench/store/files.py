"""Copies of the store file, made by another process.

Opening and closing the file in a process that has it attached would drop DuckDB's lock, so a child does the copying.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from workbench.store.errors import StoreUnwritableError

_CLONE = ("cp", "-c") if sys.platform == "darwin" else ("cp", "--reflink=always")
"""Shares the blocks with the original where the file system can, which takes no time at any size."""


def copy_store(path: Path, target: Path) -> None:
    """Copy the store file (and its write-ahead log, if one was left) to `target`, replacing it atomically.

    Raises:
        StoreUnwritableError: the copy failed, no space left for instance.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    wal = path.with_name(path.name + ".wal")
    pairs = [(path, partial)]
    if wal.exists():
        pairs.append((wal, target.with_name(target.name + ".wal")))
    for source, copy in pairs:
        problem = _copy(source, copy)
        if problem:
            partial.unlink(missing_ok=True)
            raise StoreUnwritableError(f"{target}: could not be written: {problem}\n  next: free some space")
    os.utime(partial)  # a clone may bear the original's time
    partial.replace(target)


def _copy(source: Path, copy: Path) -> str:
    """Clone or copy; why it failed, or nothing."""
    for command in (_CLONE, ("cp",)):
        copy.unlink(missing_ok=True)
        done = subprocess.run(
            [*command, str(source), str(copy)], capture_output=True, text=True, errors="replace", check=False
        )
        if not done.returncode:
            return ""
    return done.stderr.strip() or "cp failed"
