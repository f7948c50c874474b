"""Which files of a project are logs: by name first, then by at most 64 KiB of content."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from msgspec import Struct

from workbench.core.batch import NO, Claim, Head
from workbench.ingest import limits
from workbench.ingest.globs import glob_regex
from workbench.ingest.identity import opened
from workbench.ingest.inflate import inflated_head, is_packed, plain_path
from workbench.plugin.api import Reader
from workbench.readers.own.exports import own_export

_OTHER_NAMES = "its names are"
ACCEPT = 0.5
"""The lowest claim that counts."""
_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "site-packages", "venv", "env", "dist-packages", "lost+found", "__MACOSX"}
)
_HIDDEN_KEPT = frozenset({".hydra", ".wandb"})


class Found(Struct, frozen=True):
    """A regular file met on a walk; `path` is relative to the project."""

    path: PurePath
    inode: int
    size: int
    mtime_ns: int


class Detection(Struct, frozen=True):
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
    """Asks readers who claims a file; line formats are known by their plain name where they are compressed."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers
        self._names = _any_of(name for reader in readers for name in reader.names)
        self._own_names = {reader: _any_of(reader.names) for reader in readers}
        self._not_named = {reader: Claim(0.0, f"{_OTHER_NAMES} {', '.join(reader.names)}") for reader in readers}
        self._line_names = _any_of(name for reader in readers if reader.framing == "lines" for name in reader.names)

    def is_candidate(self, path: PurePath) -> bool:
        """Whether a file of this name is worth opening."""
        if is_packed(path):
            return self._line_names.match(plain_path(path).name) is not None
        return self._names.match(path.name) is not None

    def detect(self, root: Path, path: PurePath, siblings: frozenset[str] = frozenset()) -> Detection:
        """The reader with the highest claim on a file.

        Raises:
            OSError: the file cannot be read.
        """
        packed = is_packed(path)
        with opened(root / path) as descriptor:
            size = os.fstat(descriptor).st_size
            if packed:
                head = Head(plain_path(path), inflated_head(descriptor, path, limits.HEAD), size, siblings)
            else:
                head = Head(path, os.pread(descriptor, limits.HEAD, 0), size, siblings, str(root / path))
        if mine := own_export(head):
            return Detection(None, mine, [("workbench", mine)])
        readers = [reader for reader in self.readers if reader.framing == "lines" or not packed]
        answers = [(reader.name, self._ask(reader, head)) for reader in readers]
        best = max(range(len(answers)), key=lambda index: answers[index][1].score, default=-1)
        if best < 0 or answers[best][1].score < ACCEPT:
            return Detection(None, NO, answers)
        return Detection(readers[best], answers[best][1], answers)

    def _ask(self, reader: Reader, head: Head) -> Claim:
        if self._own_names[reader].match(head.name) is None:
            return self._not_named[reader]
        try:
            claim = reader.claim(head)
            _check(claim)
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not stop the others
            return Claim(0.0, f"failed: {type(error).__name__}: {error}", nearly=True)
        return claim


def _check(claim: Claim) -> None:
    """Refuse what would harm later, so that the claim fails where its author can see it.

    Raises:
        TypeError: a field is of another type.
        re.error: a pattern is none.
    """
    if not isinstance(claim, Claim) or not isinstance(claim.score, int | float):
        raise TypeError(f"claim() gave {claim!r}, not a Claim with a score")
    if isinstance(claim.covers, str) or not all(isinstance(pattern, str) for pattern in claim.covers):
        raise TypeError("Claim.covers must be a sequence of patterns")
    if not isinstance(claim.native_id, str) or not isinstance(claim.why, str):
        raise TypeError("Claim.native_id and Claim.why must be texts")
    for pattern in claim.covers:
        re.compile(glob_regex(pattern))


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)")
