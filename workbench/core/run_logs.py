"""Which text logs belong to a run: those it was read from, and those that stand beside it."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from workbench.core.model import Run, Source

NAMES = ("*.log", "*.out", "*.err", "*.log.[0-9]*", "stdout*", "stderr*", "nohup*", "*.o[0-9]*", "*.e[0-9]*", "log",
         "log.txt", "*log*.txt", "output*.txt")  # fmt: skip
"""What text logs are called."""
FOLDERS = ("", "logs", "log", "files", "out", "output")
"""Where they stand, relative to the run's folder."""
_NOT = ("*.gz", "*.zst", "*.bz2", "*.xz", "*.jsonl", "*.json", "*.csv", "*.tfevents*", "*.wandb", "*.db", "*.sqlite")
_BINARY = b"\0"
OUTPUT = "output"
"""Name of the log that is no file: what the run's own log carries of its output."""


class RunLog(Struct, frozen=True):
    """One log of a run: a file in place, or the console lines that the store has of it."""

    name: str
    """Path relative to the project, or `output`."""
    place: Path | None
    """Where it is; None for what is in the store."""
    source: str = ""
    """Id of the source whose points know their lines; empty where none was read from it."""
    generation: int = 0


class LogPlace(Struct, frozen=True):
    """A line of a text log that held a point."""

    path: str
    """Relative to the project."""
    source: str
    """Id of the source."""
    generation: int
    offset: int
    """Where the line begins, in bytes."""
    step: int


def logs_of(root: Path, run: Run, sources: Iterable[Source], has_console: bool) -> Sequence[RunLog]:
    """Logs of a run, those with points first, then by name; at the end what the store has of its output.

    `sources` are those of the run; a text log among them knows the byte of every point.
    """
    read = [source for source in sources if source.format == "text"]
    found = {
        source.path: RunLog(source.path, root / source.path, source.id, source.generation)
        for source in sorted(read, key=lambda source: (-source.accepted, source.path))
        if (root / source.path).is_file()
    }
    for path in _beside(root, run):
        name = path.relative_to(root).as_posix()
        found.setdefault(name, RunLog(name, path))
    output = [RunLog(OUTPUT, None)] if has_console else []
    return [*found.values(), *output]


def _beside(root: Path, run: Run) -> list[Path]:
    """Text logs in the run's folder; beside a run that is a file, only those of its own name."""
    place = root / run.path
    is_folder = place.is_dir()
    stem = "" if is_folder else place.stem.partition(".")[0]
    base = place if is_folder else place.parent
    found: list[Path] = []
    for folder in FOLDERS if is_folder else ("",):
        try:
            entries = sorted((base / folder).iterdir())
        except OSError:
            continue
        found += [entry for entry in entries if _is_log(entry) and (is_folder or entry.name.startswith(stem))]
    if is_folder and place == root:  # a project that is one run: only what is named plainly
        found = [entry for entry in found if entry.suffix in (".log", ".out", ".err")]
    return found


def _is_log(path: Path) -> bool:
    name = path.name.lower()
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in NAMES):
        return False
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _NOT) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return _BINARY not in file.read(1024)
    except OSError:
        return False
