"""Hyper-parameters that a script prints before its first step: a Namespace, a dict, a block of `key: value` lines."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from workbench.readers.keys import number

MOST = 500
"""Parameters taken from a text log."""
LOOKED_AT = 2_000
"""Lines before the first step in which they are looked for."""
_LONGEST = 4_096
_VALUE = (
    r"(?:'(?:[^'\\]|\\.){0,1000}+'|\"(?:[^\"\\]|\\.){0,1000}+\""
    r"|\[[^\]]{0,1000}+\]|\([^)]{0,1000}+\)|[^,\s(){}\[\]]{1,200}+)"
)
_CALL = re.compile(r"\b(?:Namespace|[A-Za-z]\w{0,60}(?:Args|Arguments|Config|Options|Params))\((?=\w+=)")
_ARGUMENT = re.compile(rf"(?P<key>[A-Za-z_]\w{{0,100}})=(?P<value>{_VALUE})(?=[,)\s]|$)")
_ENTRY = re.compile(rf"['\"](?P<key>[\w.\-/]{{1,100}})['\"]: (?P<value>{_VALUE})(?=[,}}]|$)")
_LINE = re.compile(
    rf"^[\s*|>\-]{{0,16}}(?P<key>[A-Za-z_][\w.\-/]{{0,80}}+)"
    rf"[ \t.]{{0,64}}(?:[:=](?![:=])[ \t]{{0,64}}|(?<=\.\.)[ \t]{{1,64}})"
    rf"(?P<value>{_VALUE})[\s,|]{{0,64}}$"
)
_LOG_PREFIX = re.compile(
    r"^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]{5,16}Z?\]?[\s\-|:]{0,8})?(?:\[[^\]]{1,80}\][\s\-|:]{0,4}){0,3}"
    r"(?:(?:DEBUG|INFO|WARNING|ERROR)\b[\s\-|:]{0,8}(?:[\w.]{1,80}(?::\d{1,6})? ?- )?)?"
)
_NOT_KEYS = frozenset({
    "info", "debug", "warning", "warn", "error", "critical", "note", "todo", "usage", "traceback", "http", "https",
    "file", "see", "hint", "tip", "time", "date", "pid", "step", "iter", "iteration", "epoch", "host", "hostname",
    "rank",
})  # fmt: skip


def arguments(line: str) -> Iterator[tuple[str, Any]]:
    """What a printed Namespace, a call of a configuration class, or a dict says; nothing of it is evaluated."""
    call = _CALL.search(line)
    if call is not None:
        pattern, begin = _ARGUMENT, call.end()
    elif (begin := line.find("{'")) >= 0 and line.rstrip().endswith("}"):
        pattern = _ENTRY
    else:
        return
    for match in pattern.finditer(line, begin):
        yield match["key"], literal(match["value"])


def pairs(line: str) -> list[tuple[str, Any]]:
    """`lr=0.1, batch_size=32` where a line is made of such pairs, and of nothing else."""
    bare = _LOG_PREFIX.sub("", line, count=1)
    found = list(_ARGUMENT.finditer(bare))
    covered = sum(match.end() - match.start() for match in found)
    if len(found) < 2 or covered < 0.8 * len(bare.replace(" ", "").replace(",", "")):
        return []
    return [(match["key"], literal(match["value"])) for match in found]


def entry(line: str) -> tuple[str, Any] | None:
    """`learning_rate: 0.001` where that is the whole line; one of its kind alone is no parameter yet."""
    match = _LINE.match(_LOG_PREFIX.sub("", line, count=1))
    if match is None or match["key"].lower() in _NOT_KEYS or match["value"].startswith("//"):
        return None
    return match["key"].rstrip(".-"), literal(match["value"])


def literal(text: str) -> Any:
    """A number, a truth value, None, or the text itself without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1][:_LONGEST]
    if text in ("True", "true"):
        return True
    if text in ("False", "false"):
        return False
    if text in ("None", "null"):
        return None
    try:
        return int(text) if len(text) < 19 and text.isascii() and "_" not in text else text
    except ValueError:
        value = number(text)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return text[:_LONGEST]
    return value
