"""The gate for untrusted text: what leaves the process passes `plain` first, and is measured in terminal cells."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

LIMIT = 10_000
"""Characters `plain` keeps unless told otherwise."""

Align = Literal["left", "right", "center"]

# Controls, bidi controls, zero-width and other invisible characters, line separators, surrogates, noncharacters.
FORBIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Body of the regular expression class of characters that never leave the process raw."""

_FORBIDDEN = re.compile(f"[{FORBIDDEN}]")
_PRESENTATION = "\ufe0e\ufe0f"
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILED = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")  # marks piled up paint over the lines above
_TAB = "    "


def plain(text: object, *, limit: int = LIMIT, multiline: bool = False) -> str:
    """Text that is safe to show: what could steer a terminal or hide itself is made visible, the length is capped.

    Bytes are decoded as UTF-8, and broken ones are replaced. Controls become pictures (`␛`), C1 and undecodable bytes
    `\\x9b`, bidi controls, zero-width characters and surrogates `\\u{202e}`; a tab becomes spaces, a fifth accent on
    one letter goes. With `multiline`, line ends stay, as `\\n`. The result never holds more than `limit` characters
    and is its own plain form.
    """
    if isinstance(text, bytes | bytearray | memoryview):
        text = bytes(text[: 4 * limit + 4]).decode("utf-8", "replace")
    elif not isinstance(text, str):
        text = str(text)
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    cut = len(text) > 4 * limit
    text = text[: 4 * limit].replace("\r\n", "\n")
    if multiline:
        text = "\n".join(_FORBIDDEN.sub(_visible_in_lines, line) for line in text.split("\n"))
    else:
        text = _FORBIDDEN.sub(_visible, text)
    text = _PILED.sub(r"\1", text)
    if len(text) > limit or cut:
        text = text[: max(limit - 1, 0)] + "…"[:limit]
    return text


def _visible(match: re.Match[str]) -> str:
    return _picture(match[0], " ")


def _visible_in_lines(match: re.Match[str]) -> str:
    return _picture(match[0], _TAB)


def _picture(char: str, tab: str) -> str:
    code = ord(char)
    if char == "\t":
        return tab
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code < 0xA0:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, as Python keeps it in file names
        return f"\\x{code - 0xDC00:02x}"
    if char in _PRESENTATION:  # chooses how an emoji is drawn, adds nothing, and terminals disagree on its width
        return ""
    return f"\\u{{{code:x}}}"


def width(text: str) -> int:
    """Terminal cells a plain text takes: 2 for wide characters, 0 for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


@lru_cache(maxsize=4096)
def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def cut(text: str, columns: int, ellipsis: str = "…") -> str:
    """The start of a plain text that takes at most `columns` cells, with an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    room = columns - width(ellipsis)
    if room < 0:
        return ""
    taken = 0
    for index, char in enumerate(text):
        taken += _cells(char)
        if taken > room:
            return text[:index] + ellipsis
    return text


def fit(text: str, columns: int, align: Align = "left") -> str:
    """A plain text cut or padded to exactly `columns` cells."""
    text = cut(text, max(columns, 0))
    room = columns - width(text)
    if room <= 0:
        return text
    before = {"left": 0, "right": room, "center": room // 2}[align]
    return " " * before + text + " " * (room - before)


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` cells, broken at spaces where possible; line ends in the text are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_wrap_paragraph(paragraph, max(columns, 2)))
    return lines


def _wrap_paragraph(text: str, columns: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if width(candidate) <= columns:
            line = candidate
            continue
        if line:
            lines.append(line)
        line = word
        while width(line) > columns:
            head = cut(line, columns, "")
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line]
