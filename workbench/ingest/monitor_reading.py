"""Reads what is new of one monitor's files into parts, a stretch a transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import msgspec

from workbench.core.config import MonitorConfig
from workbench.core.ids import hash64
from workbench.ingest import monitor_parts as parts_of
from workbench.ingest.export_files import Found, fresh, marked, moved, open_export, start_of, unread
from workbench.ingest.references import ReferencePlace, open_reference
from workbench.monitor.advance import Known
from workbench.monitor.frames import Kept
from workbench.monitor.parts import Plan
from workbench.monitor.reading import Export, Step, make_plan, read_step
from workbench.monitor.session import open_session
from workbench.monitor.tables import DriftInputError
from workbench.store.append import Cursor, Delta, append, latest_cursors
from workbench.store.exports import (
    ExportCursor,
    PartRow,
    append_export,
    export_cursors,
    kept_parts,
    knowledge,
)
from workbench.store.store import Store

_SAMPLED = 4
"""Files opened to decide what columns mean, from either end, until two hold rows."""


class MonitorReading:
    """One monitor's files, cursors and parts; `read` brings the parts up to date."""

    def __init__(
        self, root: Path, config: MonitorConfig, spec: str, store: Store, reference: ReferencePlace,
        clock: Callable[[], float] = time.time, tell: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
    ) -> None:  # fmt: skip
        self.root, self.config, self.spec, self.store = root, config, spec, store
        self.reference, self.clock, self.tell = reference, clock, tell
        self.folder = parts_of.parts_folder(store.place.store, config.name, spec)
        self.problems: dict[str, str] = {}
        self.files: Sequence[Found] = ()
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
        return Kept(self.folder, rows, labels, self.known.dropped if self.known else 0)

    def read(self, files: Sequence[Found]) -> bool:
        """Read all that is new; False where something is still being written, and will be whole soon.

        Raises:
            DriftInputError: what the columns mean cannot be decided.
            OSError: the store's disk is full.
        """
        self.files = files = moved(files, self.cursors)
        now = self.clock()
        todo = [file for file in files if unread(file, self.cursors.get((file.kind, file.path)), now)]
        total, done, settled = sum(file.bytes for file in todo) or 1, 0, True
        plan = self._plan([file for file in files if file.kind == "rows"]) if todo else None
        if plan is None:
            return not todo
        for file in todo:
            self.tell("reading exports", done, total)
            settled &= self._read_file(file, plan, lambda part, at=done: self.tell("reading exports", at + part, total))
            done += file.bytes
        return settled

    def _plan(self, files: Sequence[Found]) -> Plan | None:
        """What the columns mean: as it was decided, else decided now from the first rows."""
        if self.known:
            return self.known.plan
        with open_session() as session, ExitStack() as stack:
            opened: dict[str, Export] = {}
            for file in [*files[:_SAMPLED], *files[-_SAMPLED:]]:
                try:
                    export = stack.enter_context(open_export(file, session.folder, self.config.format, self.clock()))
                except (DriftInputError, OSError):
                    continue
                if export is not None and file.bytes:
                    opened[file.path] = export
            redact = bool(self.config.columns.redact)
            key = parts_of.project_key(self.store.place.store) if redact else ""
            table = open_reference(session, self.reference, self.root)
            plan = make_plan(session, self.config, list(opened.values()), table, key) if opened else None
        if plan is not None:
            self.known = Known(plan)
        return plan

    def _read_file(self, file: Found, plan: Plan, tell: Callable[[int], None]) -> bool:
        """Read one file as far as it is whole; what is wrong with it is told, and the others are read."""
        cursor = self.cursors.get((file.kind, file.path))
        try:
            start = start_of(file, cursor)
            if cursor is not None and start.generation != cursor.generation:
                self._commit(start, [replace(part, void=True) for part in self._of(file)], 0)
            with open_session() as session, ExitStack() as stack:
                export = stack.enter_context(open_export(file, session.folder, self.config.format, self.clock()))
                if export is None:
                    return False
                while True:
                    position, first = start.position, start.rows
                    step = read_step(
                        session, export, plan, "labels" if file.kind == "labels" else "rows", start.generation, position,
                        first, self.folder,
                    )  # fmt: skip
                    start = self._keep(file, export, start, step)
                    tell(min(file.bytes, int(file.bytes * min(1.0, start.position / max(file.bytes, 1)))))
                    if not step.more:
                        return start.whole
        except (DriftInputError, OSError) as error:
            known = self.cursors.get((file.kind, file.path)) or fresh(file)
            broken = replace(
                known,
                inode=file.inode,
                bytes=file.bytes,
                mtime_ns=file.mtime_ns,
                message=str(error) or "cannot be read",
            )
            self._commit(broken, (), known.position)
            return True

    def _of(self, file: Found) -> list[PartRow]:
        return [part for part in self.parts if (part.kind, part.source) == (file.kind, file.path) and not part.void]

    def _keep(self, file: Found, export: Export, start: ExportCursor, step: Step) -> ExportCursor:
        """Commit one stretch: its part and the cursor behind it."""
        rows = start.rows + (step.part.rows if step.part else 0)
        at_end = not step.more and (export.format == "parquet" or step.end >= _size(export))
        problem = export.problem if not step.more else ""
        after = replace(
            start, position=step.end, rows=rows, rejected=start.rejected + step.rejected, unended=step.unended,
            whole=at_end, message=problem,
        )  # fmt: skip
        after = marked(file, after, export.format)
        if step.end > start.position or after != start:
            self._commit(after, [parts_of.as_row(step.part)] if step.part else [], start.position)
        return after

    def _commit(self, cursor: ExportCursor, parts: Sequence[PartRow], start: int) -> None:
        """One transaction: where the file was read to, the parts it gave, and what Sources shows of it."""
        with self.store.write() as con:
            append_export(con, self.config.name, self.spec, cursor, parts, start)
            known = {each.path: each for each in latest_cursors(con) if each.path == cursor.path}
            delta = self._source(cursor, known.get(cursor.path))
            if delta is not None:
                append(con, [delta])
            self.parts = kept_parts(con, self.config.name, self.spec)
        self.cursors = {**self.cursors, (cursor.kind, cursor.path): cursor}

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
                hash64("source", cursor.path), cursor.path, "export", 1, "", "", cursor.inode, generation, start, read,
                cursor.bytes, cursor.mtime_ns, 0, "", "", cursor.rows, cursor.rejected,
                "damaged" if cursor.message else "live", cursor.message, "", None, None, 0.0, 0.0, self.clock(),
            )
        )  # fmt: skip

    @property
    def messages(self) -> Mapping[str, str]:
        """What is wrong with files, by path."""
        return {cursor.path: cursor.message for cursor in self.cursors.values() if cursor.message}


def _size(export: Export) -> int:
    import os

    return os.fstat(export.descriptor).st_size


def encoded(known: Known) -> str:
    """What a monitor knows as JSON."""
    return msgspec.json.encode(known).decode()


def _decoded(text: str) -> Known:
    return msgspec.json.decode(text, type=Known)
