"""A line of a log as a person reads it: without colours, progress bars at their last state, and how bad it is."""

from __future__ import annotations

import re
from typing import Literal

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")
"""The worst first."""

# CSI, OSC (ended by BEL or ST), other escapes of two characters, and the eight-bit forms of CSI.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]")
_WORD = r"(?<![A-Za-z0-9_/.\-=])"
_END = r"(?![A-Za-z0-9_/\-])(?!\s*[:=]\s*[-+.\d])(?!\s+(?:rate|bars?|metrics?)\b)"
_ERROR = re.compile(
    rf"(?i:(?<!\b0 )(?<!\bno ){_WORD}(?:errors?|err|critical|fatal|exception|panic|failed|failure|aborted|segfault|"
    rf"killed|oom){_END}|out of memory|segmentation fault|core dumped)"
    r"|Traceback \(most recent call last\)|^\s+File \".*\", line \d+|^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt)\b"
    r"|^E[01]\d{3} |\[E\]|^E\s"
)
_WARNING = re.compile(rf"(?i:{_WORD}(?:warnings?|warn|deprecated|caution){_END})|\w+Warning\b|\[W\]|^W[01]\d{{3}} ")
TELLTALES: dict[Level, tuple[bytes, ...]] = {
    "error": (
        b"err", b"critical", b"fatal", b"exception", b"panic", b"fail", b"abort", b"segfault", b"killed", b"oom",
        b"traceback", b"interrupt", b"out of memory", b"segmentation", b"core dumped", b'  file "', b"[e]", b"\ne ",
        b"\ne\t", b"\ne0", b"\ne1",
    ),
    "warning": (b"warn", b"deprecated", b"caution", b"[w]", b"\nw0", b"\nw1"),
    "info": (),
}  # fmt: skip
"""Of which a line of a level holds one, in lower case and with the end of the line before: quick to look for."""
LONGEST = 16 * 1024
"""Bytes of a line that are read; nobody reads further, and some logs are one line."""


def readable(raw: bytes) -> str:
    """A line's text without escapes, and of a progress bar its last state; broken UTF-8 is replaced, nothing raised.

    The answer is still untrusted: it passes `core.text.plain` where it is drawn.
    """
    text = raw[:LONGEST].decode("utf-8", "replace").rstrip("\r\n")
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part.strip()), "")
    if "\b" in text:
        text = _typed_over(text)
    return text


def _typed_over(text: str) -> str:
    """What backspaces leave of a line."""
    kept: list[str] = []
    for char in text:
        if char != "\b":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)


def level_of(text: str) -> Level:
    """How bad a line is, by the usual words; `error=0.12` and `0 errors` are no errors."""
    if _ERROR.search(text):
        return "error"
    return "warning" if _WARNING.search(text) else "info"


def at_least(level: Level, floor: Level) -> bool:
    """Whether a level is as bad as another, or worse."""
    return LEVELS.index(level) <= LEVELS.index(floor)
