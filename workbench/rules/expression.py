"""Gate expressions such as `latency_ms.p95 <= 1.1 * baseline`, read without ever being run as code.

A gate is one comparison of two sums. `a/b` and `a-b` without spaces are names; division and subtraction of names want
spaces around them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from workbench.core.where_text import WhereError, number_of

PRODUCTION = ("drift", "window", "missing", "findings")
"""Functions that ask a monitor and not a run."""

FUNCTIONS = ("best", "last", "first", "min", "max", "n", "param", *PRODUCTION)
"""Functions a gate may use, besides percentiles such as `p95(latency_ms)`."""

DRIFT_PARTS = ("share", "drifted", "tested")
"""What a gate may ask of a monitor's drift: `drift(flights).share`."""

FINDING_PARTS = ("bad", "warn", "info")
"""Severities a gate may count: `findings(flights).bad == 0`; without one, bad ones and warnings are counted."""

Comparator = Literal["<", "<=", ">", ">=", "==", "!="]
_LONGEST = 2_000
_LONGEST_TOKENS = 200
_COMPARATORS = ("<=", ">=", "==", "!=", "=", "<", ">")
_SYMBOL = re.compile(r"<=|>=|==|!=|[<>=()+*/-]")
_NUMBER = re.compile(r"(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[%kMG]?(?![\w./])", re.ASCII)
_CALL = re.compile(r"([A-Za-z_]\w*)\(", re.ASCII)
_NAME = re.compile(r"[^\W\d](?:[\w./@%:-]*[\w%])?")
_PART = re.compile(r"\.([\w./@%-]*[\w%])")
_QUOTED = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL)


class GateError(WhereError):
    """A gate's expression cannot be read; `position` is where."""


class Number(Struct, frozen=True):
    """A number as written, `5%` being 0.05."""

    value: float


class Text(Struct, frozen=True):
    """A quoted text, to compare a parameter with."""

    value: str


class Quantity(Struct, frozen=True):
    """Something measured: `best(val/loss)`, `latency_ms.p95`, `drift(flights).share`; a bare name has no function."""

    function: str
    key: str
    part: str = ""

    def __str__(self) -> str:
        if not self.function:
            return self.key
        return f"{self.function}({self.key})" + (f".{self.part}" if self.part else "")


class Baseline(Struct, frozen=True):
    """The other side's quantity, of the baseline run."""


class Negative(Struct, frozen=True):
    """A term with its sign turned."""

    term: Term


class Arithmetic(Struct, frozen=True):
    """Two terms and `+`, `-`, `*` or `/` between them."""

    operator: Literal["+", "-", "*", "/"]
    left: Term
    right: Term


Term = Number | Text | Quantity | Baseline | Negative | Arithmetic


class Check(Struct, frozen=True):
    """One comparison."""

    left: Term
    comparator: Comparator
    right: Term


def quantities(term: Term) -> Iterator[Quantity]:
    """What a term measures, in order of reading."""
    match term:
        case Quantity():
            yield term
        case Negative(inner):
            yield from quantities(inner)
        case Arithmetic(_, left, right):
            yield from quantities(left)
            yield from quantities(right)
        case _:
            return


def has_baseline(term: Term) -> bool:
    """Whether a term refers to the baseline."""
    match term:
        case Baseline():
            return True
        case Negative(inner):
            return has_baseline(inner)
        case Arithmetic(_, left, right):
            return has_baseline(left) or has_baseline(right)
        case _:
            return False


@lru_cache(maxsize=256)
def parse(text: str) -> Check:
    """Read a gate's expression.

    Raises:
        GateError: not one comparison of two sums, an unknown function, or `baseline` on both sides.
    """
    return _Parser(text).check()


class _Token(Struct, frozen=True):
    kind: Literal["symbol", "number", "text", "quantity", "end"]
    text: str
    start: int
    term: Term | None = None


def _tokens(text: str) -> Iterator[_Token]:
    if len(text) > _LONGEST:
        raise GateError(f"longer than {_LONGEST:,} characters", 0)
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, at = _token(text, at)
        yield token
    yield _Token("end", "", len(text))


def _token(text: str, at: int) -> tuple[_Token, int]:
    if match := _QUOTED.match(text, at):
        return _Token("text", match[0], at, Text(re.sub(r"\\(.)", r"\1", match[2]))), match.end()
    if match := _NUMBER.match(text, at):
        value = number_of(match[0])
        if value is not None:
            return _Token("number", match[0], at, Number(value)), match.end()
    if match := _CALL.match(text, at):
        return _call(text, at, match[1], match.end())
    if match := _NAME.match(text, at):
        term = Baseline() if match[0] == "baseline" else Quantity("", match[0])
        return _Token("quantity", match[0], at, term), match.end()
    if match := _SYMBOL.match(text, at):
        return _Token("symbol", match[0], at), match.end()
    if text[at].isdigit() or text[at] == ".":
        written = re.match(r"\S+", text[at:])
        assert written is not None
        raise GateError(f"{written[0]!r} is no number; write it in the metric's own unit, without one", at, text)
    raise GateError(f"{text[at]!r} has no meaning here", at, text)


