"""Which sources a project has: found by scanning, recognised again after renames, and assigned to runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from workbench.core.batch import Claim
from workbench.core.config import ANNOTATIONS_FOLDER, Config
from workbench.core.ids import hash64, run_id
from workbench.ingest import limits
from workbench.ingest.covers import Covers
from workbench.ingest.discovery import Detection, Detector, Found, walk
from workbench.ingest.renames import by_name, moves
from workbench.ingest.tracked import Known, Own, Tracked, decode_own, encode_state, given_up
from workbench.plugin.api import Reader
from workbench.readers.annotations import AnnotationReader
from workbench.readers.beside import ParamsReader
from workbench.readers.params import PARAM_FILES
from workbench.store.append import Cursor, Delta, latest_cursors
from workbench.store.store import Store

Listing = dict[str, Found]


class Registry:
    """Every source known, by path relative to the project; `scan` finds new ones and those with news."""

    def __init__(self, root: Path, config: Config, readers: Sequence[Reader], clock: Callable[[], float]) -> None:
        self.root = root
        self.config = config
        self.clock = clock
        self.known = Known(set(), set())
        self.tracked: dict[PurePath, Tracked] = {}
        self._detector = Detector(readers)
        self._beside: tuple[Reader, Reader] = (ParamsReader(), AnnotationReader())
        self._run_of_folder: dict[str, str] = {}
        self._undecided: dict[PurePath, tuple[int, int]] = {}
        self._skipped: dict[PurePath, Cursor] = {}
        self._gone: dict[PurePath, Cursor] = {}
        self._remarks: list[Delta] = []
        self._ids: set[int] = set()
        self._covers = Covers()

    def load(self, store: Store) -> None:
        """Take cursors and known ids from the store; whatever was read ahead of it is forgotten."""
        with store.read() as con:
            cursors = latest_cursors(con)
            self.known = Known(
                {row[0] for row in con.execute("SELECT DISTINCT run_id FROM run_log").fetchall()},
                {row[0] for row in con.execute("SELECT DISTINCT series_id FROM series_log").fetchall()},
            )
            paths = dict(con.execute("SELECT path, run_id FROM run_log ORDER BY commit_id DESC").fetchall())
            run_paths = dict(con.execute("SELECT run_id, path FROM run_log ORDER BY commit_id").fetchall())
        self._run_of_folder = dict(paths)
        self._ids = {cursor.source_id for cursor in cursors}
        readers = {reader.name: reader for reader in (*self._detector.readers, *self._beside)}
        self.tracked.clear()
        self._skipped.clear()
        self._gone.clear()
        self._covers.clear()
        for cursor in cursors:
            path = PurePath(cursor.path)
            reader = readers.get(cursor.format)
            if cursor.status == "skipped":
                self._skipped[path] = cursor
            elif cursor.status == "vanished":
                self._gone[path] = cursor
            elif reader is not None:
                self.tracked[path] = self._loaded(path, reader, cursor, run_paths.get(cursor.run_id, str(path)))

    def _loaded(self, path: PurePath, reader: Reader, cursor: Cursor, run_path: str) -> Tracked:
        source = Tracked(path, reader, cursor, run_path, reader not in self._beside, decode_own(cursor.state))
        self._covers.add(path, source.own.covers)
        if cursor.reader_version < reader.version:
            source.next_generation("read again by a newer reader", replaces=True)
            source.cursor = replace(source.cursor, reader_version=reader.version)
        elif cursor.to_offset >= cursor.bytes or (reader.framing == "path" and cursor.mtime_ns):
            source.seen = (cursor.inode, cursor.bytes, cursor.mtime_ns)
            source.seen_settled = cursor.seen_at - cursor.mtime_ns / 1e9 > limits.SETTLED
        return source

    def scan(self) -> list[Tracked]:
        """Walk the whole project; sources with something to read, those written last first."""
        exports = {
            path for monitor in self.config.monitors.values() for path in self._glob(monitor.path, monitor.reference)
        }
        listings: dict[PurePath, Listing] = {}
        missed: set[PurePath] = set()
        for folder, files in walk(self.root, self.config.ignore, missed=missed):
            listings[folder] = {item.path.name: item for item in files if item.path not in exports}
        notes = PurePath(ANNOTATIONS_FOLDER)
        for folder, files in walk(self.root, (), notes):
            listings[folder] = {item.path.name: item for item in files}
        return self.update(listings, whole=True, missed=missed)

    def update(
        self, listings: dict[PurePath, Listing], *, whole: bool = False, missed: Collection[PurePath] = ()
    ) -> list[Tracked]:
        """Take fresh listings of some folders; sources in them with something to read, those written last first."""
        self._follow_renames(listings, whole, missed)
        self._meet_all(listings)
        dirty: list[tuple[int, Tracked]] = []
        for listing in listings.values():
            for item in listing.values():
                source = self.tracked.get(item.path)
                if source is not None and source.reader is not self._beside[0] and self._has_news(source, item):
                    dirty.append((item.mtime_ns, source))
        owners = self._runs_by_folder()
        for folder, listing in listings.items():
            dirty += self._parameters(folder, listing, owners)
        return [source for _, source in sorted(dirty, key=lambda pair: -pair[0])]

    def look_into(self, folders: Iterable[PurePath]) -> list[Tracked]:
        """Bring the listings of some folders up to date; sources in them with something to read."""
        listings: dict[PurePath, Listing] = {}
        for folder in folders:
            for path, files in walk(self.root, self.config.ignore, folder, deep=False):
                listings[path] = {item.path.name: item for item in files}
        return self.update(listings)

    def is_worth(self, path: PurePath) -> bool:
        """Whether a new name could be a log or a parameter file."""
        return path not in self.tracked and (self._detector.is_candidate(path.name) or path.name in PARAM_FILES)

    def hot(self, since: float) -> list[Tracked]:
        """Sources written since a time, looked at with one stat each; those with something to read.

        Where another file has taken a source's name, its folder is listed first: the old one may have a new name.
        """
        news: list[Tracked] = []
        restless: set[PurePath] = set()
        for source in list(self.tracked.values()):
            touched = source.found.mtime_ns if source.found else source.cursor.mtime_ns
            if touched / 1e9 < since:
                continue
            try:
                found = os.stat(self.root / source.path, follow_symlinks=False)
            except OSError:
                restless.add(source.path.parent)
                continue
            if found.st_ino != (source.found.inode if source.found else source.cursor.inode):
                restless.add(source.path.parent)
            elif self._has_news(source, Found(source.path, found.st_ino, found.st_size, found.st_mtime_ns)):
                news.append(source)
        return news + (self.look_into(restless) if restless else [])

    def earlier(self, source: Tracked) -> Sequence[tuple[int, int]]:
        """(source id, generation) of the run's files of the same format that come before a file by name.

        Numbers in names count by value, and files that are gone by now count as well.
        """
        others = [*(item.cursor for item in self.tracked.values()), *self._gone.values()]
        return [
            (other.source_id, other.generation)
            for other in others
            if other.format == source.reader.name
            and other.run_id == source.cursor.run_id
            and other.key_prefix == source.cursor.key_prefix
            and by_name(other.path) < by_name(str(source.path))
        ]

    def take_remarks(self) -> list[Delta]:
        """Source rows that no reading will write: moved or skipped files, once each."""
        remarks, self._remarks = self._remarks, []
        return remarks

    def _has_news(self, source: Tracked, item: Found) -> bool:
        """Whether a look at the file may bring something; what was just written gets one more when it has settled."""
        if source.reader.framing == "path":
            item = self._stamped(source, item)
        source.found = item
        if source.seen != (item.inode, item.size, item.mtime_ns):
            return True
        settled = self.clock() - item.mtime_ns / 1e9 > limits.SETTLED
        waits = source.reader.framing == "path" or source.cursor.to_offset < item.size
        return settled and not source.seen_settled and waits

    def _stamped(self, source: Tracked, item: Found) -> Found:
        """With size and time of all that a database or folder is made of, where its reader can tell."""
        try:
            size, modified = source.reader.stamp(os.path.abspath(self.root / source.path))
        except Exception:  # noqa: BLE001 - a plugin's mistake must not stop the others; reading it will say what is wrong
            return item
        return replace(item, size=size, mtime_ns=modified)

    def _follow_renames(self, listings: dict[PurePath, Listing], whole: bool, missed: Collection[PurePath]) -> None:
        """Move sources to their new names all at once, so that a chain of rotations (.1 to .2, log to .1) works."""
        moved, gone = moves(self.root, self.tracked, listings, whole=whole, missed=missed)
        sources = {path: self.tracked.pop(path) for path in moved}
        for path in gone:
            source = self.tracked.pop(path)
            self._covers.drop(path)
            self._remark(source, status="vanished", message="the file is gone; what it said is kept")
            self._gone[path] = source.cursor
        for old, source in sources.items():
            source.path = moved[old]
            self.tracked[source.path] = source
            self._covers.drop(old)
            self._covers.add(source.path, source.own.covers)
            self._remark(source, path=str(source.path), message=f"was {old}")

    def _remark(self, source: Tracked, **changes: object) -> None:
        source.cursor = replace(
            source.cursor, from_offset=source.cursor.to_offset, seen_at=self.clock(), **changes,  # type: ignore[arg-type]
        )  # fmt: skip
        self._remarks.append(Delta(source.cursor))

    def _in_order(self, items: Iterable[Found]) -> list[Found]:
        """By name, files that tell a run's own id first, so that their neighbours can join it."""
        return sorted(items, key=lambda item: (not item.path.name.endswith(".wb.jsonl"), item.path.name))

    def _meet_all(self, listings: dict[PurePath, Listing]) -> None:
        """Detect what is new, and track what is not read through something else: those that cover others first."""
        bids: list[tuple[Found, Detection]] = []
        for listing in listings.values():
            for item in self._in_order(listing.values()):
                if item.path in self.tracked:
                    continue
                if PurePath(ANNOTATIONS_FOLDER) in item.path.parents:
                    self._track(item, self._beside[1], Claim(1.0, "annotations"), "", "")
                elif (detection := self._meet(item, listing)) is not None:
                    bids.append((item, detection))
        covering = [bid for bid in bids if bid[1].claim.covers]
        others = [bid for bid in bids if not bid[1].claim.covers]
        covering.sort(key=lambda bid: (len(bid[0].path.parts), -bid[1].claim.score))
        for item, detection in covering + others:
            if self._covers.owner(item.path) is None and detection.reader is not None:
                folder, prefix = detection.reader.run_folder(item.path)
                folder = PurePath(detection.claim.run_folder) if detection.claim.run_folder else folder
                own = detection.claim.per_file_run or detection.claim.many_runs
                self._track(item, detection.reader, detection.claim, str(item.path if own else folder), prefix)
        if covering:
            self._give_up_covered()

    def _meet(self, item: Found, listing: Listing) -> Detection | None:
        """Detect a file seen for the first time, or again since it grew."""
        if not self._detector.is_candidate(item.path.name) or self._covers.owner(item.path) is not None:
            return None
        if self._undecided.get(item.path) == (item.size, item.inode):
            return None
        old = self._skipped.get(item.path)
        if old is not None and (old.bytes, old.mtime_ns) == (item.size, item.mtime_ns):
            return None
        try:
            detection = self._detector.detect(self.root, item.path, frozenset(listing))
        except OSError as error:
            self._skip(item, "unreadable", error.strerror or str(error))
            return None
        if detection.reader is None:
            self._undecided[item.path] = (item.size, item.inode)
            tried = "; ".join(f"{name}: {claim.why}" for name, claim in detection.asked if claim.why)
            if item.size and tried:
                self._skip(item, "skipped", tried)
            return None
        return detection

    def _give_up_covered(self) -> None:
        """Sources of their own that turn out to be read through another one: what they said no longer counts."""
        for path, source in list(self.tracked.items()):
            owner = self._covers.owner(path)
            if owner is None:
                continue
            del self.tracked[path]
            source.next_generation(f"read through {owner}", replaces=True)
            source.cursor = replace(source.cursor, status="vanished", seen_at=self.clock())
            self._remarks.append(given_up(source, self._is_alone(source)))

    def _is_alone(self, source: Tracked) -> bool:
        """Whether no other source tells of its run."""
        run = source.cursor.run_id
        return source.makes_run and all(other.cursor.run_id != run for other in self.tracked.values())

    def _track(self, item: Found, reader: Reader, claim: Claim, run_path: str, prefix: str) -> Tracked:
        own = Own(covers=tuple(claim.covers), many_runs=claim.many_runs)
        told_by_name = claim.many_runs or reader is self._beside[1]
        run = "" if told_by_name else self._assign(run_path, claim.native_id)
        back = self._gone.pop(item.path, None)
        if back is not None and back.format == reader.name:
            own = replace(decode_own(back.state), covers=own.covers, many_runs=own.many_runs)
            cursor = replace(back, status="live", message="", run_id=run)
        else:
            cursor = self._new_cursor(item, reader, run, prefix)
            cursor = replace(cursor, state=encode_state({}, own))
        source = Tracked(item.path, reader, cursor, run_path, reader not in self._beside, own)
        if back is not None and not cursor.to_offset:
            source.next_generation("", replaces=True)
        self._covers.add(item.path, own.covers)
        self.tracked[item.path] = source
        return source

    def _assign(self, run_path: str, native_id: str) -> str:
        """The run of a folder or file: its native run, else the one already known there, else one of its path."""
        if native_id:
            run = run_id(native_id)
            self._run_of_folder.setdefault(run_path, run)
            return run
        return self._run_of_folder.setdefault(run_path, run_id(path=run_path))

    def _new_cursor(self, item: Found, reader: Reader, run: str, prefix: str, status: str = "live") -> Cursor:
        source_id, attempt = hash64("source", str(item.path)), 0
        while source_id in self._ids:
            attempt += 1
            source_id = hash64("source", str(item.path), str(attempt))
        self._ids.add(source_id)
        return Cursor(
            source_id, str(item.path), reader.name, reader.version, run, prefix, item.inode, 0, 0, 0, item.size,
            item.mtime_ns, 0, "", "", 0, 0, status, "", "", None, None, 0.0, 0.0, self.clock(),
        )  # fmt: skip

    def _skip(self, item: Found, status: str, message: str) -> None:
        if item.path in self._skipped:
            cursor = replace(self._skipped[item.path], bytes=item.size, mtime_ns=item.mtime_ns, message=message)
        elif len(self._skipped) < limits.SKIPPED:
            cursor = replace(
                self._new_cursor(item, self._detector.readers[0], "", ""), format="", status=status, message=message
            )
        else:
            return
        self._skipped[item.path] = cursor
        self._remarks.append(Delta(cursor))

    def _runs_by_folder(self) -> dict[PurePath, str]:
        """The run that each folder stands for, else the only one with a log in it.

        Where several took turns in a folder, its parameter files are the latest one's: what was read before stays with
        the first, and what they say by now is nobody's.
        """
        inside: dict[PurePath, set[str]] = {}
        standing: dict[PurePath, set[str]] = {PurePath(path): {run} for path, run in self._run_of_folder.items()}
        for path, source in self.tracked.items():
            if source.makes_run and source.cursor.run_id:
                inside.setdefault(path.parent, set()).add(source.cursor.run_id)
                standing.setdefault(PurePath(source.run_path), set()).add(source.cursor.run_id)
        return {folder: next(iter(ids)) for folder, ids in (inside | standing).items() if len(ids) == 1}

    def _parameters(self, folder: PurePath, listing: Listing, owners: dict[PurePath, str]) -> list[tuple[int, Tracked]]:
        """Parameter files of a folder that stands for one run, `.hydra/` included."""
        run = owners.get(folder.parent if folder.name == ".hydra" else folder)
        if run is None:
            return []
        prefix = ".hydra/" if folder.name == ".hydra" else ""
        news = []
        for name, item in listing.items():
            if prefix + name not in PARAM_FILES or item.size == 0 or item.size > limits.WHOLE:
                continue
            source = self.tracked.get(item.path)
            if source is None:
                cursor = self._new_cursor(item, self._beside[0], run, "")
                source = self.tracked[item.path] = Tracked(item.path, self._beside[0], cursor, "", makes_run=False)
            if self._has_news(source, item):
                news.append((item.mtime_ns, source))
        return news

    def _glob(self, *patterns: str | None) -> Iterable[PurePath]:
        import glob

        for pattern in patterns:
            if pattern:
                yield from (PurePath(path) for path in glob.glob(pattern, root_dir=self.root, recursive=True))
