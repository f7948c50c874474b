"""Copies of the store file, made by another process.

Opening and closing the file in a process that has it attached would drop DuckDB's lock, so a child does the copying.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from workbench.store.errors import StoreUnwritableError


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
        done = subprocess.run(["cp", "-p", str(source), str(copy)], capture_output=True, text=True, check=False)
        if done.returncode:
            partial.unlink(missing_ok=True)
            raise StoreUnwritableError(
                f"{target}: could not be written: {done.stderr.strip()}\n  next: free some space"
            )
    partial.replace(target)
