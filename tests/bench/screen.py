"""The screen of a terminal as the bytes written to it leave it: what the interface sends, no more."""

from __future__ import annotations

import codecs
import re

from rich.cells import cell_len

_TOKENS = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])"  # parameters and the letter of a control sequence
    r"|\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^X][^\x1b]*\x1b\\|[ -/]*[0-OQ-WYZ\\`-~])"
    r"|([\r\n\b])|([^\x00-\x1f\x7f]+)|[\x00-\x1f\x7f]"
)
_UNENDED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[P_^X][^\x1b]*\x1b?|[ -/]*)?$")


class Screen:
    """Rows of characters; the second half of a wide one is empty."""

    def __init__(self, columns: int, rows: int) -> None:
        self._rows = [[" "] * columns for _ in range(rows)]
        self._columns = columns
        self._x = self._y = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unended = ""
        self._touched: set[int] = set()

    def feed(self, drawn: bytes) -> None:
        """Do what these bytes say; the end may be half a sequence or half a character."""
        text = self._unended + self._decoder.decode(drawn)
        half = _UNENDED.search(text)
        self._unended = text[half.start() :] if half else ""
        for token in _TOKENS.finditer(text[: half.start()] if half else text):
            parameters, letter, control, words = token.groups()
            if words:
                self._write(words)
            elif letter:
                self._do(letter, [int(each) if each.isdigit() else 0 for each in parameters.split(";")])
            elif control:
                self._x = 0 if control == "\r" else self._x - (control == "\b")
                self._y += control == "\n"

    def take(self) -> str:
        """The rows that were written to since the last time, as they are now."""
        text, self._touched = self.touched, set()
        return text

    @property
    def touched(self) -> str:
        """The rows that were written to since they were last taken, as they are now."""
        return "\n".join("".join(self._rows[y]).rstrip() for y in sorted(self._touched))

    def _write(self, words: str) -> None:
        if not 0 <= self._y < len(self._rows):
            return
        cells = list(words)
        if not words.isascii():
            cells = [cell for char in words for cell in (char, *[""] * (cell_len(char) - 1))]
        cells = cells[: self._columns - self._x]
        self._rows[self._y][self._x : self._x + len(cells)] = cells
        self._x += len(cells)
        self._touched.add(self._y)

    def _do(self, letter: str, numbers: list[int]) -> None:
        first, second = numbers[0], numbers[1] if len(numbers) > 1 else 0
        if letter in "Hf":
            self._y, self._x = max(first, 1) - 1, max(second, 1) - 1
        elif letter == "G":
            self._x = max(first, 1) - 1
        elif letter in "ABCD":
            by = max(first, 1) * (-1 if letter in "AD" else 1)
            self._x, self._y = (self._x + by, self._y) if letter in "CD" else (self._x, self._y + by)
        elif letter == "K" and first == 0:
            self._rows[self._y][self._x :] = [" "] * (self._columns - self._x)
            self._touched.add(self._y)
        elif letter == "J" and first == 2:
            self._rows = [[" "] * self._columns for _ in self._rows]
