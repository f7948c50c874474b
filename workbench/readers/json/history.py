"""One JSON document that holds a whole history: boosting's `evals_result`, Keras' `history`, a list of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Framing, Head, Reader
from workbench.readers.json.records import flatten, sound_row
from workbench.readers.json.refusal import Refused
from workbench.readers.keys import claimed_axis, metric_like, production_columns, view_of_folder
from workbench.readers.lines import UTF8_BOM
from workbench.readers.rows import Rows

_SETS = re.compile(r"(train|valid|val|test|eval|learn|dev|holdout)\w*", re.IGNORECASE)
"""Names of the sets that boosting libraries evaluate on: `validation_0`, `valid_1`, `eval`."""
_OPENING = re.compile(
    r'\s*(?:\{\s*"(?P<first>[^"\\]{1,200})"\s*:\s*(?:\{\s*"(?P<second>[^"\\]{1,200})"\s*:\s*)?'
    r'(?:\[|\{\s*"0"\s*:)\s*(?=[-\d.NI])'
    r'|(?:\{\s*"[^"\\]{1,200}"\s*:\s*)?\[\s*(?=\{\s*"))'
)
"""How such a document begins: a list of numbers below one or two names, or a list of objects."""
_LOOKED_AT = 50


class JsonHistoryReader(Reader):
    """Reads `{set: {metric: […]}}`, `{metric: […]}`, `[{…}, …]` and `{name: [{…}, …]}`, one run each."""

    name: ClassVar[str] = "json"
    framing: ClassVar[Framing] = "file"
    names: ClassVar[Sequence[str]] = ("*.json",)

    def claim(self, head: Head) -> Claim:
        """Bid by how the document begins, and by the names in it where all of it is there."""
        text = head.data.removeprefix(UTF8_BOM).decode("utf-8", "replace")
        opening = _OPENING.match(text)
        if opening is None:
            return Claim(0.0, "begins neither with lists of values by name nor with a list of objects")
        own = not view_of_folder(head.name)
        if head.size > len(head.data):
            return _claim_of_beginning(text, opening, own)
        try:
            rows = list(_rows_of(json.loads(text)))
        except (ValueError, RecursionError):
            return Claim(0.0, "begins like a history; what follows is no JSON", nearly=True)
        if opening["second"] and any(map(_is_set, json.loads(text))):
            return Claim(0.85, "lists of a metric by set, as boosting libraries keep them", per_file_run=own)
        return _claim_of_rows(rows, own)

    def read(self, chunk: Chunk) -> Batch:
        """All rows; what is no complete JSON is read again when it changes."""
        try:
            loaded = json.loads(chunk.data.removeprefix(UTF8_BOM).decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            return Batch(message=f"not complete JSON, or more than is read of one document: {error}")
        rows = Rows({}, 0)
        for place, record in enumerate(_rows_of(loaded)):
            reason = _take(rows, place, record)
            if reason:
                rows.refuse(place, json.dumps(record)[:4096].encode("utf-8", "replace"), reason)
            else:
                rows.accept()
        return rows.batch(len(chunk.data), {})


def _take(rows: Rows, place: int, record: Mapping[str, Any]) -> str:
    """Add a row, whose place in the document stands for its offset; or say why not."""
    try:
        return rows.row(place, *sound_row(rows, *flatten(rows, record)))
    except Refused as refused:
        return str(refused)


def _rows_of(loaded: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of a document, from lists of values by name or from a list of objects."""
    if isinstance(loaded, dict):
        records = next((value for value in loaded.values() if _is_records(value)), None)
        if records is None:
            yield from _transposed(dict(_columns(loaded, "")))
            return
        loaded = records
    if isinstance(loaded, list):
        yield from (record for record in loaded if isinstance(record, dict))


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _columns(loaded: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Sequence[Any]]]:
    """Lists of plain values by name, sets and metrics joined by `/`."""
    for name, value in loaded.items():
        if isinstance(value, list) and not any(isinstance(item, (list, dict)) for item in value):
            yield prefix + name, value
        elif isinstance(value, dict) and value and all(key.isdecimal() for key in value):
            yield prefix + name, list(value.values())  # as pandas writes a column
        elif isinstance(value, dict) and not prefix:
            yield from _columns(value, f"{name}/")


def _transposed(columns: Mapping[str, Sequence[Any]]) -> Iterator[Mapping[str, Any]]:
    for i in range(max(map(len, columns.values()), default=0)):
        yield {name: values[i] for name, values in columns.items() if i < len(values)}


def _is_set(name: str) -> bool:
    return _SETS.fullmatch(name) is not None


def _claim_of_beginning(text: str, opening: re.Match[str], own: bool) -> Claim:
    """A bid for a document of which only the beginning is there."""
    if opening["first"] is None:
        try:
            record, _ = json.JSONDecoder().raw_decode(text, opening.end())
        except (ValueError, RecursionError):
            return Claim(0.0, "begins with a list of objects whose first one is no JSON")
        return _claim_of_rows([record], own)
    if opening["second"] and (_is_set(opening["first"]) or metric_like(opening["second"])):
        return Claim(0.85, "lists of a metric by set, as boosting libraries keep them", per_file_run=own)
    if metric_like(opening["first"]):
        return Claim(0.7, f"a list of {opening['first']}", per_file_run=own)
    return Claim(0.0, "its lists have no metric's name")


def _claim_of_rows(rows: Sequence[Mapping[str, Any]], own: bool) -> Claim:
    """A bid by the names in the rows: an axis, or mostly metrics."""
    scratch = Rows({}, 0)
    numbers: dict[str, float | int] = {}
    names: set[str] = set()
    try:
        for record in rows[:_LOOKED_AT]:
            more, words = flatten(scratch, record)
            numbers |= more
            names |= {*more, *words}
    except Refused as refused:
        return Claim(0.0, str(refused))
    if not numbers:
        return Claim(0.0, "no numbers in its lists")
    if found := production_columns(names):
        return Claim(0.0, f"rows of a model in production ({', '.join(found[:3])})")
    if axis := claimed_axis(numbers):
        return Claim(0.75, f"a JSON document of rows with {axis}", per_file_run=own)
    metrics = _metrics(numbers)
    if 2 * len(metrics) >= len(numbers):
        return Claim(0.6, f"a JSON document with values of {metrics[0]}", per_file_run=own)
    return Claim(0.0, "no step or epoch in it, and mostly other things than usual metrics")


def _metrics(names: Iterable[str]) -> list[str]:
    return [name for name in names if metric_like(name)]
