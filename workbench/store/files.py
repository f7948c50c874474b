"""Copies of the store file, made by another process.

Opening and closing the file in a process that has it attached would drop DuckDB's lock, so a child does the copying.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path

from workbench.store.errors import StoreUnwritableError

_instances = itertools.count()


def spill_folder(store: Path) -> str:
    """A folder for what DuckDB spills, one an instance: 1.5 gives files the same names in every process.

    Folders of processes that are gone are removed.
    """
    base = store / "tmp"
    for old in base.iterdir() if base.is_dir() else ():
        if not _lives(old.name.partition("-")[0]):
            shutil.rmtree(old, ignore_errors=True)
    return str(base / f"{os.getpid()}-{next(_instances)}")


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


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
        done = subprocess.run(["cp", str(source), str(copy)], capture_output=True, text=True, check=False)
        if done.returncode:
            partial.unlink(missing_ok=True)
            raise StoreUnwritableError(
                f"{target}: could not be written: {done.stderr.strip()}\n  next: free some space"
            )
    partial.replace(target)
