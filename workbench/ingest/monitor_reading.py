"""Reads what is new of one monitor's files into parts, a stretch a transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec.structs import replace

from workbench.core.config import MonitorConfig
from workbench.core.ids import hash64
from workbench.ingest import monitor_parts as parts_of
from workbench.ingest.export_files import Found, fresh, marked, moved, open_export, start_of, unread
from workbench.ingest.references import ReferencePlace, open_reference
from workbench.monitor.advance import Known
from workbench.monitor.frames import Kept
from workbench.monitor.judged import Progress
from workbench.monitor.parts import Part, PartKind, Plan
from workbench.monitor.reading import Export, Step, make_plan, read_step, sample_rows
from workbench.monitor.session import Session, open_session
from workbench.monitor.tables import DriftInputError, Table
from workbench.monitor.typed import hive_columns
from workbench.store.append import Cursor, Delta, append
from workbench.store.cursors import latest_cursor
from workbench.store.exports import (
    ExportCursor,
    PartRow,
    append_export,
    append_knowledge,
    export_cursors,
    kept_parts,
    knowledge,
)
from workbench.store.store import Store

_TOGETHER = 0.5
"""Seconds for which what was read waits to share a transaction."""
_ENOUGH = 1_000
"""Rows from which on what the columns mean is decided for good."""


class MonitorReading:
    """One monitor's files, cursors and parts; `read` brings the parts up to date."""

    def __init__(
        self, root: Path, config: MonitorConfig, spec: str, store: Store, reference: ReferencePlace,
        clock: Callable[[], float] = time.time, tell: Progress = lambda _stage, _done, _total: None,
    ) -> None:  # fmt: skip
        self.root, self.config, self.spec, self.store = root, config, spec, store
        self.reference, self.clock, self.tell = reference, clock, tell
        self.folder = parts_of.parts_folder(store.place.store, config.name, spec)
        self.files: Sequence[Found] = ()
        self._formats: dict[str, str] = {}
        self._waiting: list[tuple[ExportCursor, Sequence[PartRow], int]] = []
        self._committed = 0.0
        self.load()

    def load(self) -> None:
        """Take up what the store has."""
        with self.store.read() as con:
            self.cursors = export_cursors(con, self.config.name, self.spec)
            self.parts = kept_parts(con, self.config.name, self.spec)
            said = knowledge(con, self.config.name, self.spec)
        self.through, self.known = said[0] if said else 0, _decoded(said[1]) if said else None
        kept = {part.file for part in self.parts if not part.void or part.commit > self.through}
        parts_of.clear_strays(self.folder, kept)

    @property
    def kept(self) -> Kept:
        """The parts that hold."""
        live = [part for part in self.parts if not part.void and part.rows]
        rows = [parts_of.as_part(part) for part in live if part.kind == "rows"]
        labels = [parts_of.as_part(part) for part in live if part.kind == "labels"]
        return Kept(self.folder, rows, labels)

    def read(self, files: Sequence[Found]) -> bool:
        """Read all that is new; False where something is still being written, and will be whole soon.

        Raises:
            DriftInputError: what the columns mean cannot be decided.
            OSError: the store's disk is full.
        """
        self.files = files = moved(files, self.cursors)
        now = self.clock()
        todo = [file for file in files if unread(file, self.cursors.get((file.kind, file.path)), now)]
        if not todo:
            return True
        plan = self._plan([file for file in files if file.kind == "rows"])
        if plan is None:
            self._flush()
            return False
        # What the columns mean may have been decided anew: then all is to be read again.
        todo = [file for file in files if unread(file, self.cursors.get((file.kind, file.path)), now)]
        total, done, settled = sum(file.bytes for file in todo) or 1, 0, True
        with open_session() as session:
            for file in todo:
                self.tell("reading exports", done, total)
                settled &= self._read_file(session, file, plan, done, total)
                done += file.bytes
        self._flush()
        return settled

    def _plan(self, files: Sequence[Found]) -> Plan | None:
        """What the columns mean: as it was decided, unless that was from a few rows and more tell otherwise."""
        if self.known and self.known.plan.sampled >= _ENOUGH:
            return self.known.plan
        with open_session() as session, ExitStack() as stack:
            samples: list[Table] = []
            folders: set[str] = set()
            for ends in (files, files[:0:-1]):  # the first with rows, and the last
                for file in ends:
                    table = self._sample(session, stack, file)
                    if table is not None:
                        samples.append(table)
                        folders |= set(hive_columns(file.path))
                        break
            if not samples:
                return None
            redact = bool(self.config.columns.redact)
            key = parts_of.project_key(self.store.place.store) if redact else ""
            table = open_reference(session, self.reference, self.root)
            plan = make_plan(session, self.config, samples, folders, table, key)
        return self._decide(plan, files)

    def _sample(self, session: Session, stack: ExitStack, file: Found) -> Table | None:
        """The first rows of a file; a damaged one is told as such."""
        cursor = self.cursors.get((file.kind, file.path))
        if cursor is not None and cursor.message and (cursor.bytes, cursor.mtime_ns) == (file.bytes, file.mtime_ns):
            return None
        try:
            export = stack.enter_context(open_export(file, session.folder, self.config.format, self.clock()))
            return sample_rows(session, export) if export is not None and file.bytes else None
        except (DriftInputError, OSError) as error:
            self._broken(file, error)
            return None

    def _decide(self, plan: Plan, files: Sequence[Found]) -> Plan:
        """Keep what was decided, so that a restart decides nothing anew."""
        if self.known and _same(self.known.plan, plan):
            self.known = replace(self.known, plan=replace(self.known.plan, sampled=plan.sampled))
        else:
            for file in [*files, *(file for file in self.files if file.kind == "labels")] if self.known else ():
                cursor = self.cursors.get((file.kind, file.path))
                if cursor is not None and not cursor.message:
                    self._begin_anew(file, cursor)
            self.known = Known(plan)
        self._flush()
        with self.store.write() as con:
            append_knowledge(con, self.config.name, self.spec, self.through, encoded(self.known))
        return self.known.plan

    def _begin_anew(self, file: Found, cursor: ExportCursor) -> ExportCursor:
        """A new generation: what was read before holds no more."""
        start = fresh(file, cursor.generation + 1)
        self._commit(start, [replace(part, void=True) for part in self._of(file)], 0)
        return start

    def _read_file(self, session: Session, file: Found, plan: Plan, done: int, total: int) -> bool:
        """Read one file as far as it is whole; what is wrong with it is told, and the others are read."""
        cursor = self.cursors.get((file.kind, file.path))
        try:
            start = start_of(file, cursor)
            if cursor is not None and start.generation != cursor.generation:
                start = self._begin_anew(file, cursor)
            with open_export(file, session.folder, self.config.format, self.clock()) as export:
                if export is None:
                    return False
                self._formats[file.path] = export.format
                kind: PartKind = "labels" if file.kind == "labels" else "rows"
                while True:
                    at = Part(kind, file.path, start.generation, start.position, 0, start.rows, 0, "")
                    step = read_step(session, export, plan, at, self.folder)
                    start = self._keep(file, export, start, step)
                    self.tell("reading exports", done + min(file.bytes, start.position), total)
                    if not step.more:
                        return start.whole or bool(start.message)
        except (DriftInputError, OSError) as error:
            self._broken(file, error)
            return True

    def _broken(self, file: Found, error: Exception) -> None:
        """What is wrong with a file, told until it changes."""
        known = self.cursors.get((file.kind, file.path)) or fresh(file)
        why = str(error).replace(str(file.place), file.path) or "cannot be read"
        broken = replace(known, inode=file.inode, bytes=file.bytes, mtime_ns=file.mtime_ns, message=why)
        self._commit(broken, (), known.position)

    def _of(self, file: Found) -> list[PartRow]:
        return [part for part in self.parts if (part.kind, part.source) == (file.kind, file.path) and not part.void]

    def _keep(self, file: Found, export: Export, start: ExportCursor, step: Step) -> ExportCursor:
        """Commit one stretch: its part and the cursor behind it."""
        rows = start.rows + (step.part.rows if step.part else 0)
        at_end = not step.more and (export.format == "parquet" or step.end >= _size(export))
        problem = export.problem if not step.more else ""
        after = replace(
            start, position=step.end, rows=rows, rejected=start.rejected + step.rejected, unended=step.unended,
            waits=not step.more and not at_end, whole=at_end, message=problem,
        )  # fmt: skip
        after = marked(file, after, export.format)
        if step.end > start.position or after != start:
            self._commit(after, [parts_of.as_row(step.part)] if step.part else [], start.position)
        return after

    def _commit(self, cursor: ExportCursor, parts: Sequence[PartRow], start: int) -> None:
        """Where the file was read to and the parts it gave: small stretches share a transaction."""
        self._waiting.append((cursor, parts, start))
        self.cursors = {**self.cursors, (cursor.kind, cursor.path): cursor}
        if time.monotonic() - self._committed > _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        """Write what waits in one transaction, with what Sources shows of each file."""
        if not self._waiting:
            return
        written: list[PartRow] = []
        with self.store.write() as con:
            for cursor, parts, start in self._waiting:
                written += append_export(con, self.config.name, self.spec, cursor, parts, start)
            for cursor in {cursor.path: cursor for cursor, _, _ in self._waiting}.values():
                delta = self._source(cursor, latest_cursor(con, hash64("source", cursor.path)))
                if delta is not None:
                    append(con, [delta])
        replaced = {(part.kind, part.source, part.generation, part.from_position) for part in written}
        left = [p for p in self.parts if (p.kind, p.source, p.generation, p.from_position) not in replaced]
        self.parts = [*left, *written]
        self._waiting = []
        self._committed = time.monotonic()

    def _source(self, cursor: ExportCursor, before: Cursor | None) -> Delta | None:
        """The file as a source: read to its end, or in part."""
        read = cursor.bytes if cursor.whole else min(cursor.position, cursor.bytes)
        generation = cursor.generation
        start = 0
        if before is not None:
            if (before.bytes, before.mtime_ns, before.to_offset, before.message, before.accepted) == (
                cursor.bytes, cursor.mtime_ns, read, cursor.message, cursor.rows,
            ):  # fmt: skip
                return None
            # Another monitor may read the same file: its generations and its place are not this one's.
            generation = max(before.generation, generation)
            start = before.to_offset if generation == before.generation else 0
            if read < start:
                generation, start = before.generation + 1, 0
        return Delta(
            Cursor(
                hash64("source", cursor.path), cursor.path, self._format(cursor, before), 1, "", "", cursor.inode,
                generation, start, read,
                cursor.bytes, cursor.mtime_ns, 0, "", "", cursor.rows, cursor.rejected,
                "damaged" if cursor.message else "live", cursor.message, "", None, None, 0.0, 0.0, self.clock(),
            )
        )  # fmt: skip

    def _format(self, cursor: ExportCursor, before: Cursor | None) -> str:
        form = self._formats.get(cursor.path)
        return f"export {form}" if form else before.format if before else "export"

    @property
    def messages(self) -> Mapping[str, str]:
        """What is wrong with files, by path."""
        return {cursor.path: cursor.message for cursor in self.cursors.values() if cursor.message}


def _size(export: Export) -> int:
    return os.fstat(export.descriptor).st_size


def _same(before: Plan, now: Plan) -> bool:
    """Whether a later plan reads the columns that were there before alike, in any order; one may come from JSON."""

    def shared(plan: Plan) -> bytes:
        columns = plan.mapping.columns
        features = tuple(sorted(name for name in columns.features if name in before.kinds))
        kinds = {name: kind for name, kind in sorted(plan.kinds.items()) if name in before.kinds}
        mapping = replace(plan.mapping, columns=replace(columns, features=features))
        return msgspec.json.encode(replace(plan, mapping=mapping, kinds=kinds, sampled=0))

    return shared(before) == shared(now)


def encoded(known: Known) -> str:
    """What a monitor knows as JSON."""
    return msgspec.json.encode(known).decode()


def _decoded(text: str) -> Known:
    return msgspec.json.decode(text, type=Known)
