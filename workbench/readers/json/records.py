"""JSON objects as rows: their leaves sorted into numbers and texts, nested keys joined by `/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.readers.attributes import MAX_ATTRIBUTE_TEXT, Text
from workbench.readers.json.refusal import MAX_DEPTH, Refused
from workbench.readers.rows import Rows

NOT_UTF8 = "bytes that are not UTF-8 are shown as U+FFFD"


def flatten(rows: Rows, record: Mapping[str, Any]) -> tuple[dict[str, float | int], dict[str, Text]]:
    """Numbers and texts of a record by key; `rows` knows which keys speak in words.

    Raises:
        Refused: nested too deep.
    """
    numbers: dict[str, float | int] = {}
    texts: dict[str, Text] = {}
    _flatten(rows, record, "", 1, (numbers, texts))
    return numbers, texts


def _flatten(
    rows: Rows, record: Mapping[str, Any], prefix: str, depth: int, out: tuple[dict[str, float | int], dict[str, Text]]
) -> None:
    if depth > MAX_DEPTH:
        raise Refused(f"E106 nested deeper than {MAX_DEPTH} levels")
    numbers, texts = out
    for name, value in record.items():
        kind, key = type(value), prefix + name
        if kind is float or kind is int:
            numbers[key] = value
        elif kind is str:
            parsed = rows.number_of(key, value)
            if parsed is not None:
                numbers[key] = parsed
                rows.note_text_number(key)
            elif 0 < len(value) <= MAX_ATTRIBUTE_TEXT:
                texts[key] = value
        elif kind is dict:
            _flatten(rows, value, key + "/", depth + 1, out)
        elif kind is bool:
            texts[key] = value
        elif kind is list and (text := _list_text(value)):
            texts[key] = text


def _list_text(value: list[Any]) -> str:
    """A short list as JSON, a long or deep one as nothing."""
    if not 0 < len(value) <= MAX_ATTRIBUTE_TEXT // 2:
        return ""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise Refused(f"E106 nested deeper than {MAX_DEPTH} levels") from None
    return text if len(text) <= MAX_ATTRIBUTE_TEXT else ""


def sound(rows: Rows, text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become U+FFFD, pairs become their character."""
    if "\ufffd" in text:
        rows.note(NOT_UTF8)
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    rows.note(NOT_UTF8)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def sound_row(
    rows: Rows, numbers: Mapping[str, float | int], texts: Mapping[str, Text]
) -> tuple[dict[str, float | int], dict[str, Text]]:
    """A row whose names and texts UTF-8 can hold."""
    return (
        {sound(rows, key): value for key, value in numbers.items()},
        {sound(rows, key): sound(rows, text) if isinstance(text, str) else text for key, text in texts.items()},
    )