def _call(text: str, at: int, name: str, inside: int) -> tuple[_Token, int]:
    """`best(key)` and `window(monitor).key`: the key as it stands up to the closing parenthesis, or from quotes."""
    if name not in FUNCTIONS and not re.fullmatch(r"p\d{1,2}(\d|_\d+)?", name):
        close = difflib.get_close_matches(name, FUNCTIONS, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(FUNCTIONS)}, p50 … p99"
        raise GateError(f"no function {name!r} – {hint}", at, text)
    depth, end = 1, inside
    while end < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    if depth:
        raise GateError(f"{name}( is not closed", at, text)
    key = text[inside : end - 1].strip()
    if match := _QUOTED.fullmatch(key):
        key = re.sub(r"\\(.)", r"\1", match[2])
    if not key:
        raise GateError(f"{name}() needs a name inside", at, text)
    part = ""
    if match := _PART.match(text, end):
        part, end = match[1], match.end()
    _check_part(text, at, name, key, part)
    return _Token("quantity", text[at:end], at, Quantity(name, key, part)), end


def _check_part(text: str, at: int, name: str, key: str, part: str) -> None:
    if name == "drift" and part not in DRIFT_PARTS:
        asked = f"drift({key}).{part}" if part else f"drift({key})"
        raise GateError(f"{asked}: ask for one of .{', .'.join(DRIFT_PARTS)}", at, text)
    if name == "window" and not part:
        raise GateError(f"window({key}) needs a metric behind it, such as window({key}).latency_ms.p95", at, text)
    if name == "findings" and part not in ("", *FINDING_PARTS):
        raise GateError(f"findings({key}).{part}: ask for one of .{', .'.join(FINDING_PARTS)}, or for none", at, text)
    if name == "missing" and "." not in key:
        raise GateError(f"missing({key}) needs a monitor and a column, such as missing({key}.age)", at, text)
    if name not in ("drift", "window", "findings") and part:
        raise GateError(f"write {name}({key}) without .{part}, or the percentile as {key}.p95", at, text)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0
        if len(self.tokens) > _LONGEST_TOKENS:  # also bounds how deep the recursions go
            raise GateError(f"more than {_LONGEST_TOKENS} parts", 0, text)

    def fail(self, message: str, token: _Token) -> GateError:
        return GateError(message, token.start, self.text)

    def peek(self) -> _Token:
        return self.tokens[self.at]

    def next(self) -> _Token:
        token = self.tokens[self.at]
        self.at += token.kind != "end"
        return token

    def check(self) -> Check:
        left = self.sum()
        token = self.next()
        if token.text not in _COMPARATORS or token.kind != "symbol":
            raise self.fail("a gate compares two things, as in best(val/accuracy) >= 0.9", token)
        right = self.sum()
        rest = self.next()
        if rest.kind != "end":
            raise self.fail("a gate has one comparison; write a second gate for a second one", rest)
        if has_baseline(left) and has_baseline(right):
            raise self.fail("baseline stands on both sides, so there is nothing to compare it with", token)
        comparator = "==" if token.text == "=" else token.text
        return Check(left, comparator, right)  # type: ignore[arg-type]

    def sum(self) -> Term:
        term = self.product()
        while (token := self.peek()).kind == "symbol" and token.text in "+-":
            self.next()
            term = Arithmetic(token.text, term, self.product())  # type: ignore[arg-type]
        return term

    def product(self) -> Term:
        term = self.factor()
        while (token := self.peek()).kind == "symbol" and token.text in "*/":
            self.next()
            term = Arithmetic(token.text, term, self.factor())  # type: ignore[arg-type]
        return term

    def factor(self) -> Term:
        token = self.next()
        if token.term is not None:
            return token.term
        if token.kind == "symbol" and token.text == "-":
            return Negative(self.factor())
        if token.kind == "symbol" and token.text == "(":
            inner = self.sum()
            closing = self.next()
            if closing.text != ")":
                raise self.fail("this ( is not closed", token)
            return inner
        missing = "something is missing at the end" if token.kind == "end" else f"{token.text!r} is out of place"
        raise self.fail(missing, token)
