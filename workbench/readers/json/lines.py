"""JSON lines of flat or nested numbers: the log that every training script can write."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from workbench.plugin.api import Batch, Chunk, Claim, Head, Reader
from workbench.readers.attributes import Text
from workbench.readers.json.blocks import BLOCK, Shape, read_block
from workbench.readers.json.records import flatten, sound_row
from workbench.readers.json.refusal import Refused, parsing, text_of
from workbench.readers.keys import claimed_axis, metric_like, production_columns, roles_of, view_of_folder
from workbench.readers.lines import MAX_LINE, Lines, head_bytes, is_object, split
from workbench.readers.rows import Rows

_LOOKED_AT = 50
_DECODE = msgspec.json.Decoder().decode
_LENIENT = json.JSONDecoder(strict=False).raw_decode
_FOREIGN = ({"op_code", "worker_id"}, {"v", "kind", "project"}, {"v", "t", "run"})
"""Keys of the first object by which JSON lines are known to be no metrics: journals and fragments."""
_PLAIN = frozenset({float, int, bool, type(None)})
"""Types of values that tell nothing about a record's keys; a text may be a number, a list too long."""
_DATASET = ({"messages"}, {"prompt"}, {"text"})
"""Keys of training data; with an axis beside them they are a log after all."""


class JsonlReader(Reader):
    """Reads one JSON object a line: numbers are points, texts and booleans are attributes of the run."""

    name: ClassVar[str] = "jsonl"
    version: ClassVar[int] = 2
    names: ClassVar[Sequence[str]] = ("*.jsonl", "*.ndjson", "*.jsonlines", "*.json", "*.log", "*.txt")

    def claim(self, head: Head) -> Claim:
        """Bid by the keys of the first lines: a step, an epoch, a metric's name; rows of production are left alone."""
        if head.name.endswith(".wb.jsonl"):
            return Claim(0.0, "a tracking file: another reader's")
        records = _first_records(head)
        if not records:
            return Claim(0.0, "its first line is no complete JSON object")
        if head.path.suffix == ".json" and len(records) < 2:
            return Claim(0.0, "one JSON object, not a line each")
        score, why = _evidence(records, head.name)
        if score and head.path.parts[-2:] == ("vis_data", "scalars.json"):
            # mmengine writes every row a second time, to a file named by the time of the start
            folder = str(head.path.parent.parent)
            return Claim(0.95, "the scalars of mmengine", covers=("[0-9]*.json",), run_folder=folder)
        return Claim(score, why, per_file_run=not view_of_folder(head.name), nearly=not score and "[monitor]" in why)

    def read(self, chunk: Chunk) -> Batch:
        """Blocks of plain lines at once, all others one by one; every line is accepted or refused."""
        rows, lines = Rows(chunk.state, chunk.start), split(chunk, utf16=True)
        if lines.torn:
            return Batch(restart=True, message="a character was cut in half; read again")
        shape = Shape()
        for first in range(0, len(lines), BLOCK):
            last = min(first + BLOCK, len(lines))
            if not read_block(rows, lines, first, last, shape):
                for i in range(first, last):
                    _read_line(rows, lines, i, shape)
        return rows.batch(lines.consumed, lines.state())

    def is_whole(self, tail: bytes) -> bool:
        """A closed object lacks nothing."""
        return is_object(tail)


def _read_line(rows: Rows, lines: Lines, i: int, shape: Shape) -> None:
    """Read one line by itself: what a block does not take, and lines in live tailing."""
    raw, offset = lines.raw(i), int(lines.places[i])
    if not raw.strip():
        rows.accept()
        return
    try:
        for record, odd in _parse(raw):
            _take(rows, record, odd, offset, shape)
    except Refused as refused:
        unfinished = lines.unterminated and i == len(lines) - 1
        reason = "E101 the file ends within this line" if unfinished else str(refused)
        rows.refuse(offset, raw, _keep_tail(rows, raw, offset) or reason)
    else:
        rows.accept()


