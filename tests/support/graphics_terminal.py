"""A pseudo-terminal that answers what programs ask of it, as terminals do that draw images."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.terminal import Terminal

_KITTY = re.compile(rb"\x1b_G([^;\x1b]*a=q[^;\x1b]*)(?:;[^\x1b]*)?\x1b\\")
_QUESTION = re.compile(rb"\x1b_G[^;\x1b]*a=q[^\x1b]*\x1b\\|\x1b\[16t|\x1b\[0?c")


class GraphicsTerminal(Terminal):
    """Answers DA1, the size of a cell (10 x 20) and Kitty's question; `sixel` and `kitty` are what it can draw.

    With `piecemeal`, every answer comes a byte at a time, as over a slow line.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, columns: int, rows: int, *, sixel: bool = False,
        kitty: bool = False, piecemeal: bool = False, **environment: str,
    ) -> None:  # fmt: skip
        self._can = (sixel, kitty)
        self._piecemeal = piecemeal
        self._answered = 0
        self.asked: list[bytes] = []
        """Questions in the order they came."""
        super().__init__(command, folder, columns, rows, **environment)

    def _more(self, seconds: float) -> bool:
        more = super()._more(seconds)
        for question in _QUESTION.finditer(self.output, self._answered):
            self._answered = question.end()
            self.asked.append(question[0])
            self._answer(question[0])
        return more

    def _answer(self, question: bytes) -> None:
        sixel, kitty = self._can
        reply = b""
        if question.startswith(b"\x1b_G"):
            asked = _KITTY.match(question)
            number = re.search(rb"i=(\d+)", asked[1] if asked else b"")
            reply = b"\x1b_Gi=" + (number[1] if number else b"0") + b";OK\x1b\\" if kitty else b""
        elif question == b"\x1b[16t":
            reply = b"\x1b[6;20;10t"
        else:
            reply = b"\x1b[?62;4;22c" if sixel else b"\x1b[?62;22c"
        for part in [reply[at : at + 1] for at in range(len(reply))] if self._piecemeal else [reply]:
            os.write(self._master, part)


def sixels(output: bytes) -> list[bytes]:
    """Whole Sixel images among what a program wrote."""
    return re.findall(rb"\x1bP[\d;]*q[^\x1b]+\x1b\\", output)


def kitty_images(output: bytes) -> list[dict[str, Any]]:
    """Images that were sent by Kitty's protocol: control keys of the first part, and the data of all."""
    found: list[dict[str, Any]] = []
    for control, data in re.findall(rb"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\", output):
        keys = dict(part.split("=", 1) for part in control.decode().split(",") if "=" in part)
        if keys.get("a") in (None, "t", "T") and data:
            if found and found[-1]["more"]:
                found[-1]["data"] += data
                found[-1]["more"] = keys.get("m") == "1"
            else:
                found.append({**keys, "data": data, "more": keys.get("m") == "1"})
    return found
