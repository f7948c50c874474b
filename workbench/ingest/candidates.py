"""New files on their way to becoming sources: looked into newest first, and not again without need."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from msgspec import Struct

from workbench.ingest import limits
from workbench.ingest.discovery import Detection, Detector, Found
from workbench.ingest.paths import from_text, to_text
from workbench.plugin.api import Reader

_SMALL = 4096
"""A file below this size is looked into whenever it grew."""
_LOG_SUFFIXES = frozenset({".log", ".jsonl", ".ndjson", ".jsonlines", ".wandb", ".tfevents", ".out"})
_LOG_WORDS = frozenset(
    {"log", "logs", "metric", "metrics", "history", "progress", "loss", "tfevents", "events", "stdout", "stderr"}
)


class Bid(Struct, frozen=True):
    """A file and what readers answered; `error` is set where it could not be opened."""

    item: Found
    detection: Detection | None
    error: str = ""


class Candidates:
    """Files waiting to be looked into, and those that were looked into in vain."""

    def __init__(self, root: Path, detector: Detector, clock: Callable[[], float]) -> None:
        self._root = root
        self._detector = detector
        self._clock = clock
        self._waiting: dict[PurePath, dict[PurePath, Found]] = {}
        self._names: dict[PurePath, frozenset[str]] = {}
        self._order: list[PurePath] = []
        self._in_vain: dict[PurePath, tuple[int, int, float]] = {}
        self._changed = False
        self.fingerprint = readers_fingerprint(detector.readers)
        """Changes with the readers: another one may understand what these did not."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        return sum(len(files) for files in self._waiting.values())

    @property
    def size(self) -> int:
        """Bytes of the files that wait."""
        return sum(item.size for files in self._waiting.values() for item in files.values())

    def offer(self, item: Found, listing: Mapping[str, Found]) -> None:
        """Queue a file that is no source yet, if its name says that it could be one and it was not seen in vain."""
        if item.size and self._detector.is_candidate(item.path) and self._is_due(item):
            folder = item.path.parent
            self._waiting.setdefault(folder, {})[item.path] = item
            self._order.clear()
            if len(self._names.get(folder, ())) != len(listing):
                self._names[folder] = frozenset(listing)

    def waits_in(self, folder: PurePath) -> bool:
        """Whether some file of a folder is still to be looked into."""
        return bool(self._waiting.get(folder))

    def is_due(self, path: PurePath) -> bool:
        """Whether a file that a hint names is worth a listing of its folder."""
        if not self._detector.is_candidate(path):
            return False
        seen = self._in_vain.get(path)
        return seen is None or seen[1] < _SMALL or self._clock() - seen[2] > limits.LOOK_AGAIN

    def remember(self, item: Found) -> None:
        """Nobody understood a file as it is."""
        self._in_vain[item.path] = (item.inode, item.size, self._clock())
        self._changed = True

    def _is_due(self, item: Found) -> bool:
        seen = self._in_vain.get(item.path)
        if seen is None or seen[0] != item.inode:
            return True
        if seen[1] == item.size:
            return False
        return seen[1] < _SMALL or item.size < seen[1] or self._clock() - seen[2] > limits.LOOK_AGAIN

    def bids(self, until: float) -> list[Bid]:
        """Look into waiting files until a moment of the monotonic clock, one at least; folders written last first."""
        made: list[Bid] = []
        if not self._order:
            self._order = sorted(self._waiting, key=self._written)
        while self._order:
            for folder in [*reversed(self._order[-1].parents), self._order[-1]]:
                if folder in self._waiting and not self._look_into(folder, until, made):
                    return made
            self._order.pop()
        return made

    def _written(self, folder: PurePath) -> int:
        """When the newest waiting file of a folder was written."""
        return max(item.mtime_ns for item in self._waiting[folder].values())

    def _look_into(self, folder: PurePath, until: float, made: list[Bid]) -> bool:
        """Bids for a folder's files, those that tell a run's own id first; False when time is up."""
        files = self._waiting[folder]
        for item in sorted(files.values(), key=lambda item: (not item.path.name.endswith(".wb.jsonl"), item.path.name)):
            if made and time.monotonic() > until:
                return False
            del files[item.path]
            made.append(self._bid(item, self._names.get(folder, frozenset())))
        del self._waiting[folder]
        self._names.pop(folder, None)
        return True

    def _bid(self, item: Found, names: frozenset[str]) -> Bid:
        try:
            detection = self._detector.detect(self._root, item.path, names)
        except OSError as error:
            return Bid(item, None, error.strerror or str(error))
        return Bid(item, detection)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()
        self._names.clear()
        self._order.clear()

    def load(self, file: Path) -> None:
        """Take up what an earlier process looked into in vain, with the same readers."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(file.read_bytes())
            if kept["readers"] == self.fingerprint:
                for text, (inode, size, at) in kept["files"].items():
                    self._in_vain.setdefault(from_text(text), (int(inode), int(size), float(at)))

    def save(self, file: Path) -> None:
        """Leave that for the next process; losing it costs another look, so nothing is made of an error."""
        if not self._changed:
            return
        self._changed = False
        newest = sorted(self._in_vain.items(), key=lambda pair: -pair[1][2])[: limits.FILES // 4]
        files = {to_text(path): seen for path, seen in newest}
        with suppress(OSError):
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps({"readers": self.fingerprint, "files": files}))
            fresh.replace(file)


def readers_fingerprint(readers: Sequence[Reader]) -> str:
    """The readers and their versions in a few letters."""
    told = ",".join(f"{reader.name} {reader.version}" for reader in readers)
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def looks_like_a_log(path: PurePath, detection: Detection) -> bool:
    """Whether a file that nobody understood belongs into Sources: by its name, or because it nearly is one."""
    told = any(claim.nearly or claim.score > 0 for _, claim in detection.asked)
    words = re.split(r"[^a-z]+", path.name.lower())
    return told or bool(_LOG_SUFFIXES.intersection(path.suffixes)) or bool(_LOG_WORDS.intersection(words))


def tried(detection: Detection) -> str:
    """What each reader that looked into a file said about it."""
    return "; ".join(f"{name}: {claim.why or 'not its format'}" for name, claim in detection.asked)
