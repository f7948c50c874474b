"""What can be wrong with a store, each with the cause and the next command."""

from __future__ import annotations

import re
from pathlib import Path


class StoreError(Exception):
    """The store cannot be used; the message names the cause and the next command."""


class StoreBusyError(StoreError):
    """Another process kept the store for longer than we wait."""


class StoreGoneError(StoreError):
    """The store file is not there any more."""


class StoreNewerError(StoreError):
    """The store was written by a newer workbench or a newer DuckDB."""


class StoreCorruptError(StoreError):
    """The file is damaged or no DuckDB database."""


class StoreUnwritableError(StoreError):
    """The folder or file cannot be written."""


class StoreRefusedError(StoreError):
    """The store is well and does not take what it was given; the transaction is undone."""


def lock_holder(error: Exception) -> str | None:
    """`python3.11 (PID 14702)` from DuckDB's lock message, or None when the error is another one."""
    text = str(error)
    if "lock" not in text.lower():
        return None
    match = re.search(r"held in (.+?) \(PID (\d+)\)", text)
    return f"{match[1]} (PID {match[2]})" if match else "another process"


def explain(error: Exception, path: Path) -> StoreError:
    """Turn DuckDB's or the system's error about the store file into one that teaches."""
    text = str(error)
    if isinstance(error, PermissionError) or re.search(r"permission denied|read-only file system", text, re.I):
        return StoreUnwritableError(
            f"{path}: cannot be written by this user.\n"
            f"  next: chmod u+rw {path}, or set WORKBENCH_STORE to another folder"
        )
    if "version number" in text or "newer version" in text:
        return StoreNewerError(
            f"{path}: written by a newer DuckDB than the one installed.\n"
            f"  next: pip install --upgrade duckdb, or move the file aside and let the logs be read again"
        )
    if (isinstance(error, OSError) and error.errno == 28) or "No space left" in text:
        return StoreUnwritableError(
            f"{path}: the disk is full.\n  next: free some space; nothing was lost, run it again"
        )
    return StoreCorruptError(
        f"{path}: cannot be opened as a store: {text.splitlines()[0] if text else type(error).__name__}\n"
        f"  next: workbench doctor"
    )


def explain_statement(error: Exception, path: Path) -> StoreError:
    """Turn DuckDB's error about a statement into one of ours: what was given is wrong, or the file is."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"DataError", "ProgrammingError", "IntegrityError", "NotSupportedError"}:
        return StoreRefusedError(f"{path}: {str(error).splitlines()[0]}")
    return explain(error, path)
