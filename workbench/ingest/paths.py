"""Names of files as text: Linux file names are bytes, and not all of them are UTF-8."""

from __future__ import annotations

import re
from pathlib import PurePath

_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2})")
_SURROGATE = re.compile("[\udc80-\udcff]")


def to_text(path: PurePath | str) -> str:
    """A path as valid Unicode: bytes that are no UTF-8 become `\\xNN`; `from_text` gives the path back."""
    text = str(path)
    if not _SURROGATE.search(text) and _decoded(text) == text:
        return text
    doubled = text.replace("\\", "\\\\")
    return _SURROGATE.sub(lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", doubled)


def from_text(text: str) -> PurePath:
    """The path that `to_text` was given."""
    return PurePath(_decoded(text))


def _decoded(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    escape = match[1]
    return "\\" if escape == "\\" else chr(0xDC00 + int(escape[1:], 16))
