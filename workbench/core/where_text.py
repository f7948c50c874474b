"""The words of the query language: tokens with their positions, numbers with their suffixes, and the error."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from workbench.core.text import width

FIELDS = {
    "name": "name",
    "tag": "tag",
    "state": "state",
    "status": "state",
    "format": "format",
    "path": "path",
    "id": "id",
    "has": "has",
    "is": "is",
    "note": "note",
}
"""What may stand before a colon, and the name it goes by."""

FUNCTIONS = ("best", "last", "first", "min", "max", "n", "param", "tag")
"""What may stand before a parenthesis."""

_KEYWORDS = {"and": "and", "&&": "and", "&": "and", "or": "or", "||": "or", "|": "or", "not": "not"}
_LONGEST = 10_000
_OPERATOR = re.compile(r"!=|!~|<=|>=|==|[<>=~]")
_WORD = re.compile(r"""[^\s()"'<>=!~:](?:[^\s()<>=!~:]|!(?![=~]))*""")
_VALUE = re.compile(r"""[^\s()"'<>=!~](?:[^\s()<>=!~]|!(?![=~]))*""")
_FIELD_VALUE = re.compile(r"""[^\s()"'][^\s()]*""")
_QUOTED = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL)
_PLAIN = re.compile(r"[\w./@%+*?-]+")
_NUMBER = re.compile(r"([+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([%kKMGB]?)", re.ASCII)
_DURATION = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(ns|us|µs|ms|s|sec|min|h|d)", re.ASCII)
_FACTORS = {"": 1.0, "%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_NOT_FINITE = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}


class WhereError(ValueError):
    """The expression cannot be read; `position` counts characters of `text` from 0."""

    def __init__(self, message: str, position: int, text: str = "") -> None:
        super().__init__(message, position, text)
        self.message = message
        self.position = position
        self.text = text

    def __str__(self) -> str:
        if not self.text:
            return self.message
        line = "".join(" " if char.isspace() else char for char in self.text)
        return f"{self.message}\n  {line}\n  {' ' * width(line[: self.position])}^"


class Token(Struct, frozen=True):
    """A piece of the text; a function has its key in `text` and its own name in `note`."""

    kind: Literal["word", "quoted", "operator", "function", "and", "or", "not", "(", ")", ":", "end"]
    text: str
    start: int
    note: str = ""


def tokens_of(text: str) -> list[Token]:
    """Cut a text into tokens, the last of kind `end`.

    Raises:
        WhereError: a quote or a function that is not closed, or a text beyond 10,000 characters.
    """
    if len(text) > _LONGEST:
        raise WhereError(f"longer than {_LONGEST:,} characters", 0)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, at = _token(text, at, tokens[-1].kind if tokens else "")
        tokens.append(token)
    return [*tokens, Token("end", "", len(text))]


def _token(text: str, at: int, before: str) -> tuple[Token, int]:
    """The token at a position and where it ends; what came before decides how far a value reaches."""
    char = text[at]
    if char in "\"'":
        return _quoted(text, at)
    if before == ":" and (match := _FIELD_VALUE.match(text, at)):
        return Token("word", match[0], at), match.end()
    if match := _OPERATOR.match(text, at):
        return Token("operator", "=" if match[0] == "==" else match[0], at), match.end()
    if before == "operator" and (match := _VALUE.match(text, at)):
        return Token("word", match[0], at), match.end()
    if char in "():":
        return Token(char, char, at), at + 1  # type: ignore[arg-type]
    if char == "!":
        return Token("not", char, at), at + 1
    match = _WORD.match(text, at)
    assert match is not None  # every other first character has been dealt with above
    word, end = match[0], match.end()
    keyword = _KEYWORDS.get(word.casefold())
    if keyword:
        return Token(keyword, word, at), end  # type: ignore[arg-type]
    if text[end : end + 1] == "(":
        return _function(text, at, word, end + 1)
    return Token("word", word, at), end


def _quoted(text: str, at: int) -> tuple[Token, int]:
    match = _QUOTED.match(text, at)
    if match is None:
        raise WhereError("this quote is not closed", at, text)
    return Token("quoted", re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL), at), match.end()


def _function(text: str, at: int, name: str, inside: int) -> tuple[Token, int]:
    """`best(key)`: the key is taken as it stands up to the parenthesis that closes, or from quotes."""
    start = inside
    while text[start : start + 1].isspace():
        start += 1
    if text[start : start + 1] in ("'", '"') and start < len(text):
        token, end = _quoted(text, start)
        while text[end : end + 1].isspace():
            end += 1
        if text[end : end + 1] == ")":
            return Token("function", token.text, at, name), end + 1
        raise WhereError(f"{name}( is not closed", at, text)
    depth = 1
    for end in range(inside, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            key = text[inside:end].strip()
            if not key:
                raise WhereError(f"{name}() needs a name inside", at, text)
            return Token("function", key, at, name), end + 1
    raise WhereError(f"{name}( is not closed", at, text)


def quoted(text: str, after: str = "", always: bool = False) -> str:
    """The text as the language reads it back: bare where that is safe, else in quotes."""
    if not always and _PLAIN.fullmatch(text) and (after or text.casefold() not in _KEYWORDS):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def number_of(text: str) -> float | None:
    """A number with an optional suffix (`5%` is 0.05, `10k` is 10,000), nan and inf included; None for other text."""
    text = text.strip()
    match = _NUMBER.fullmatch(text)
    if match:
        try:
            return float(match[1]) * _FACTORS[match[2]]
        except ValueError:  # an underscore at the wrong place
            return None
    return float(text) if text.casefold() in _NOT_FINITE else None


def seconds_of(text: str) -> float | None:
    """Seconds of `10ms`, `2min`, `1.5h`; None for anything without a unit of time."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _SECONDS[match[2]] if match else None
