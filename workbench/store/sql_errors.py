"""What is wrong with a statement: DuckDB's words without their frame, where in the statement, and the nearest name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from msgspec import Struct

_FRAME = re.compile(r"\s*\n+LINE (\d+): (.*)\n( *)\^", re.S)
_KIND = re.compile(r"^(?:Binder|Catalog|Parser|Conversion|Invalid Input|Out of Range|Not implemented) Error: ")
_GUESS = re.compile(r"\s*(?:Did you mean|Candidate (?:bindings|tables|functions))[: ].*", re.S)
_NAMED = (
    re.compile(r'Referenced (?:column|table) "([^"]+)" not found'),
    re.compile(r'Table with name "?([^"\s!]+)"? does not exist'),
    re.compile(r'does not have a column named "([^"]+)"'),
    re.compile(r'Function with name "?([^"\s!]+)"? does not exist'),
)
_AT = re.compile(r'syntax error at or near "([^"]*)"')
KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "LEFT JOIN", "USING", "ON", "AS",
    "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "WITH",
    "DISTINCT", "UNION", "OVER", "PARTITION BY", "QUALIFY", "DESC", "ASC", "DESCRIBE", "EXPLAIN", "SHOW", "PIVOT",
)  # fmt: skip
"""Words of the language worth completing."""
_WORDS = frozenset(word for phrase in KEYWORDS for word in phrase.split())


class SqlError(ValueError):
    """The statement is refused or fails; the message says what, where, and what is allowed."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None, source: str = "") -> None:
        self.reason = message
        """What is wrong, without the place."""
        self.line = line
        """From 1; None where DuckDB names none."""
        self.column = column
        """From 1, in characters."""
        shown = f"\n\nline {line}: {source}\n{' ' * (len(f'line {line}: ') + (column or 1) - 1)}^" if line else ""
        super().__init__(f"{message}{shown}")


class Names(Struct, frozen=True):
    """What can be named in a statement."""

    columns: Collection[str] = ()
    tables: Collection[str] = ()


def explained(error: Exception, text: str, names: Names | None = None) -> SqlError:
    """DuckDB's error about a statement, for whoever wrote it."""
    words = str(error)
    frame = _FRAME.search(words)
    said = _KIND.sub("", words[: frame.start()] if frame else words).strip()
    line, source, place = None, "", 0
    if frame is not None:
        line = int(frame[1])
        source = (text.split("\n") + [""] * line)[line - 1]
        place = _place(source, frame[2], len(frame[3]) - len(f"LINE {line}: "))
    hint = nearest_name(said, names or Names(), source[:place])
    said = f"{_GUESS.sub('', said).rstrip('! .')}{hint}" if hint else " ".join(said.split())
    return SqlError(said, line, place + 1, source) if line is not None else SqlError(said)


def _near_keyword(said: str, before: str, names: Names) -> str:
    """The word that a syntax error may be about: the one it names, or the one before it, if it is no known name."""
    at = _AT.search(said)
    known = {name.lower() for name in (*names.columns, *names.tables)} | {word.lower() for word in _WORDS}
    candidates = [at[1], *reversed(re.findall(r"\w+", before)[-1:])] if at else []
    return next((word for word in candidates if word.isidentifier() and word.lower() not in known), "")


def _place(source: str, shown: str, column: int) -> int:
    """Where the caret stands in the whole line, of which DuckDB shows a part between ellipses."""
    if not shown.startswith("..."):
        return max(0, min(column, len(source)))
    start = source.find(shown[3:].removesuffix("...").rstrip("\n"))
    return max(0, min(start + column - 3, len(source))) if start >= 0 else 0


def nearest_name(said: str, names: Names, before: str = "") -> str:
    """` – did you mean 'x'?` for a name that there is not; empty where nothing is near.

    `before` is what stands before the place of a syntax error: the parser stumbles a word after a mistyped keyword.
    """
    found = next((match for pattern in _NAMED if (match := pattern.search(said))), None)
    if found is not None:
        known = [*names.tables] if "able" in found[0] else [*names.columns, *names.tables]
        wrong = found[1].rpartition(".")[2]
    else:
        known, wrong = list(KEYWORDS), _near_keyword(said, before, names)
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(wrong.lower(), list(lowered), n=1, cutoff=0.6) if wrong else []
    return f" – did you mean {lowered[close[0]]!r}?" if close else ""
