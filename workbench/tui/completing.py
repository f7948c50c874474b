"""What could stand where the line ends: commands, options, and the names that a value can have here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from workbench.tui.commands import YANKED, Here
from workbench.tui.words import Option, Refused, Token, Word, find_word, split

_LAST_WORD = re.compile(r"[^\s()<>=!~'\"]*$")
MOST = 40
"""Candidates at once: more than fit on a line are not read."""


class Completions(Struct, frozen=True):
    """What can stand from `start` on instead of what stands there."""

    start: int
    candidates: Sequence[str] = ()
    inside: bool = False
    """They are words of a filter, which go on without a space and without quotes of their own."""

    def taken(self, line: str, candidate: str) -> str:
        """The line with a candidate in it, in quotes where it needs some."""
        if self.inside:
            return line[: self.start] + candidate
        quoted = _quoted(candidate)
        return f"{line[: self.start]}{quoted}{'' if candidate.endswith('=') else ' '}"

    def common(self, line: str) -> str:
        """The line with what all candidates begin with; the line itself where that is no more than stands there."""
        first = _shared(self.candidates)
        if len(self.candidates) == 1:
            return self.taken(line, first)
        longer = line[: self.start] + first
        return longer if len(longer) > len(line) and _quoted(first) == first else line


def complete(line: str, known: Mapping[str, Word], here: Here) -> Completions:
    """Candidates for the word at the end of a line, those that begin with it first."""
    tokens, _ = split(line)
    typing = tokens[-1] if tokens and not line[-1:].isspace() else Token("", len(line))
    before = tokens[: len(tokens) - bool(typing.text or typing.quoted)]
    if _is_filter(before, typing, known):
        word = _LAST_WORD.search(line)
        start = word.start() if word is not None else len(line)
        return Completions(start, _fitting(line[start:], _where_keys(here)), inside=True)
    return Completions(typing.start, _fitting(typing.text, _candidates(before, typing, known, here)))


def _is_filter(before: Sequence[Token], typing: Token, known: Mapping[str, Word]) -> bool:
    """Whether what is typed is part of a filter."""
    try:
        word, used = find_word(before, known)
    except (Refused, IndexError):
        return False
    given = before[used:]
    if word.kind == "where":
        return True
    option = next((each for each in word.options if given and each.name == given[-1].text), None)
    return option is not None and option.kind == "where" and not given[-1].quoted


def _candidates(before: Sequence[Token], typing: Token, known: Mapping[str, Word], here: Here) -> Iterable[str]:
    if not before:
        return list(dict.fromkeys(name.split()[0] for name in known))
    inner = [name.split()[1] for name in known if name.startswith(f"{before[0].text} ")]
    if inner and len(before) == 1:
        return inner
    try:
        word, used = find_word(before, known)
    except Refused:
        return ()
    given = before[used:]
    options = {option.name: option for option in word.options}
    if given and not given[-1].quoted and (option := options.get(given[-1].text)) is not None and option.value:
        return _values(option, here)
    if typing.text.startswith("-"):
        taken = {token.text.partition("=")[0] for token in given}
        return [name for name in options if name not in taken]
    return _names(word.kind, here)


def _values(option: Option, here: Here) -> Iterable[str]:
    return option.choices or _names(option.kind, here)


def _names(kind: str, here: Here) -> Iterable[str]:
    found = _NAMES.get(kind)
    return () if found is None else found(here)


def _columns(here: Here) -> list[str]:
    return here.desk.rows.extra_keys()


def _where_keys(here: Here) -> list[str]:
    keys = {key for run in here.desk.rows.snapshot.telling for key in (*run.params, *run.metrics)}
    tags = {f"tag:{key}" for run in here.desk.rows.snapshot.telling for key in run.tags}
    return [*sorted(keys), *sorted(tags), "state:running", "state:failed", "is:baseline"]


_NAMES: Mapping[str, Callable[[Here], Iterable[str]]] = {
    "run": lambda here: [run.name for run in here.runs if not run.hidden],
    "metric": lambda here: sorted(here.desk.rows.snapshot.roles),
    "sort": lambda here: [choice.key for choice in here.desk.rows.choices()],
    "column": _columns,
    "columns": _columns,
    "where": _where_keys,
    "panel": lambda here: [name for name, _, _ in here.desk.tabs],
    "monitor": lambda here: list(here.desk.monitors),
    "view": lambda here: list(here.desk.saved_views()),
    "theme": lambda here: list(here.desk.available_themes),
    "yank": lambda here: YANKED,
}


def _fitting(typed: str, candidates: Iterable[str]) -> list[str]:
    """Those that begin with what was typed, else those that hold it."""
    known = list(dict.fromkeys(candidates))
    begins = [each for each in known if each.startswith(typed)]
    found = begins or [each for each in known if typed in each]
    return found[:MOST]


def _shared(candidates: Sequence[str]) -> str:
    """What all of them begin with."""
    if not candidates:
        return ""
    low, high = min(candidates), max(candidates)
    same = next((place for place, char in enumerate(low) if high[place : place + 1] != char), len(low))
    return low[:same]


def _quoted(candidate: str) -> str:
    if candidate and not any(char.isspace() or char in "'\"\\" for char in candidate):
        return candidate
    escaped = candidate.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
