"""Expressions of the query language: their frozen form, and the parser that makes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, get_args

from msgspec import Struct

from workbench.core.model import Status
from workbench.core.where_text import FIELDS, FUNCTIONS, Token, WhereError, quoted, tokens_of

Operator = Literal["<", "<=", ">", ">=", "=", "!=", "~", "!~"]
_DEEPEST = 100
_STATES = get_args(Status)
_IS = ("baseline", "hidden")


class All(Struct, frozen=True):
    """Every item matches; without items it matches every run."""

    items: tuple[Expr, ...] = ()

    def __str__(self) -> str:
        return " ".join(_inner(item, All) for item in self.items)


class AnyOf(Struct, frozen=True):
    """At least one item matches."""

    items: tuple[Expr, ...]

    def __str__(self) -> str:
        return " or ".join(_inner(item, AnyOf) for item in self.items)


class Not(Struct, frozen=True):
    """The item does not match."""

    item: Expr

    def __str__(self) -> str:
        return f"not {_inner(self.item, Not)}"


class Word(Struct, frozen=True):
    """Part of a run's name, path or tags."""

    text: str

    def __str__(self) -> str:
        return quoted(self.text)


class Field(Struct, frozen=True):
    """`name:`, `tag:`, `state:` and their like; `*` and `?` in the value are wildcards."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}:{quoted(self.value, after=':')}"


class Compare(Struct, frozen=True):
    """A parameter, metric or tag against a value; `function` is empty, or `best`, `last`, `min` and so on."""

    key: str
    operator: Operator
    value: str
    function: str = ""

    def __str__(self) -> str:
        left = f"{self.function}({quoted(self.key, always=True)})" if self.function else quoted(self.key)
        return f"{left}{self.operator}{quoted(self.value, after=self.operator)}"


Expr = All | AnyOf | Not | Word | Field | Compare


def _inner(item: Expr, outer: type[Expr]) -> str:
    """Text of a part, in parentheses where it would otherwise be read differently."""
    bare = not isinstance(item, All | AnyOf) or (outer is AnyOf and isinstance(item, All) and bool(item.items))
    return str(item) if bare else f"({item})"


@lru_cache(maxsize=256)
def parse(text: str) -> Expr:
    """Read an expression; an empty one matches every run.

    Raises:
        WhereError: not an expression of the language; `position` is where.
    """
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0

    def fail(self, message: str, token: Token | None = None) -> WhereError:
        return WhereError(message, (token or self.peek()).start, self.text)

    def peek(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        self.at += token.kind != "end"
        return token

    def whole(self) -> Expr:
        if self.peek().kind == "end":
            return All()
        found = self.alternatives()
        if self.peek().kind != "end":
            raise self.fail("this ) closes nothing")
        return found

    def alternatives(self) -> Expr:
        items = [self.sequence()]
        while self.peek().kind == "or":
            self.next()
            items.append(self.sequence())
        return items[0] if len(items) == 1 else AnyOf(tuple(_flat(items, AnyOf)))

    def sequence(self) -> Expr:
        items = [self.negation()]
        while self.peek().kind not in ("or", "end", ")"):
            if self.peek().kind == "and":
                self.next()
            items.append(self.negation())
        return items[0] if len(items) == 1 else All(tuple(_flat(items, All)))

    def negation(self) -> Expr:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail(f"nested deeper than {_DEEPEST} levels")
        try:
            if self.peek().kind == "not":
                self.next()
                return Not(self.negation())
            return self.primary()
        finally:
            self.depth -= 1

    def primary(self) -> Expr:
        token = self.next()
        if token.kind == "(":
            inner = self.alternatives()
            if self.next().kind != ")":
                raise self.fail("this ( is not closed", token)
            return inner
        if token.kind == "function":
            return self.comparison(token, self.function(token))
        if token.kind not in ("word", "quoted"):
            raise self.fail(_expected(token), token)
        following = self.peek()
        if following.kind == ":":
            return self.field(token)
        if following.kind == "operator":
            return self.comparison(token, "")
        return Word(token.text)

    def function(self, token: Token) -> str:
        if token.note not in FUNCTIONS:
            raise self.fail(f"no function {token.note!r}{_near(token.note, FUNCTIONS)}", token)
        return token.note

    def field(self, name: Token) -> Expr:
        self.next()
        canonical = FIELDS.get(name.text.casefold())
        if canonical is None:
            raise self.fail(f"no field {name.text!r}{_near(name.text, FIELDS)}", name)
        value = self.next()
        if value.kind not in ("word", "quoted"):
            raise self.fail(f"{name.text}: needs a value", value)
        if canonical == "is" and value.text.casefold() not in _IS:
            raise self.fail(f"no {name.text}:{value.text}{_near(value.text, _IS)}", value)
        if canonical == "state" and value.text.casefold() not in _STATES:
            raise self.fail(f"no state {value.text!r}{_near(value.text, _STATES)}", value)
        return Field(canonical, value.text)

    def comparison(self, key: Token, function: str) -> Expr:
        operator = self.next()
        if operator.kind != "operator":
            raise self.fail(f"{function}(…) needs a comparison, such as {function}({key.text})>0", operator)
        value = self.next()
        if value.kind not in ("word", "quoted"):
            raise self.fail(f"{operator.text} needs a value", value)
        if self.peek().kind == "operator":
            raise self.fail("a comparison has one operator; join two with `and`")
        return Compare(key.text, operator.text, value.text, function)  # type: ignore[arg-type]


def _expected(token: Token) -> str:
    """What is wrong with a token that cannot begin a condition."""
    if token.kind == "end":
        return "a condition is missing at the end"
    if token.kind == "operator":
        return f"{token.text} needs a parameter or metric before it"
    return f"expected a condition, not {token.text!r}"


def _near(name: str, known: Iterable[str]) -> str:
    """A hint at the closest known name, else all of them, for the short fixed lists of the language."""
    options = list(known)
    close = difflib.get_close_matches(name.casefold(), options, n=1, cutoff=0.5)
    return f" – did you mean {close[0]!r}?" if close else f" – known: {', '.join(options)}"


def _flat(items: Sequence[Expr], kind: type[All] | type[AnyOf]) -> Iterator[Expr]:
    """The items with nested ones of the same kind opened, so that `a (b c)` equals `a b c`."""
    for item in items:
        if isinstance(item, kind):
            yield from item.items
        else:
            yield item
