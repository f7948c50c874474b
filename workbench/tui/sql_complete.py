"""What a word in a statement may become, and whether a statement is all there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from workbench.store.sql_errors import KEYWORDS

Schema = Mapping[str, Sequence[tuple[str, str]]]
"""By table: its columns, each with its type."""

_WORD = re.compile(r"(?:(\w+)\.)?(\w*)$")
_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*(?:'|$))|(?P<remark>--[^\n]*|/\*.*?(?:\*/|$))|(?P<name>\"(?:[^\"]|\"\")*(?:\"|$))"
    r"|(?P<number>\b\d[\w.]*)|(?P<word>\w+)|(?P<mark>[()\[\]{};])",
    re.S,
)
FUNCTIONS = (
    "count", "sum", "avg", "min", "max", "median", "quantile_cont", "stddev", "arg_max", "arg_min", "first", "last",
    "list", "string_agg", "round", "abs", "coalesce", "nullif", "greatest", "least", "to_timestamp", "date_trunc",
    "strftime", "epoch", "lower", "upper", "regexp_matches", "regexp_extract", "row_number", "lag", "lead", "cast",
    "try_cast", "json_extract", "histogram",
)  # fmt: skip
_WORDS = frozenset(word for phrase in KEYWORDS for word in phrase.split())
_QUOTED = frozenset({"window"})
"""Tables whose name is a word of the language, and so stands in quotes."""


class Completion(Struct, frozen=True):
    """Where in a line the word begins, and what it may become, the likeliest first."""

    start: int
    names: Sequence[str]


def completions(before: str, whole: str, schema: Schema) -> Completion:
    """What the word that ends `before`, the line up to the cursor, may become in the statement `whole`."""
    match = _WORD.search(before)
    table, word = (match[1], match[2]) if match else (None, "")
    start = len(before) - len(word)
    if table is not None:
        found = _table_of(table, whole, schema)
        return Completion(start, _beginning(word, [name for name, _ in schema.get(found, ())]))
    if not word or (len(word) > 3 and word.upper() in _WORDS):
        return Completion(start, ())
    spoken = [name for name in schema if re.search(rf"\b{name}\b", whole)]
    near = [column for name in spoken for column, _ in schema[name]]
    tables = [f'"{name}"' if name in _QUOTED else name for name in schema]
    far = [column for name in schema for column, _ in schema[name]]
    after_from = re.search(r"\b(?:from|join|describe)\s+\w*$", before, re.I) is not None
    order = [*tables] if after_from else [*near, *tables, *_cased(KEYWORDS, word), *FUNCTIONS, *far]
    return Completion(start, _beginning(word, order))


def _cased(words: Sequence[str], like: str) -> list[str]:
    """Words of the language in the case that is being written."""
    return [word if like.isupper() else word.lower() for word in words]


def _beginning(word: str, names: Sequence[str]) -> list[str]:
    """Names that begin with the word, each once; the word itself is no completion."""
    start = word.lower()
    found = [name for name in names if name.strip('"').lower().startswith(start) and name != word]
    return list(dict.fromkeys(found))


def _table_of(name: str, whole: str, schema: Schema) -> str:
    """The table that a name or an alias stands for."""
    if name in schema:
        return name
    before = re.findall(rf"\b(\w+)\"?\s+(?:as\s+)?{re.escape(name)}\b", whole, re.I)
    return next((each for each in before if each in schema), name)


def is_open(text: str) -> bool:
    """Whether a bracket, a quote or a remark is still open, so that Enter means a new line."""
    depth = 0
    for token in _TOKEN.finditer(text):
        kind, words = token.lastgroup, token[0]
        if kind == "mark":
            depth += (words in "([{") - (words in ")]}")
        elif kind in ("text", "name", "remark") and not _closed(words):
            return True
    return depth > 0


def _closed(words: str) -> bool:
    """Whether a quoted text or a remark has its end."""
    if words.startswith("--"):
        return True
    if words.startswith("/*"):
        return len(words) > 3 and words.endswith("*/")
    return len(words) > 1 and words.endswith(words[0])


def tokens(line: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of what stands out in one line: `word` of the language, `text`, `number`, `remark`."""
    found = []
    for token in _TOKEN.finditer(line):
        kind = token.lastgroup or ""
        if kind == "word" and token[0].upper() not in _WORDS:
            continue
        if kind in ("word", "text", "number", "remark"):
            found.append((token.start(), token.end(), kind))
    return found
