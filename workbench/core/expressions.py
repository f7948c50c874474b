"""Expressions over the columns of an export, such as `code >= 500` or `1 / sampling_fraction`.

A small grammar of its own: numbers, 'text', columns (bare or in "quotes"), arithmetic, comparisons, `in`, `is null`,
`and`, `or`, `not`, and the functions of `FUNCTIONS`. No other text reaches the database, so that a configuration can
neither read files nor change settings; and every operation is total: what has no value is null.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

Kind = Literal["number", "text", "bool", "null"]

FUNCTIONS: dict[str, tuple[int, int]] = {
    "abs": (1, 1), "round": (1, 1), "floor": (1, 1), "ceil": (1, 1), "ln": (1, 1), "log10": (1, 1), "exp": (1, 1),
    "sqrt": (1, 1), "least": (2, 9), "greatest": (2, 9), "coalesce": (2, 9), "if": (3, 3), "lower": (1, 1),
    "length": (1, 1),
}  # fmt: skip
"""Names and how many arguments they take."""
_GUARDS = {"ln": "{0} > 0", "log10": "{0} > 0", "sqrt": "{0} >= 0", "exp": "{0} < 709"}
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")
    |(?P<name>[^\W\d][\w.]*)|(?P<symbol><=|>=|!=|<>|==|[-+*/%<>=(),]))""",
    re.VERBOSE,
)
_DEPTH = 50
_LENGTH = 1000


class ExpressionError(ValueError):
    """Not an expression; the message says where and what would be right."""


class Node(Struct, frozen=True):
    """A part of an expression: `op` is `number`, `text`, `column`, a function's name or an operator."""

    op: str
    value: str = ""
    parts: tuple[Node, ...] = ()


class Token(Struct, frozen=True):
    """A word of an expression and where it begins."""

    kind: str
    text: str
    at: int


