"""What rows say in words: attributes of the run, parameters where they stay the same, prose where they never do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from workbench.plugin.api import Fact
from workbench.readers.keys import EPOCH_NAMES, STEP_NAMES, TIME_NAMES, number, plain_name

MAX_ATTRIBUTES = 256
MAX_ATTRIBUTE_TEXT = 256
MAX_ATTRIBUTE_CHANGES = 64
"""A text that changes more often is prose, not an attribute: it is forgotten."""
PASSING = frozenset({
    "phase", "stage", "split", "mode", "event", "state", "status", "type", "kind", "subset", "set", "partition",
    "level", "message", "msg", "info", "note", *TIME_NAMES,
})  # fmt: skip
"""Names of texts that change as a run goes on, so that one that has not yet is still no parameter."""

_VARIED, _PARAM = -1, 2
_AXES = frozenset({*STEP_NAMES, *EPOCH_NAMES})
_NOTHING = frozenset({"nan", "na", "n/a", "none", "null", "undefined", "inf", "-inf"})
_LETTER = re.compile(r"[^\W\d_]")

Text = str | bool


class Attributes:
    """The texts of a source by key; what is known of them travels in the cursor."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.words: set[str] = set(state.get("words", ()))
        """Keys whose first text spelled no number: what they say later is text too, `1e5` included."""
        self._told: dict[str, list[Any]] = {key: list(told) for key, told in state.get("attributes", {}).items()}
        """By key: the value last told, how often it changed, and in how many rows it stayed the same."""
        self._latest: dict[str, tuple[Text, int, float]] = {}
        self._same: dict[str, int] = {}

    def number_of(self, key: str, text: str, is_number: Callable[[str], bool]) -> float | int | None:
        """The number a text spells; the first text of a key that was no number yet decides what the others are."""
        if key in self.words:
            return None
        value = number(text)
        undecided = value is None and len(self.words) < MAX_ATTRIBUTES and plain_name(key) not in _AXES
        if undecided and _is_word(text) and not is_number(key):
            self.words.add(key)
        return value

    def put(self, key: str, value: Text, offset: int, wall: float, rows: int = 1) -> None:
        """The value of a row; or of several rows, which is their last, with `rows` 0 where they differ."""
        if key in self._latest:
            before = self._latest[key][0]
        else:
            told = self._told.get(key)
            before, self._same[key] = (value, 0) if told is None else (told[0], told[2])
        if rows == 0 or value != before:
            self._same[key] = _VARIED
        elif 0 <= self._same[key] < _PARAM:
            self._same[key] = min(self._same[key] + rows, _PARAM)
        self._latest[key] = (value, offset, wall)

    def facts(self, note: Callable[[str], None]) -> list[Fact]:
        """What has changed since the end of the chunk before: attributes as `summary`, constant ones as `param` too."""
        facts: list[Fact] = []
        for key, (value, offset, wall) in self._latest.items():
            told = self._told.get(key)
            if told is None:
                if len(self._told) >= MAX_ATTRIBUTES:
                    note(f"more than {MAX_ATTRIBUTES} text keys: {key} and later ones are not kept")
                    continue
                told = self._told[key] = [None, 0, 0]
            at = None if math.isnan(wall) else wall
            was, told[2] = told[2], self._same[key]
            if isinstance(value, str) and plain_name(key.rpartition("/")[2]) not in PASSING:
                if was != _PARAM and told[2] == _PARAM:
                    facts.append(Fact("param", value, key, at, offset))
                elif was == _PARAM and told[2] == _VARIED:
                    facts.append(Fact("param", None, key, at, offset))
            if told[0] == value or told[1] > MAX_ATTRIBUTE_CHANGES:
                continue
            told[1] += 1
            kept = told[0] = value if told[1] <= MAX_ATTRIBUTE_CHANGES else None
            facts.append(Fact("summary", kept, key, at, offset))
        return facts

    def state(self) -> dict[str, Any]:
        """What the next chunk must know."""
        return {"words": sorted(self.words), "attributes": self._told}


def _is_word(text: str) -> bool:
    """Whether a text says something in letters, rather than that there is no value."""
    return bool(_LETTER.search(text)) and text.strip().lower() not in _NOTHING
