"""Which sources a project has: found by scanning, recognised again after renames, and watched for news."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from workbench.core.config import ANNOTATIONS_FOLDER, Config
from workbench.ingest import limits
from workbench.ingest.admission import Admission
from workbench.ingest.candidates import Candidates
from workbench.ingest.deltas import Known
from workbench.ingest.discovery import Detector, Found, walk
from workbench.ingest.exports import Exports
from workbench.ingest.paths import to_text
from workbench.ingest.renames import by_name, is_same, moves
from workbench.ingest.tracked import Tracked
from workbench.plugin.api import Reader
from workbench.store.append import Cursor, Delta
from workbench.store.store import Store

Listing = dict[str, Found]

_COLD_SECONDS, _ROUND = 0.0003, 1.0
"""Time that one look spends on sources nobody wrote to lately, and the least between two rounds of all of them."""


class Registry:
    """Every source known, by path relative to the project; `walk` and `hot` find those with news, `meet` new ones."""

    def __init__(self, root: Path, config: Config, readers: Sequence[Reader], clock: Callable[[], float]) -> None:
        self.root = root
        self.config = config
        self.clock = clock
        self.tracked: dict[PurePath, Tracked] = {}
        self._admission = Admission(root, Detector(readers), clock, self.tracked)
        self._exports = Exports(root, config)
        self._hot: dict[PurePath, Tracked] = {}
        self._cold: list[Tracked] = []
        self._next_round = 0.0

    @property
    def known(self) -> Known:
        """Ids that the store has already."""
        return self._admission.known

    @property
    def waiting(self) -> Candidates:
        """Files that were found and not looked into yet."""
        return self._admission.candidates

    def load(self, store: Store) -> None:
        """Take cursors and known ids from the store; whatever was read ahead of it is forgotten."""
        self._admission.load(store)
        self._hot.clear()
        self._cold.clear()

    def save(self, store: Store) -> None:
        """Keep for the next process what the store has no place for."""
        self._admission.candidates.save(store.place.store / "looked_into.json")

    def park(self, source_id: int, path: PurePath) -> None:
        """Leave a source alone until another file takes its name: the store refuses what it says."""
        self._admission.park(source_id, path)

    def scan(self) -> list[Tracked]:
        """Walk the whole project and look into all that is new; sources with something to read, newest first."""
        news = self.walk()
        while self.waiting:
            news += self.meet(time.monotonic() + 1.0)
        return _newest_first(news)

    def walk(self) -> list[Tracked]:
        """Walk the whole project; known sources with something to read, newest first. New files wait for `meet`."""
        self._admission.candidates.clear()
        listings: dict[PurePath, Listing] = {}
        missed: set[PurePath] = set()
        for folder, files in walk(self.root, self.config.ignore, missed=missed):
            listings[folder] = self._exports.without(files)
        for folder, files in walk(self.root, (), PurePath(ANNOTATIONS_FOLDER)):
            listings[folder] = {item.path.name: item for item in files}
        return self._update(listings, whole=True, missed=missed)

    def meet(self, until: float) -> list[Tracked]:
        """Look into new files until a moment of the monotonic clock; those that are sources now."""
        return [source for source in self._admission.meet(until) if self._has_news(source, source.found)]

    def look_into(self, folders: Iterable[PurePath]) -> list[Tracked]:
        """Bring the listings of some folders up to date; sources in them with something to read."""
        listings: dict[PurePath, Listing] = {}
        for folder in folders:
            for path, files in walk(self.root, self.config.ignore, folder, deep=False):
                listings[path] = self._exports.without(files)
        return self._update(listings)

    def hinted(self, paths: Iterable[PurePath]) -> list[Tracked]:
        """Sources that hints name, with something to read; a new name brings its folder's listing up to date."""
        news, fresh = self._looked_at(self.tracked[path] for path in paths if path in self.tracked)
        fresh |= {path.parent for path in paths if path not in self.tracked and self._admission.is_worth(path)}
        return news + (self.look_into(fresh) if fresh else [])

    def hot(self, since: float) -> list[Tracked]:
        """Sources written since a time, and some of the others in turn, with one stat each; those with news.

        Where another file has taken a source's name, its folder is listed first: the old one may have a new name.
        """
        news, restless = self._looked_at(list(self._hot.values()))
        now = time.perf_counter()
        while self._cold and time.perf_counter() < now + _COLD_SECONDS:
            source = self._cold.pop()
            if source.path not in self._hot and self.tracked.get(source.path) is source:
                more, moved = self._looked_at([source])
                news += more
                restless |= moved
        if not self._cold and now > self._next_round:
            self._next_round = now + _ROUND
            self._cool(since)
            self._cold = [source for path, source in self.tracked.items() if path not in self._hot]
        return news + (self.look_into(restless) if restless else [])

    def earlier(self, source: Tracked) -> Sequence[tuple[int, int]]:
        """(source id, generation) of the run's files of the same format that come before a file by name.

        Numbers in names count by value, and files that are gone by now count as well.
        """
        return [
            (other.source_id, other.generation)
            for other in self.cursors()
            if other.format == source.reader.name
            and other.run_id == source.cursor.run_id
            and other.key_prefix == source.cursor.key_prefix
            and by_name(other.path) < by_name(source.cursor.path)
        ]

    def cursors(self) -> Iterator[Cursor]:
        """Where each source stands, those that are gone included."""
        return self._admission.cursors()

    def take_over(self, source: Tracked, gone: Cursor) -> None:
        """A source goes on as one that is gone: its file is that one's, compressed."""
        self._admission.take_over(source, gone)

    def take_remarks(self) -> list[Delta]:
        """Source rows that no reading will write: moved, skipped or given up files, once each."""
        return self._admission.take_remarks()

    def _update(
        self, listings: dict[PurePath, Listing], *, whole: bool = False, missed: Collection[PurePath] = ()
    ) -> list[Tracked]:
        """Take fresh listings of some folders; sources in them with something to read, newest first."""
        self._follow_renames(listings, whole, missed)
        listed: list[tuple[Tracked, Found]] = []
        for listing in listings.values():
            for item in listing.values():
                source = self.tracked.get(item.path)
                if source is None:
                    source = self._moved_here(item) if not whole else None
                if source is None:
                    source = self._admission.offer(item, listing)
                if source is not None:
                    listed.append((source, item))
        news = [source for source, item in listed if self._has_news(source, item)]
        self._cool(0.0)
        if whole:
            self._admission.refused.forget_gone(listings, missed)
        news += [source for source in self._admission.parameters(listings) if self._has_news(source, source.found)]
        return _newest_first(news)

    def _cool(self, since: float) -> None:
        """Leave those alone that nobody wrote to since a time, or that are no sources any more."""
        tracked = self.tracked
        self._hot = {
            path: each for path, each in self._hot.items() if tracked.get(path) is each and each.written >= since
        }

    def _looked_at(self, sources: Iterable[Tracked]) -> tuple[list[Tracked], set[PurePath]]:
        """Those of some sources that have news, and the folders where one is no longer under its name."""
        news: list[Tracked] = []
        restless: set[PurePath] = set()
        unsettled_from = (self.clock() - limits.SETTLED) * 1e9
        for source in sources:
            try:
                stat = os.lstat(source.place)
            except OSError:
                restless.add(source.path.parent)
                continue
            if source.seen == (stat.st_ino, stat.st_size, stat.st_mtime_ns) and (
                source.seen_settled or stat.st_mtime_ns > unsettled_from
            ):
                continue
            if stat.st_ino != source.inode:
                restless.add(source.path.parent)
            elif self._has_news(source, Found(source.path, stat.st_ino, stat.st_size, stat.st_mtime_ns)):
                news.append(source)
        return news, restless

    def _has_news(self, source: Tracked, item: Found | None) -> bool:
        """Whether a look at the file may bring something; what was just written gets one more when it has settled."""
        if item is None:
            return False
        if source.reader.framing == "path":
            item = source.stamped(item)
        source.found = item
        now = self.clock()
        if now - item.mtime_ns / 1e9 < limits.HOT:
            self._hot[source.path] = source
        if source.not_before > now or self._admission.is_parked(source) or not self._admission.may_read(source):
            return False
        if source.seen != (item.inode, item.size, item.mtime_ns):
            return True
        if source.seen_settled or now - item.mtime_ns / 1e9 <= limits.SETTLED:
            return False
        source.seen_settled = not source.may_wait(item)
        return not source.seen_settled

    def _follow_renames(self, listings: dict[PurePath, Listing], whole: bool, missed: Collection[PurePath]) -> None:
        """Move sources to their new names all at once, so that a chain of rotations (.1 to .2, log to .1) works."""
        moved, gone = moves(self.root, self.tracked, listings, whole=whole, missed=missed)
        sources = {path: self._admission.take_out(path) for path in moved}
        for path in gone:
            self._admission.part_with(path)
        for old, source in sources.items():
            self._admission.put_back(source, moved[old], f"was {to_text(old)}")

    def _moved_here(self, item: Found) -> Tracked | None:
        """The source that lost its old name to this one, met before the old folder was looked at."""
        source = self._admission.of_inode(item.inode)
        if source is None or source.path == item.path or not is_same(self.root, item, source):
            return None
        try:
            if os.stat(source.place, follow_symlinks=False).st_ino == item.inode:
                return None
        except OSError:
            pass
        old = source.path
        self._admission.put_back(self._admission.take_out(old), item.path, f"was {to_text(old)}")
        return source


def _newest_first(sources: Iterable[Tracked]) -> list[Tracked]:
    unique = {source.path: source for source in sources}
    return sorted(unique.values(), key=lambda source: -source.written)
