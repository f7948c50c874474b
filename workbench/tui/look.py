"""Colours and marks of meaning: each tone has a colour here and a glyph or word wherever it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from workbench.core import palette
from workbench.core.blocks import Tone


def _theme(name: str, dark: bool, text: str, grounds: tuple[str, str, str], border: str) -> Theme:
    """A theme whose tones are the palette's, which stay apart for colour-blind eyes too."""
    tones = palette.TONES_DARK if dark else palette.TONES_LIGHT
    ground, surface, panel = grounds
    return Theme(
        name=name,
        primary=tones["accent"],
        accent=tones["accent"],
        warning=tones["warn"],
        error=tones["bad"],
        success=tones["good"],
        foreground=text,
        background=ground,
        surface=surface,
        panel=panel,
        dark=dark,
        variables={"text-muted": tones["dim"], "border": border},
    )


DARK = _theme("workbench-dark", True, "#d8dee6", ("#0e1217", "#141a21", "#1f2b38"), "#2b3642")
LIGHT = _theme("workbench-light", False, "#1d2630", ("#fbfcfd", "#f1f4f7", "#dde7f1"), "#c3ccd6")


@dataclass(frozen=True)
class Look:
    """Resolved Rich styles of one theme; each carries its background, so that strips stand alone."""

    base: Style
    dim: Style
    good: Style
    bad: Style
    warn: Style
    accent: Style
    strong: Style
    header: Style
    """Column titles."""
    cursor: Style
    """Background of the row under the cursor."""
    rule: Style
    """Lines that separate."""
    tab: Style
    """The tab that is open."""
    key: Style
    """A key to press."""
    spark: Style
    """Sparklines: there to be glanced at, so quieter than words."""
    on_cell: Style
    """Laid over the cell of a heat map that the cursor is on."""
    background: str
    """Hex colour, for blending."""
    dark: bool

    def tone(self, tone: Tone) -> Style:
        """The style of a tone; plain text for none."""
        styles: dict[Tone, Style] = {
            "good": self.good,
            "bad": self.bad,
            "warn": self.warn,
            "dim": self.dim,
            "accent": self.accent,
            "": self.base,
        }
        return styles[tone]


def look_of(variables: Mapping[str, str], dark: bool) -> Look:
    """The look of a theme's CSS variables."""
    names = ("foreground", "background", "text-muted", "success", "error", "warning", "accent", "panel", "border")
    return _look(tuple(variables.get(name, "") for name in names), dark)


@lru_cache(maxsize=8)
def _look(colors: tuple[str, ...], dark: bool) -> Look:
    text, ground, muted, good, bad, warn, accent, panel, border = (_parse(color) for color in colors)

    def ink(color: Color, *, bold: bool = False) -> Style:
        return Style(color=color.rich_color, bgcolor=ground.rich_color, bold=bold)

    return Look(
        base=ink(text),
        dim=ink(muted),
        good=ink(good),
        bad=ink(bad),
        warn=ink(warn),
        accent=ink(accent),
        strong=ink(text, bold=True),
        header=ink(muted, bold=True),
        cursor=Style(bgcolor=panel.rich_color, bold=True),
        rule=ink(border),
        tab=Style(color=ground.rich_color, bgcolor=accent.rich_color, bold=True),
        key=ink(accent, bold=True),
        spark=ink(Color.parse(palette.mix(ground.hex6, accent.hex6, 0.6))),
        on_cell=Style(bold=True, reverse=True),
        background=ground.hex6,
        dark=dark,
    )


def _parse(text: str) -> Color:
    """A theme colour; themes may give names, hex, or `auto` forms that have no fixed colour."""
    try:
        return Color.parse(text.split(maxsplit=1)[0])
    except Exception:  # noqa: BLE001 - a foreign theme may hold anything; grey is always readable
        return Color(128, 128, 128)
