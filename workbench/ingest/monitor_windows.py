"""Judges the windows that new parts touch, writes them, and lets go of what is needed no more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec.structs import replace

from workbench.core.model import Window
from workbench.ingest import monitor_parts as parts_of
from workbench.ingest.monitor_reading import MonitorReading, encoded
from workbench.ingest.references import open_reference
from workbench.monitor.advance import (
    Advance,
    Ahead,
    Known,
    closed_parts,
    judged_batches,
    outdated,
    span_table,
    touched,
    untimed_rows,
)
from workbench.monitor.figures import finite
from workbench.monitor.frames import Kept
from workbench.monitor.parts import Part, slot_of
from workbench.monitor.session import Session, open_session
from workbench.monitor.tables import Table
from workbench.monitor.windows import Evaluation, WindowResult
from workbench.store.exports import PartRow, append_knowledge, append_parts
from workbench.store.windows import append_windows, fetch_distributions, fetch_windows, window_slots

if TYPE_CHECKING:
    from workbench.core.model import Distribution

_OF_FEATURES = ("drift.", "quality.missing.", "quality.unseen.", "quality.out_of_range.", "quality.infinite.",
                "quality.constant.")  # fmt: skip
"""Metrics that take the values of features."""


def judge(reading: MonitorReading, inputs: str) -> None:
    """Bring a monitor's windows up to date with its parts; nothing is done where nothing is new.

    Raises:
        DriftInputError: the reference cannot be read, or windows by time lack a time.
    """
    known = reading.known
    new = [part for part in reading.parts if part.commit > reading.through and not part.scored]
    if known is None or not (new or known.reference != reading.reference.fingerprint):
        return
    kept = reading.kept
    with open_session() as session:
        table, fingerprint = _reference(session, reading, kept, known)
        if not new and fingerprint == known.reference:
            return
        with reading.store.read() as con:
            slots = window_slots(con, reading.config.name)
        through = max((part.commit for part in reading.parts), default=reading.through)
        fresh = _new(reading, kept, new, {slot for segment, slot, _ in slots if not segment}, through)
        found = touched(session, reading.config, kept, known, fresh, fingerprint)
        judged = judged_batches(session, reading.config, kept, fresh, found, table, reading.tell)
        for windows, batch in zip_longest(found.batches[:-1], judged):
            known = replace(found.known, segments=batch.segments)
            # The last batch is judged by whoever ends it: windows without rows have the metrics of its windows.
            ahead = Ahead(through, fingerprint, windows[-1]) if windows else None
            _write(reading, inputs, _with_closed(reading, kept, batch), known, _gone(slots, batch), ahead)
    with reading.store.write() as con:
        # Only now are all parts in their windows: whoever dies before judges them again.
        append_knowledge(con, reading.config.name, reading.spec, through, encoded(known))
    reading.through, reading.known = through, known
    _let_go(reading)


def _reference(session: Session, reading: MonitorReading, kept: Kept, known: Known) -> tuple[Table | None, str]:
    """The reference and what tells that it changed; a span of production is none before it is over."""
    span = reading.config.reference_window
    if span is None:
        return open_reference(session, reading.reference, reading.root), reading.reference.fingerprint
    table = span_table(session, kept, span, known.plan)
    return table, reading.reference.fingerprint if table else ""


def _new(reading: MonitorReading, kept: Kept, new: Sequence[PartRow], whole: set[int], through: int) -> Advance:
    fresh = {part.file for part in new if not part.void}
    void = [parts_of.as_part(part) for part in new if part.void and part.kind == "rows" and part.rows]
    written = {slot_of(file.path): file.modified for file in reading.files}
    return Advance(
        [part for part in kept.rows if part.file in fresh],
        [part for part in kept.labels if part.file in fresh],
        [part for part in void if (kept.folder / part.file).exists()],
        whole,
        written,
        through,
    )


def _gone(slots: Sequence[tuple[str, int, float]], found: Evaluation) -> list[tuple[str, int]]:
    """Windows and segments of them, written before, that have no rows any more."""
    told = {(result.window.segment, result.slot) for result in found.results}
    judged = {slot for _, slot in told} | found.emptied
    return [(segment, slot) for segment, slot, _ in slots if slot in judged and (segment, slot) not in told]


def _with_closed(reading: MonitorReading, kept: Kept, found: Evaluation) -> Evaluation:
    """Late rows or labels of a closed window change its figures; what its features said stays as it was."""
    scored = [part for part in kept.rows if part.scored]
    if not scored or not found.results:
        return found
    name, spec = reading.config.name, reading.config.window
    by_file = not spec.every and not spec.rows
    with reading.store.read() as con:
        before = {(window.segment, window.start): window for window in fetch_windows(con, name)}
        touched = {
            _place(result): before[_place(result)]
            for result in found.results
            if _place(result) in before and _overlaps(result, scored, by_file=by_file)
        }
        shapes = fetch_distributions(con, name, list(touched))
    results = [
        _as_before(result, touched[place], shapes.get(place, ())) if (place := _place(result)) in touched else result
        for result in found.results
    ]
    return replace(found, results=results)


def _place(result: WindowResult) -> tuple[str, float]:
    return result.window.segment, result.window.start


def _overlaps(result: WindowResult, parts: Sequence[Part], *, by_file: bool) -> bool:
    if by_file:
        return any(slot_of(part.source) == result.slot for part in parts)
    start, end = result.window.start, result.window.end
    return any(
        part.begins is None or part.ends is None or (part.begins <= end and part.ends >= start) for part in parts
    )


def _as_before(result: WindowResult, before: Window, shapes: Sequence[Distribution]) -> WindowResult:
    kept = {key: value for key, value in before.metrics.items() if key.startswith(_OF_FEATURES)}
    figures = {key: value for key, value in result.window.metrics.items() if not key.startswith(_OF_FEATURES)}
    window = replace(result.window, metrics=figures | kept, columns=before.columns)
    return replace(result, window=window, distributions=shapes)


def _write(
    reading: MonitorReading, inputs: str, found: Evaluation, known: Known, gone: Sequence[tuple[str, int]],
    ahead: Ahead | None,
) -> None:  # fmt: skip
    """One transaction: a batch of windows, and how far it has come."""
    problems = [*reading.messages.items(), *untimed_rows(reading.config, reading.kept.rows, known.plan)]
    message = "; ".join(why if path in why else f"{path}: {why}" for path, why in problems)
    results = [(_storable(result.window), result.distributions) for result in found.results]
    with reading.store.write() as con:
        append_windows(
            con, reading.config.name, reading.spec, inputs, message, results,
            slots=[result.slot for result in found.results], gone=gone,
        )  # fmt: skip
        if ahead is not None and reading.known is not None:
            before = replace(reading.known, segments=known.segments, ahead=ahead)
            append_knowledge(con, reading.config.name, reading.spec, reading.through, encoded(before))


def _storable(window: Window) -> Window:
    return replace(window, metrics={key: finite(value) for key, value in window.metrics.items()})


def _let_go(reading: MonitorReading) -> None:
    """Forget the features of closed windows, rows whose labels are waited for no longer, and files without a part."""
    kept, config, known = reading.kept, reading.config, reading.known
    assert known is not None
    found = outdated(config, kept)
    old = found[1] if found else []
    with open_session() as session:
        closed = [part for part in closed_parts(session, config, kept) if part not in old]
        scored = parts_of.score_closed(session, kept, closed)
    rows = [parts_of.as_row(part) for part in scored] + [parts_of.as_row(part, void=True) for part in old]
    if not rows:
        return
    known = replace(known, cut=found[0]) if found else known
    with reading.store.write() as con:
        through = append_parts(con, config.name, reading.spec, rows)
        append_knowledge(con, config.name, reading.spec, through, encoded(known))
    reading.load()
