"""Colours that stay apart for colour-blind eyes too, and a stable, collision-free one for each run."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.core.blocks import Tone

DARK = (
    "#438fc3", "#faa213", "#ea458e", "#66feb0", "#8d6cf8", "#e4e704", "#e9581c", "#f9c5fd", "#81c594", "#aea2f9",
)  # fmt: skip
"""Run colours on a dark ground; distances hold under protanopia and deuteranopia."""

LIGHT = (
    "#095783", "#a76b0f", "#9e0357", "#02b571", "#5a2eb7", "#9ea010", "#943104", "#b382b7", "#438658", "#7265b6",
)  # fmt: skip
"""The same hues, darker, for a light ground."""

TONES_DARK: Mapping[Tone, str] = {
    "": "", "good": "#4cc9a0", "bad": "#ff7a59", "warn": "#f2c14e", "dim": "#8a94a6", "accent": "#6fb3ff",
}  # fmt: skip
TONES_LIGHT: Mapping[Tone, str] = {
    "": "", "good": "#00724f", "bad": "#b3360f", "warn": "#8a6100", "dim": "#5c6675", "accent": "#0a58b0",
}  # fmt: skip

GLYPHS: Mapping[Tone, str] = {"": "", "good": "✓", "bad": "✗", "warn": "!", "dim": "", "accent": ""}
"""What says the tone where there is no colour."""

ASCII_GLYPHS: Mapping[Tone, str] = {"": "", "good": "+", "bad": "x", "warn": "!", "dim": "", "accent": ""}

HEAT_DARK = ("#1d2735", "#2a4d73", "#a8702c", "#eea23a", "#ffe9a8")
HEAT_LIGHT = ("#eef3f8", "#c6d8ea", "#e3bd6e", "#cf7a1e", "#8f2d0c")
"""Stops of the heat scale, low to high; lightness is monotonous, so that it survives print and any eye."""


def stable_color(run_id: str, taken: Collection[int] = ()) -> int:
    """A run's palette index: always the same first choice, another one when that is taken, never one in `taken`.

    Indices from `len(DARK)` on are given only when all others are taken; `color` shades the same hues for them.
    """
    size = len(DARK)
    first = int.from_bytes(hashlib.blake2b(run_id.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")
    used = set(taken)
    for lap in range(len(used) // size + 1):
        for step in range(size):
            index = lap * size + (first + step * 3) % size
            if index not in used:
                return index
    return max(used) + 1


def color(index: int, *, dark: bool = True) -> str:
    """The `#rrggbb` of a palette index; beyond the palette the hues come again, paler each time."""
    palette = DARK if dark else LIGHT
    lap, place = divmod(max(index, 0), len(palette))
    return mix(palette[place], "#808080", 1 - 0.6**lap)


def heat(share: float, *, dark: bool = True) -> str:
    """The `#rrggbb` of a place on the heat scale, 0 to 1."""
    stops = HEAT_DARK if dark else HEAT_LIGHT
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    return mix(stops[index], stops[index + 1], place - index)


def mix(one: str, other: str, share: float) -> str:
    """A colour between two `#rrggbb`, `share` of the way to the other."""
    parts = [round(a + (b - a) * share) for a, b in zip(rgb(one), rgb(other), strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*parts)


def rgb(code: str) -> tuple[int, int, int]:
    """Red, green and blue of `#rrggbb`, 0 to 255 each."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
