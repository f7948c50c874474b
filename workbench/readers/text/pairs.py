"""`key=value`, `key: value` and `key value` within a line: which are metrics, which say where the line stands.

Lines come decoded as Latin-1, so that columns are bytes. Every pattern is linear: what repeats is bounded or gives
nothing back.
"""

from __future__ import annotations

import re
from itertools import islice

from workbench.readers.keys import metric_like
from workbench.readers.text.found import Gathering, text_of
from workbench.readers.text.names import (
    UNITS,
    Axis,
    axis_of,
    is_level,
    is_moment,
    is_plural,
    may_be_metric,
    measures,
    named,
    telling,
)

NUMBER = (
    r"(?:[-+]?+(?:\d++(?:,\d{3}(?!\d))*+(?:\.\d*+)?+(?:[eE][-+]?\d++)?+"
    r"|\.\d++(?:[eE][-+]?\d++)?+|(?i:nan|inf(?:inity)?)))"
)
MOST = 512
"""Pairs of a line that are looked at."""

_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_LETTER = r"A-Za-z_\x80-\xff"
_WORD = rf"{_LETTER}0-9"
_KEY = (
    rf"[{_LETTER}][{_WORD}@%'/.#-]{{0,63}}+(?: [{_LETTER}][{_WORD}@%'/.#-]{{0,31}}+){{0,5}}"
    rf"(?: ?[(\[][{_WORD}/%. ]{{1,24}}[)\]])?"
)
_SEPARATOR = r"(?:[\"']?[ \t]{0,32}+(?P<sep>[:=])(?![:=])[ \t]{0,32}+|[ \t]{1,16}+)[\"'(\[]?[ \t]{0,8}+"
_END = r"(?=[\s,;|)\]}>'\"(/*]|\.?(?:\s|$)|:(?!\d)|-\s|$)"
PAIRS = re.compile(
    rf"(?<![{_WORD}./@$?&%=\\-])(?P<key>{_KEY}){_SEPARATOR}"
    rf"(?P<value>{NUMBER}) ?(?P<unit>(?:{_UNIT})(?![{_WORD}/]))?{_END}"
    rf"(?:\s?/\s{{0,8}}(?P<over>\d{{1,18}})(?![\d.:/]))?"
    rf"(?:\s?\(\s{{0,8}}(?P<average>{NUMBER})(?P<percent>%)?\)"
    rf"|\s?(?:\+/-|\xc2\xb1|\+-)\s?(?P<spread>{NUMBER}){_END})?"
)
"""A key of up to six words, a value with its unit, and what may stand behind it: `/ total`, `(average)`, `± spread`."""

_HINT = re.compile(
    r"[A-Za-z_\x80-\xff)\]%\"'@-][\d.]{0,8}[\"']?[ \t]{0,32}[:=][ \t\"'\[(]{0,36}[-+.]{0,2}(?:\d|(?i:nan|inf))|%\|"
)
_BEFORE_NUMBER = re.compile(r"([A-Za-z_@\x80-\xff/][\w@/]{0,63})[ \t\[(#]{1,25}[-+.]?(?:\d|(?i:nan|inf))")
_WORDS = re.compile(r"\S+")
MOMENT = re.compile(
    r"(?<!\d)(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(?:(Z)|([+-])(\d\d):?(\d\d))?(?!\d)"
)


def may_say(line: str) -> bool:
    """Whether a line may say anything: a number behind a colon, an equals sign, or a word that is known.

    A quick look, so that prose costs little; a word with a digit passes, since lines of one shape are
    judged by their first.
    """
    if _HINT.search(line):
        return True
    return any(not word.isalpha() or telling((word,)) for word in _BEFORE_NUMBER.findall(line))


def gather_pairs(into: Gathering, line: str, start: int = 0, *, any_word: bool = False, end: int | None = None) -> None:
    """Find the pairs of a line from a column on; `any_word` takes a word before a number for a key, whatever it is."""
    found = PAIRS.finditer(line, start, len(line) if end is None else end)
    for match in islice(found, MOST):
        _gather(into, match, any_word)


def _gather(into: Gathering, match: re.Match[str], any_word: bool) -> None:
    """Take one pair for what its key says; a name with digits is remembered even where it says nothing."""
    words = [(word.start(), word[0]) for word in _WORDS.finditer(match["key"])]
    while len(words) > 1 and is_level(words[0][1]):
        words = words[1:]
    spaced = match["sep"] is None
    known = telling(tuple(word for _, word in words))
    if known or (spaced and not any_word):
        words = words[-known:] if known and (len(words) > 2 or spaced) else [] if not known else words
    span = (match.start("key") + words[0][0] if words else match.start("key"), match.end("key"))
    if any(char.isdigit() for char in match["key"]):
        into.names.append(span)
    if not words:
        return
    raw = tuple(word for _, word in words)
    axis = axis_of(raw)
    if axis and not (is_plural(raw) and not any(map(measures, into.keys))):
        _gather_axis(into, match, axis)
        return
    key, scale = named(raw, match["unit"] or "")
    if not key or not may_be_metric(raw, match["sep"]):
        return
    if is_moment(raw[-1], match["value"]):
        into.axis("moment", match.span("value"))
    else:
        _gather_metric(into, match, text_of(key), scale)


def _gather_metric(into: Gathering, match: re.Match[str], key: str, scale: float) -> None:
    """A metric's value with what stands behind it; `9830/10000` is a share where it is one of a metric."""
    if match["over"]:
        if metric_like(key):
            into.metric(key, match.span("value"), over=match.span("over"))
        return
    into.metric(key, match.span("value"), scale=scale, inverse=match["unit"] == "s/it")
    if match["average"] and not match["percent"]:
        into.metric(f"{key}_avg", match.span("average"), scale=scale)
    if match["spread"]:
        into.metric(f"{key}_std", match.span("spread"), scale=scale)


def _gather_axis(into: Gathering, match: re.Match[str], axis: Axis) -> None:
    """A step or an epoch, with how many of them there are."""
    value, whole = match.span("value"), match["value"].replace(",", "").isdigit()
    if axis == "epoch":
        if whole:
            into.axis("epoch", value)
            if match["over"]:
                into.axis("epochs", match.span("over"))
        else:
            into.metric("epoch", value)
        return
    if not whole:
        return
    if match["over"] and (axis == "within" or into.has("epoch")):
        into.axis("position", value)
        into.axis("total", match.span("over"))
    elif axis == "step":
        into.axis("step", value)
        if match["over"]:
            into.axis("steps", match.span("over"))
    elif not into.has("epoch"):
        into.axis("step", value)
