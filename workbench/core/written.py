"""What workbench wrote itself into projects, so that it is never read back as somebody's log.

The beginning of each file and its length are kept in the project's own folder: a file is known again under another
name, and one that was changed since is the user's.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

HEAD = 64 * 1024
"""Bytes at a file's beginning that it is known by, beside its length."""
MOST = 1_000
"""Files that are remembered, the newest ones."""
_STATE, _NAME = ".workbench", "written"


def remember(file: Path, place: Path | None = None) -> None:
    """Keep that a file is workbench's own, `place` being where it is going to lie; outside projects nothing is kept."""
    folder = _state_folder(place or file)
    if folder is None:
        return
    try:
        with file.open("rb") as stream:
            line = _mark(stream.read(HEAD), os.fstat(stream.fileno()).st_size)
        kept = folder / _NAME
        lines = kept.read_text(encoding="ascii").splitlines() if kept.exists() else []
        if line in lines:
            return
        if len(lines) < MOST:
            with kept.open("a", encoding="ascii") as stream:
                stream.write(f"{line}\n")
            return
        fresh = kept.with_name(f".{_NAME}.{os.getpid()}.tmp")
        fresh.write_text("\n".join([*lines[1 - MOST // 2 :], line, ""]), encoding="ascii")
        fresh.replace(kept)
    except (OSError, UnicodeError):
        pass  # a project that cannot be written is no reason to fail what has been done


def is_remembered(place: Path, head: bytes, size: int) -> bool:
    """Whether a file is one that was remembered, as it was; `head` is at least its first 64 KiB, or all of it."""
    folder = _state_folder(place)
    if folder is None:
        return False
    try:
        lines = (folder / _NAME).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        return False
    length = f"{size} "  # tells most files apart without a digest
    return any(line.startswith(length) for line in lines) and _mark(head[:HEAD], size) in lines


def _mark(head: bytes, size: int) -> str:
    return f"{size} {hashlib.blake2b(head, digest_size=16).hexdigest()}"


def _state_folder(file: Path) -> Path | None:
    """The state of the nearest project that a file lies in."""
    found = (folder / _STATE for folder in Path(os.path.abspath(file)).parents)
    return next((folder for folder in found if folder.is_dir()), None)
