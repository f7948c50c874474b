"""Exports judged without a store, and monitors kept up to date with one, a new ingester each time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from tests.support.ingest import NOW, Project
from workbench.core.config import Config, MonitorConfig, load_config
from workbench.core.model import Window
from workbench.ingest.monitors import MonitorWatch
from workbench.monitor.advance import Advance, Known, judged_batches, touched, untimed_rows
from workbench.monitor.frames import Kept
from workbench.monitor.parts import Part, slot_of
from workbench.monitor.reading import Export, make_plan, read_step, sample_rows
from workbench.monitor.session import open_session
from workbench.monitor.tables import open_table, sniff_format
from workbench.monitor.windows import Evaluation, in_order


def evaluate(config: MonitorConfig, root: Path, files: Sequence[Path]) -> Evaluation:
    """All windows of some exports, read in one go."""
    folder = root / "parts"
    folder.mkdir(exist_ok=True)
    with open_session() as session:
        exports = [_opened(root, file, config.format) for file in files]
        samples = [table for export in exports if (table := sample_rows(session, export))]
        reference = open_table(session, root / config.reference) if config.reference else None
        plan = make_plan(session, config, [samples[0], samples[-1]], (), reference)
        parts: list[Part] = []
        for export in exports:
            position = rows = 0
            more = True
            while more:
                step = read_step(
                    session, export, plan, Part("rows", export.source, 0, position, 0, rows, 0, ""), folder
                )
                parts += [step.part] if step.part else []
                position, rows, more = step.end, rows + (step.part.rows if step.part else 0), step.more
            if export.descriptor >= 0:
                os.close(export.descriptor)
        kept = Kept(folder, parts)
        written = {slot_of(export.source): export.path.stat().st_mtime for export in exports}
        new = Advance(parts, written=written)
        found = list(
            judged_batches(session, config, kept, new, touched(session, config, kept, Known(plan), new), reference)
        )
        results = in_order([result for batch in found for result in batch.results])
        return replace(found[-1], results=results, problems=tuple(untimed_rows(config, parts, plan)))


def _opened(root: Path, file: Path, form: str) -> Export:
    kind = form if form != "auto" else sniff_format(file)
    descriptor = -1 if kind == "parquet" else os.open(file, os.O_RDONLY)
    return Export(str(file.relative_to(root)), file, kind, descriptor)  # type: ignore[arg-type]


class Production(Project):
    """A project whose monitors are brought up to date by a new ingester each time, as after a crash."""

    def config(self, text: str) -> Config:
        """Write `workbench.toml` and read it."""
        (self.root / "workbench.toml").write_text(text)
        return load_config(self.root)

    def update(self) -> list[str]:
        """One pass; what was told."""
        told: list[str] = []
        MonitorWatch(self.root, load_config(self.root), self.store, told.append, lambda: self.now).update()
        return told

    def windows(self, monitor: str = "m", segment: str = "") -> list[Window]:
        """Windows of a segment, oldest first."""
        return [window for window in self.query.windows(monitor) if window.segment == segment]

    def message(self, monitor: str = "m") -> str:
        """What the newest evaluation said was wrong."""
        with self.store.read() as con:
            rows = con.execute("SELECT message FROM monitor WHERE monitor = ?", [monitor]).fetchall()
        return str(rows[0][0]) if rows else ""

    def later(self, seconds: float = 3600.0) -> None:
        """Let time pass."""
        self.now += seconds


__all__ = ["NOW", "Production", "evaluate"]
