"""Which files of a project are logs: by name first, then by at most 64 KiB of content."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from workbench.core.batch import NO, Claim, Head
from workbench.ingest import limits
from workbench.ingest.identity import opened
from workbench.plugin.api import Reader

_OTHER_NAMES = "its names are"
ACCEPT = 0.5
"""The lowest claim that counts."""
_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "site-packages", "venv", "env", "dist-packages", "lost+found", "__MACOSX"}
)
_HIDDEN_KEPT = frozenset({".hydra", ".wandb"})


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file met on a walk; `path` is relative to the project."""

    path: PurePath
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Detection:
    """The winning reader of a file, its claim, and what each reader answered."""

    reader: Reader | None
    claim: Claim
    answers: Sequence[tuple[str, Claim]]

    @property
    def asked(self) -> Sequence[tuple[str, Claim]]:
        """Answers of the readers that looked into the file, because its name is one of theirs."""
        return [(name, claim) for name, claim in self.answers if not claim.why.startswith(_OTHER_NAMES)]


def walk(
    root: Path,
    ignore: Sequence[str] = (),
    below: PurePath | None = None,
    *,
    deep: bool = True,
    missed: set[PurePath] | None = None,
) -> Iterator[tuple[PurePath, list[Found]]]:
    """Every folder below the project with its files; links are not followed, so no loop is possible.

    Folders that could not be listed, or lie beyond the limit of files, are added to `missed`.
    """
    stack = [below or PurePath()]
    budget = limits.FILES
    while stack and budget > 0:
        folder = stack.pop()
        files: list[Found] = []
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    path = folder / entry.name
                    if any(fnmatch.fnmatch(str(path), pattern) for pattern in ignore):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if deep and _worth_entering(entry.name) and len(path.parts) <= limits.DEPTH:
                            stack.append(path)
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        files.append(Found(path, found.st_ino, found.st_size, found.st_mtime_ns))
        except OSError:
            if missed is not None:
                missed.add(folder)
            continue
        budget -= len(files)
        yield folder, files
    if missed is not None:
        missed.update(stack)


def _worth_entering(name: str) -> bool:
    return name not in _SKIPPED_FOLDERS and (not name.startswith(".") or name in _HIDDEN_KEPT)


class Detector:
    """Asks readers who claims a file."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers
        patterns = [fnmatch.translate(pattern) for reader in readers for pattern in reader.names]
        self._names = re.compile("|".join(patterns) or r"(?!)")

    def is_candidate(self, name: str) -> bool:
        """Whether a file of this name is worth opening."""
        return self._names.match(name) is not None

    def detect(self, root: Path, path: PurePath, siblings: frozenset[str] = frozenset()) -> Detection:
        """The reader with the highest claim on a file.

        Raises:
            OSError: the file cannot be read.
        """
        with opened(root / path) as descriptor:
            size = os.fstat(descriptor).st_size
            head = Head(path, os.pread(descriptor, limits.HEAD, 0), size, siblings, str(root / path))
        answers = [(reader.name, self._ask(reader, head)) for reader in self.readers]
        best = max(range(len(answers)), key=lambda index: answers[index][1].score, default=-1)
        if best < 0 or answers[best][1].score < ACCEPT:
            return Detection(None, NO, answers)
        return Detection(self.readers[best], answers[best][1], answers)

    def _ask(self, reader: Reader, head: Head) -> Claim:
        if not any(fnmatch.fnmatchcase(head.name, pattern) for pattern in reader.names):
            return Claim(0.0, f"{_OTHER_NAMES} {', '.join(reader.names)}")
        try:
            return reader.claim(head)
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not stop the others
            return Claim(0.0, f"failed: {type(error).__name__}: {error}")
