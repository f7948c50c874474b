"""Colours and marks of meaning: each tone has a colour here and a glyph or word wherever it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from workbench.core import palette
from workbench.core.blocks import Tone

if TYPE_CHECKING:
    from workbench.core.strokes import Marker  # numpy comes after the first paint


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


FEW_COLORS = 16
"""Colours of a terminal that cannot show shades."""
CURVES_DARK_16 = ("#55ffff", "#ffff55", "#ff55ff", "#55ff55", "#ff5555", "#5555ff")
CURVES_LIGHT_16 = ("#0000aa", "#aa00aa", "#aa5500", "#00aaaa", "#aa0000", "#00aa00")
"""Curves where there are no shades: the terminal's own colours, told apart further by their letters."""
HEAT_16 = ("#000000", "#0000aa", "#00aaaa", "#aa5500", "#ffff55")

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
    shades: bool
    """Whether the terminal can show more than its 16 colours."""
    marker: Marker = "braille"
    """What curves are drawn with."""

    def curve(self, index: int) -> str:
        """The `#rrggbb` of a palette index."""
        if self.shades:
            return palette.color(index, dark=self.dark)
        colors = CURVES_DARK_16 if self.dark else CURVES_LIGHT_16
        return colors[index % len(colors)]

    def faint(self, index: int) -> str:
        """The same for the raw line behind a smoothed one."""
        return palette.mix(self.background, self.curve(index), 0.4) if self.shades else "#555555"

    def heat(self, share: float) -> str:
        """The `#rrggbb` of a place on the heat scale, 0 to 1."""
        if self.shades:
            return palette.heat(share, dark=self.dark)
        scale = HEAT_16 if self.dark else HEAT_16[::-1]
        return scale[round(min(max(share, 0.0), 1.0) * (len(scale) - 1))]

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


class Looking(Protocol):
    """Something with a look: the app, to whoever draws."""

    @property
    def look(self) -> Look:
        """Styles of the current theme."""
        ...


def look_of(variables: Mapping[str, str], dark: bool, *, shades: bool = True, colors: bool = True) -> Look:
    """The look of a theme's CSS variables; without `colors`, what is good or bad is told by underlines."""
    names = ("foreground", "background", "text-muted", "success", "error", "warning", "accent", "panel", "border")
    return _look(tuple(variables.get(name, "") for name in names), dark, shades, colors)


@lru_cache(maxsize=8)
def _look(theme: tuple[str, ...], dark: bool, shades: bool, colors: bool) -> Look:
    text, ground, muted, good, bad, warn, accent, panel, border = (_parse(color) for color in theme)

    def ink(color: Color, *, bold: bool = False) -> Style:
        return Style(color=color.rich_color, bgcolor=ground.rich_color, bold=bold)

    return Look(
        base=ink(text),
        dim=ink(muted),
        good=ink(good),
        bad=ink(bad) + Style(underline=not colors or None, bold=not colors or None),
        warn=ink(warn) + Style(underline=not colors or None),
        accent=ink(accent),
        strong=ink(text, bold=True),
        header=ink(muted, bold=True),
        cursor=Style(bgcolor=panel.rich_color, bold=True),
        rule=ink(border),
        tab=Style(color=ground.rich_color, bgcolor=accent.rich_color, bold=True),
        key=ink(accent, bold=True),
        spark=ink(Color.parse(palette.mix(ground.hex6, accent.hex6, 0.6)) if shades else accent),
        on_cell=Style(bold=True, reverse=True),
        background=ground.hex6,
        dark=dark,
        shades=shades,
    )


def _parse(text: str) -> Color:
    """A theme colour; themes may give names, hex, or `auto` forms that have no fixed colour."""
    try:
        return Color.parse(text.split(maxsplit=1)[0])
    except Exception:  # noqa: BLE001 - a foreign theme may hold anything; grey is always readable
        return Color(128, 128, 128)