def _parse(raw: bytes) -> list[tuple[dict[str, Any], bool]]:
    """The objects of a line (one, unless a newline was lost), and whether it took the lenient parser.

    That one takes NaN tokens, control characters, bad UTF-8 and lone surrogates too.
    """
    if len(raw) > MAX_LINE:
        raise Refused(f"E103 line longer than {MAX_LINE // 2**20} MiB")
    try:
        records, odd = [_DECODE(raw)], False
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        records, odd = _parse_lenient(raw), True
    for record in records:
        if not isinstance(record, dict):
            raise Refused(f"E104 a JSON {_kind(record)}, not an object")
    return [(record, odd) for record in records]


def _parse_lenient(raw: bytes) -> list[Any]:
    text, records, end = text_of(raw), [], 0
    with parsing(text):
        while end < len(text):
            record, end = _LENIENT(text, end)
            records.append(record)
    return records


def _keep_tail(rows: Rows, raw: bytes, offset: int) -> str:
    """Take in the complete object at the end of a line whose beginning was cut off by the writer's death.

    It counts only if it begins with the same key as the line, as the next record of the same writer does. Returns the
    reason for the reject, or nothing where there is no such object.
    """
    opening = re.match(rb'\s*(\{\s*"[^"\\]{1,200}"\s*:)', raw)
    at = raw.rfind(opening[1]) if opening else 0
    if opening is None or at <= opening.start(1) or len(raw) > MAX_LINE:
        return ""
    try:
        for record, odd in _parse(raw[at:]):
            _take(rows, record, odd, offset, Shape())
    except Refused:
        return ""
    return "E102 cut off; the complete object after it is kept"


def _take(rows: Rows, record: dict[str, Any], odd: bool, offset: int, shape: Shape) -> None:
    """Add one object's numbers and texts, or refuse it."""
    numbers, texts = flatten(rows, record)
    if odd:
        numbers, texts = sound_row(rows, numbers, texts)
    shape.learn(record, numbers, texts)
    if reason := rows.row(offset, numbers, texts):
        raise Refused(reason)


def _kind(value: Any) -> str:
    names = {list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _first_records(head: Head) -> list[dict[str, Any]]:
    """The first complete lines that are objects; none when the very first is something else."""
    records: list[dict[str, Any]] = []
    for raw in head_bytes(head).split(b"\n")[:_LOOKED_AT]:
        if not raw.strip():
            continue
        try:
            records.extend(record for record, _ in _parse(raw))
        except Refused:
            if not records:
                return []
    return records


def _evidence(records: Sequence[dict[str, Any]], file_name: str) -> tuple[float, str]:
    """How sure it is that these objects are metrics, and why."""
    numbers: dict[str, float | int] = {}
    texts: dict[str, Text] = {}
    scratch = Rows({}, 0)
    seen: set[tuple[tuple[str, ...], tuple[type, ...]]] = set()
    try:
        for record in records:
            shape = tuple(record), tuple(map(type, record.values()))
            if shape in seen:
                continue  # it has no other key, and none of another kind
            if _PLAIN.issuperset(shape[1]):
                seen.add(shape)
            more, words = flatten(scratch, record)
            numbers |= more
            texts |= words
    except Refused:
        return 0.0, "JSON lines nested too deep"
    names = [*numbers, *texts]
    if any(keys <= records[0].keys() for keys in _FOREIGN):
        return 0.0, "JSON lines of another kind"
    if found := production_columns(names):
        return 0.0, f"rows of a model in production ({', '.join(found[:3])}): give it a [monitor] in workbench.toml"
    axis = claimed_axis(numbers)
    if not axis and any(keys <= records[0].keys() for keys in _DATASET):
        return 0.0, "JSON lines of training data"
    if axis:
        return (0.9 if view_of_folder(file_name) else 0.8), f"JSON lines with {axis}"
    roles = roles_of(names)
    named = {str(record.get(roles.naming or "")) for record in records} if roles.value in numbers else set()
    if metrics := [name for name in (*numbers, *sorted(named)) if metric_like(name)]:
        return 0.6, f"JSON lines with {metrics[0]}"
    if numbers and (view_of_folder(file_name) or not texts):
        return 0.4, "JSON lines of numbers"
    return 0.0, "JSON lines without a step, an epoch or a metric's name"