def parse_expression(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: it is none.
    """
    if len(text) > _LENGTH:
        raise ExpressionError(f"an expression of {len(text):,} characters; at most {_LENGTH:,}")
    parser = _Parser(text, _tokens(text))
    node = parser.either()
    parser.end()
    return node


def columns_of(node: Node) -> list[str]:
    """Names of the columns that an expression needs, each once."""
    found = [node.value] if node.op == "column" else []
    found += [name for part in node.parts for name in columns_of(part)]
    return list(dict.fromkeys(found))


def expression_sql(node: Node, column: Callable[[str], tuple[str, Kind]]) -> tuple[str, Kind]:
    """SQL that never fails on any row, and what kind of value it gives.

    column: the SQL of a column and what it holds.
    """
    if node.op == "number":
        return f"{float(node.value)!r}::DOUBLE", "number"
    if node.op == "text":
        return "'" + node.value.replace("'", "''") + "'", "text"
    if node.op == "null":
        return "NULL", "null"
    if node.op in ("true", "false"):
        return node.op, "bool"
    if node.op == "column":
        return column(node.value)
    return _operation(node.op, [expression_sql(part, column) for part in node.parts])


def _operation(op: str, parts: Sequence[tuple[str, Kind]]) -> tuple[str, Kind]:
    if op in ("and", "or"):
        return f"({_bool(parts[0])} {op} {_bool(parts[1])})", "bool"
    if op == "not":
        return f"(not {_bool(parts[0])})", "bool"
    if op in ("is null", "is not null"):
        return f"({parts[0][0]} {op})", "bool"
    if op in ("<", "<=", ">", ">=", "=", "<>"):
        (left, right), _ = _alike(parts)
        return f"({left} {op} {right})", "bool"
    if op == "in":
        (left, *others), _ = _alike(parts)
        return f"({left} in ({', '.join(others)}))", "bool"
    if op in ("+", "-", "*"):
        return f"({_number(parts[0])} {op} {_number(parts[1])})", "number"
    if op in ("/", "%"):
        return f"({_number(parts[0])} {op} nullif({_number(parts[1])}, 0))", "number"
    if op == "negative":
        return f"(-{_number(parts[0])})", "number"
    return _call(op, parts)


def _call(op: str, parts: Sequence[tuple[str, Kind]]) -> tuple[str, Kind]:
    if op == "if":
        (yes, no), kind = _alike(parts[1:])
        return f"(CASE WHEN {_bool(parts[0])} THEN {yes} ELSE {no} END)", kind
    if op in ("least", "greatest", "coalesce"):
        alike, kind = _alike(parts)
        return f"{op}({', '.join(alike)})", kind
    if op in ("lower", "length"):
        return f"{op}({_text(parts[0])})", "text" if op == "lower" else "number"
    value = _number(parts[0])
    if op in _GUARDS:
        return f"(CASE WHEN {_GUARDS[op].format(value)} THEN {op}({value}) END)", "number"
    return f"{op}({value})", "number"


def _alike(parts: Sequence[tuple[str, Kind]]) -> tuple[list[str], Kind]:
    """The parts as one kind, and which: numbers where any is one, else text where any is."""
    kinds = {kind for _, kind in parts}
    if "number" in kinds:
        return [_number(part) for part in parts], "number"
    if "text" in kinds:
        return [_text(part) for part in parts], "text"
    return [_bool(part) for part in parts], "bool"


def _number(part: tuple[str, Kind]) -> str:
    sql, kind = part
    return {"text": f"try_cast({sql} AS DOUBLE)", "bool": f"({sql})::INTEGER::DOUBLE"}.get(kind, sql)


def _text(part: tuple[str, Kind]) -> str:
    return part[0] if part[1] == "text" else f"({part[0]})::VARCHAR"


def _bool(part: tuple[str, Kind]) -> str:
    sql, kind = part
    return {"number": f"({sql} <> 0)", "text": f"try_cast({sql} AS BOOLEAN)"}.get(kind, sql)


def _tokens(text: str) -> list[Token]:
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            place = len(text[at:]) - len(text[at:].lstrip()) + at
            raise ExpressionError(f"{text[place]!r} has no meaning here, at character {place + 1} of {text!r}")
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, Token("end", "", len(text))]


class _Parser:
    """Recursive descent, a method a level of precedence."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text, self.tokens, self.at, self.depth = text, tokens, 0, 0

    def word(self, *words: str) -> str | None:
        token = self.tokens[self.at]
        lowered = token.text.lower()
        if token.kind in ("symbol", "name") and lowered in words:
            self.at += 1
            return lowered
        return None

    def need(self, word: str) -> None:
        if not self.word(word):
            raise self.wrong(f"expected {word!r}")

    def wrong(self, why: str) -> ExpressionError:
        token = self.tokens[self.at]
        place = f"before {token.text!r}" if token.text else "at the end"
        return ExpressionError(f"{why} {place} of {self.text!r}")

    def end(self) -> None:
        if self.tokens[self.at].kind != "end":
            raise self.wrong("expected an operator")

    def either(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise ExpressionError(f"parentheses deeper than {_DEPTH}")
        node = self.both()
        while self.word("or"):
            node = Node("or", "", (node, self.both()))
        self.depth -= 1
        return node

    def both(self) -> Node:
        node = self.negated()
        while self.word("and"):
            node = Node("and", "", (node, self.negated()))
        return node

    def negated(self) -> Node:
        turns = 0
        while self.word("not"):
            turns += 1
        node = self.compared()
        return Node("not", "", (node,)) if turns % 2 else node

    def compared(self) -> Node:
        node = self.added()
        if op := self.word("<", "<=", ">", ">=", "=", "==", "!=", "<>"):
            return Node({"==": "=", "!=": "<>"}.get(op, op), "", (node, self.added()))
        if self.word("is"):
            op = "is not null" if self.word("not") else "is null"
            self.need("null")
            return Node(op, "", (node,))
        if self.word("in"):
            self.need("(")
            return Node("in", "", (node, *self.arguments()))
        return node

    def added(self) -> Node:
        node = self.multiplied()
        while op := self.word("+", "-"):
            node = Node(op, "", (node, self.multiplied()))
        return node

    def multiplied(self) -> Node:
        node = self.signed()
        while op := self.word("*", "/", "%"):
            node = Node(op, "", (node, self.signed()))
        return node

    def signed(self) -> Node:
        turns = 0
        while sign := self.word("-", "+"):
            turns += sign == "-"
        node = self.single()
        return Node("negative", "", (node,)) if turns % 2 else node

    def single(self) -> Node:
        if self.word("("):
            node = self.either()
            self.need(")")
            return node
        token = self.tokens[self.at]
        if token.kind not in ("number", "text", "quoted", "name") or token.text.lower() in ("and", "or", "in", "is"):
            raise self.wrong("expected a column, a number or 'text'")
        self.at += 1
        if token.kind in ("number", "text", "quoted"):
            return _literal(token)
        if token.text.lower() in ("true", "false", "null"):
            return Node(token.text.lower())
        return self.call(token) if self.word("(") else Node("column", token.text)

    def call(self, token: Token) -> Node:
        name = token.text.lower()
        if name not in FUNCTIONS:
            close = difflib.get_close_matches(name, FUNCTIONS, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(FUNCTIONS))}"
            raise ExpressionError(f"no function {token.text!r} in {self.text!r} – {hint}")
        parts = self.arguments()
        least, most = FUNCTIONS[name]
        if not least <= len(parts) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError(f"{name}() takes {wanted} values, got {len(parts)} in {self.text!r}")
        return Node(name, "", tuple(parts))

    def arguments(self) -> list[Node]:
        parts = [self.either()]
        while self.word(","):
            parts.append(self.either())
        self.need(")")
        return parts


def _literal(token: Token) -> Node:
    if token.kind == "number":
        if math.isinf(float(token.text)):
            raise ExpressionError(f"{token.text} is larger than any number")
        return Node("number", token.text)
    mark = token.text[0]
    return Node("column" if mark == '"' else "text", token.text[1:-1].replace(mark * 2, mark))
