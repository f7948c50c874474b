"""Which files become sources, and of which run: each is claimed once, read through one reader, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from msgspec.structs import replace

from workbench.core.batch import Claim
from workbench.core.config import ANNOTATIONS_FOLDER
from workbench.core.ids import hash64
from workbench.ingest import limits
from workbench.ingest.candidates import Candidates
from workbench.ingest.covers import Covers, covering_first
from workbench.ingest.deltas import Known, given_up
from workbench.ingest.discovery import Detection, Detector, Found
from workbench.ingest.inflate import plain_path
from workbench.ingest.own import Own, decode_own, encode_state
from workbench.ingest.paths import from_text, to_text
from workbench.ingest.refused import COVERED, Refused
from workbench.ingest.run_folders import RunFolders
from workbench.ingest.tracked import Tracked
from workbench.plugin.api import Reader
from workbench.readers.beside import ParamsReader
from workbench.readers.own.annotations import AnnotationReader
from workbench.readers.params import PARAM_FILES
from workbench.store.append import Cursor, Delta, latest_cursors
from workbench.store.store import Store

Listing = Mapping[str, Found]

_NOTES = PurePath(ANNOTATIONS_FOLDER)


class Admission:
    """Everything that is remembered of files: sources, those that are gone, and those that nobody understood."""

    def __init__(
        self, root: Path, detector: Detector, clock: Callable[[], float], tracked: dict[PurePath, Tracked]
    ) -> None:
        self.known = Known(set(), set())
        self.candidates = Candidates(root, detector, clock)
        self._remarks: list[Delta] = []
        self._root = root
        self._clock = clock
        self._detector = detector
        self._tracked = tracked
        self._params: Reader = ParamsReader()
        self._notes: Reader = AnnotationReader()
        self._folders = RunFolders()
        self._covers = Covers()
        self._inodes: dict[int, PurePath] = {}
        self._ids: set[int] = set()
        self._gone: dict[PurePath, Cursor] = {}
        self.refused = Refused(self.candidates, self._new_cursor, clock, self._remarks)
        self._beside: dict[PurePath, dict[PurePath, Found]] = {}
        self._parked: dict[int, int | None] = {}

    def load(self, store: Store) -> None:
        """Take cursors and known ids from the store."""
        with store.read() as con:
            cursors = latest_cursors(con)
            self.known = Known(
                {row[0] for row in con.execute("SELECT DISTINCT run_id FROM run_log").fetchall()},
                {row[0] for row in con.execute("SELECT DISTINCT series_id FROM series_log").fetchall()},
            )
            paths = con.execute("SELECT path, run_id FROM run_log ORDER BY commit_id DESC").fetchall()
        paths = [(str(from_text(path)), run) for path, run in paths]
        self._folders = RunFolders(dict(paths))
        run_paths = {run: path for path, run in reversed(paths)}
        self._ids = {cursor.source_id for cursor in cursors}
        for forgotten in (self._tracked, self._gone, self._inodes, self.refused):
            forgotten.clear()
        self._covers.clear()
        self._remarks.clear()
        self.candidates.clear()
        self.candidates.load(store.place.store / "looked_into.json")
        readers = {reader.name: reader for reader in (*self._detector.readers, self._params, self._notes)}
        for cursor in cursors:
            self._load_one(cursor, readers.get(cursor.format), run_paths)

    def _load_one(self, cursor: Cursor, reader: Reader | None, run_paths: Mapping[str, str]) -> None:
        path = from_text(cursor.path)
        if not cursor.format:
            self.refused.add(path, cursor)
        elif cursor.status in ("vanished", COVERED) or reader is None:
            self._gone[path] = cursor
        else:
            own = decode_own(cursor.state)
            run_path = run_paths.get(cursor.run_id) or own.run_path or str(path)
            source = Tracked(path, str(self._root / path), reader, cursor, run_path, self._makes_run(reader), own)
            source.take_up()
            self._register(source)

    def _makes_run(self, reader: Reader) -> bool:
        return reader is not self._params and reader is not self._notes

    def offer(self, item: Found, listing: Listing) -> Tracked | None:
        """A file that is no source: an annotation log becomes one at once, others wait to be looked into."""
        if _NOTES in item.path.parents:
            return self._track(item, self._notes, Claim(1.0, "annotations"), "", "")
        if self._covers.owner(item.path) is None and not self.refused.knows(item):
            self.candidates.offer(item, listing)
        return None

    def is_worth(self, path: PurePath) -> bool:
        """Whether a new name could be a log or a parameter file."""
        return path.name in PARAM_FILES or _NOTES in path.parents or (
            self.candidates.is_due(path) and self._covers.owner(path) is None
        )  # fmt: skip

    def meet(self, until: float) -> list[Tracked]:
        """Look into waiting files until a moment of the monotonic clock; the new sources, parameter files included."""
        bids = self.candidates.bids(until)
        claimed = [(bid.item, bid.detection) for bid in bids if bid.detection is not None and bid.detection.reader]
        claimed.sort(key=covering_first)
        new = [source for item, detection in claimed for source in self._admit(item, detection)]
        if any(source.own.covers for source in new):
            self._give_up_covered()
            new = [source for source in new if self._tracked.get(source.path) is source]
        for bid in bids:
            if (bid.detection is None or bid.detection.reader is None) and self._covers.owner(bid.item.path) is None:
                self.refused.refuse(bid)
        folders = {folder for source in new for folder in (source.path.parent, PurePath(source.run_path))}
        folders |= {bid.item.path.parent for bid in bids}
        return [*new, *self._parameters_of(folders)]

    def _admit(self, item: Found, detection: Detection) -> Iterator[Tracked]:
        reader, claim, path = detection.reader, detection.claim, plain_path(item.path)
        if reader is not None and self._covers.owner(item.path) is None and item.path not in self._tracked:
            folder, prefix = reader.run_folder(path)
            folder = PurePath(claim.run_folder) if claim.run_folder else folder
            run_path = str(path if claim.per_file_run or claim.many_runs else folder)
            yield self._track(item, reader, claim, run_path, prefix)

    def _track(self, item: Found, reader: Reader, claim: Claim, run_path: str, prefix: str) -> Tracked:
        own = Own(covers=tuple(claim.covers), many_runs=claim.many_runs, key_suffix=claim.key_suffix)
        run = "" if claim.many_runs or reader is self._notes else self._folders.assign(run_path, claim.native_id)
        own = own if run in self.known.runs or not run else replace(own, run_path=run_path)
        back = self._gone.pop(item.path, None) or self.refused.take(item.path)
        if back is None:
            cursor = self._new_cursor(item, reader.name, reader.version, run, prefix)
            source = self._source(item, reader, cursor, run_path, own)
        else:
            own = decode_own(back.state).claimed(own)
            cursor = replace(back, status="live", message="", format=reader.name, run_id=run, key_prefix=prefix)
            source = self._source(item, reader, cursor, run_path, own)
            if back.format != reader.name or back.reader_version < reader.version or not back.to_offset:
                source.next_generation("", replaces=True)
                source.cursor = replace(source.cursor, reader_version=reader.version)
        self._register(source)
        return source

    def _source(self, item: Found, reader: Reader, cursor: Cursor, run_path: str, own: Own) -> Tracked:
        cursor = replace(cursor, state=encode_state({}, own)) if not cursor.to_offset else cursor
        place = str(self._root / item.path)
        return Tracked(item.path, place, reader, cursor, run_path, self._makes_run(reader), own, item)

    def _register(self, source: Tracked) -> None:
        self._tracked[source.path] = source
        self._inodes[source.inode] = source.path
        self._folders.add(source)
        self._covers.add(source.path, source.own.covers)

    def take_out(self, path: PurePath) -> Tracked:
        """Forget a source's name, to put it back under another."""
        source = self._tracked.pop(path)
        self._folders.remove(source)
        self._covers.drop(path)
        return source

    def put_back(self, source: Tracked, path: PurePath, message: str) -> None:
        """A source goes on under a new name."""
        source.path, source.place = path, str(self._root / path)
        self._register(source)
        self._remark(source, path=to_text(path), message=message)

    def part_with(self, path: PurePath) -> None:
        """A source's file is gone; what it said is kept, and it goes on should it come back."""
        source = self.take_out(path)
        self._remark(source, status="vanished", message="the file is gone; what it said is kept")
        self._gone[path] = source.cursor

    def cursors(self) -> Iterator[Cursor]:
        """Where each source stands, those that are gone included."""
        yield from (source.cursor for source in self._tracked.values())
        yield from self._gone.values()

    def take_over(self, source: Tracked, gone: Cursor) -> None:
        """A source goes on as one that is gone."""
        self._folders.remove(source)
        del self._gone[from_text(gone.path)]
        source.own = replace(decode_own(gone.state), packed=source.own.packed)
        source.cursor = replace(gone, path=source.cursor.path, status="live", message=f"was {gone.path}")
        self._register(source)

    def of_inode(self, inode: int) -> Tracked | None:
        """The source that was last seen in a file."""
        path = self._inodes.get(inode)
        return None if path is None else self._tracked.get(path)

    def park(self, source_id: int, path: PurePath) -> None:
        """Leave a source alone until another file takes its name."""
        source = self._tracked.get(path)
        self._parked[source_id] = None if source is None else source.inode

    def is_parked(self, source: Tracked) -> bool:
        """Whether the store refused what this very file says."""
        inode = self._parked.get(source.cursor.source_id, -1)
        return inode is None or inode == source.inode

    def take_remarks(self) -> list[Delta]:
        """Source rows that no reading will write."""
        remarks = list(self._remarks)
        self._remarks.clear()
        return remarks

    def _remark(self, source: Tracked, **changes: object) -> None:
        source.cursor = replace(
            source.cursor, from_offset=source.cursor.to_offset, seen_at=self._clock(), **changes,
        )  # fmt: skip
        self._remarks.append(Delta(source.cursor))

    def _give_up_covered(self) -> None:
        """What turns out to be read through another file: what a source said no longer counts, and none is refused."""
        self.refused.give_up(self._covers.owner)
        for path in list(self._tracked):
            owner = self._covers.owner(path)
            if owner is None:
                continue
            source = self.take_out(path)
            source.next_generation(f"read through {to_text(owner)}", replaces=True)
            source.cursor = replace(source.cursor, status=COVERED, seen_at=self._clock())
            run = source.cursor.run_id
            alone = source.makes_run and all(other.cursor.run_id != run for other in self._tracked.values())
            self._remarks.append(given_up(source, alone))
            self._gone[path] = source.cursor

    def _new_cursor(self, item: Found, form: str, version: int = 1, run: str = "", prefix: str = "") -> Cursor:
        source_id, attempt = hash64("source", str(item.path)), 0
        while source_id in self._ids:
            attempt += 1
            source_id = hash64("source", str(item.path), str(attempt))
        self._ids.add(source_id)
        return Cursor(
            source_id, to_text(item.path), form, version, run, prefix, item.inode, 0, 0, 0, item.size,
            item.mtime_ns, 0, "", "", 0, 0, "live", "", "", None, None, 0.0, 0.0, self._clock(),
        )  # fmt: skip

    def parameters(self, listings: Mapping[PurePath, Listing]) -> Sequence[Tracked]:
        """Parameter files in fresh listings, of folders that stand for one run, `.hydra/` included."""
        touched: set[PurePath] = set()
        for folder, listing in listings.items():
            hydra = folder.name == ".hydra"
            owner = folder.parent if hydra else folder
            files = {
                item.path: item
                for name, item in listing.items()
                if (f".hydra/{name}" if hydra else name) in PARAM_FILES
            }
            kept = {path: item for path, item in self._beside.get(owner, {}).items() if path.parent != folder}
            if files or kept:
                self._beside[owner] = {**kept, **files}
                touched.add(owner)
        return self._parameters_of(touched)

    def may_read(self, source: Tracked) -> bool:
        """Whether what a file says by now is its run's: a parameter file in a folder of several runs is nobody's.

        While a new file of its folder waits to be looked into, which may be another run's log, it waits as well.
        """
        if source.reader is not self._params:
            return True
        folder = source.path.parent.parent if source.path.parent.name == ".hydra" else source.path.parent
        return self._folders.owner(folder) == source.cursor.run_id and not self.candidates.waits_in(folder)

    def _parameters_of(self, folders: Iterable[PurePath]) -> list[Tracked]:
        found = []
        for folder in folders:
            files = self._beside.get(folder, {})
            run = self._folders.owner(folder) if files else None
            for item in files.values() if run is not None else ():
                source = self._tracked.get(item.path)
                if source is None and 0 < item.size <= limits.PARAMETERS and self._covers.owner(item.path) is None:
                    source = self._track_parameters(item, str(run))
                if source is not None and source.reader is self._params:
                    source.found = item
                    found.append(source)
        return found

    def _track_parameters(self, item: Found, run: str) -> Tracked:
        back = self._gone.pop(item.path, None)
        if back is not None and back.format == self._params.name:
            cursor = replace(back, status="live", message="")
        else:
            cursor = self._new_cursor(item, self._params.name, self._params.version, run)
        source = self._source(item, self._params, cursor, "", decode_own(cursor.state))
        self._register(source)
        return source
