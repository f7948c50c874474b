"""Colours and marks of meaning: each tone has a colour here and a glyph or word wherever it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from workbench.core import palette
from workbench.core.blocks import Tone

if TYPE_CHECKING:
    from workbench.core.strokes import Marker  # numpy comes after the first paint


def _theme(
    name: str, dark: bool, text: str, grounds: tuple[str, str, str], border: str,
    tones: Mapping[Tone, str] | None = None,
) -> Theme:  # fmt: skip
    """A theme whose tones are the palette's, unless others are given; they stay apart for colour-blind eyes too."""
    tones = tones or (palette.TONES_DARK if dark else palette.TONES_LIGHT)
    ground, surface, panel = grounds
    ansi = text.startswith("ansi_")
    base = BUILTIN_THEMES["ansi-dark" if dark else "ansi-light"].variables if ansi else {}
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
        ansi=ansi,
        variables={**base, "text-muted": tones["dim"], "border": border},
    )


FEW_COLORS = 16
"""Colours of a terminal that cannot show shades."""
CURVES_DARK_16 = ("#55ffff", "#ffff55", "#ff55ff", "#55ff55", "#ff5555", "#5555ff")
CURVES_LIGHT_16 = ("#0000aa", "#aa00aa", "#aa5500", "#00aaaa", "#aa0000", "#00aa00")
"""Curves where there are no shades: the terminal's own colours, told apart further by their letters."""
HEAT_16 = ("#000000", "#0000aa", "#00aaaa", "#aa5500", "#ffff55")
CURVES_DARK_ANSI = ("bright_cyan", "bright_yellow", "bright_magenta", "bright_green", "bright_red", "bright_blue")
CURVES_LIGHT_ANSI = ("blue", "magenta", "yellow", "cyan", "red", "green")
HEAT_ANSI = ("black", "blue", "cyan", "yellow", "bright_yellow")
"""The same for themes that leave it to the terminal what its colours are."""
SHADES = " ░▒▓█"
_INK_ON = {"black": "bright_white", "blue": "bright_white"}
"""Ink on the darker of them; on the others it is black."""

DARK = _theme("workbench-dark", True, "#d8dee6", ("#0e1217", "#141a21", "#1f2b38"), "#2b3642")
LIGHT = _theme("workbench-light", False, "#1d2630", ("#fbfcfd", "#f1f4f7", "#dde7f1"), "#c3ccd6")
HIGH_CONTRAST = _theme(
    "workbench-high-contrast", True, "#ffffff", ("#000000", "#000000", "#00328a"), "#ffffff",
    {"good": "#5dff9d", "bad": "#ff9d8f", "warn": "#ffdf5f", "dim": "#d6d6d6", "accent": "#7fd4ff"},
)  # fmt: skip
_TERMINAL = ("ansi_default", "ansi_default", "ansi_default")
ANSI_DARK = _theme(
    "workbench-ansi-dark", True, "ansi_default", _TERMINAL, "ansi_bright_black",
    {"good": "ansi_bright_green", "bad": "ansi_bright_red", "warn": "ansi_bright_yellow", "dim": "ansi_default",
     "accent": "ansi_bright_cyan"},
)  # fmt: skip
ANSI_LIGHT = _theme(
    "workbench-ansi-light", False, "ansi_default", _TERMINAL, "ansi_bright_black",
    {"good": "ansi_green", "bad": "ansi_red", "warn": "ansi_magenta", "dim": "ansi_default", "accent": "ansi_blue"},
)  # fmt: skip
THEMES = (DARK, LIGHT, HIGH_CONTRAST, ANSI_DARK, ANSI_LIGHT)
"""The workbench's own."""


def automatic(color_count: int, *, colors: bool = True) -> str:
    """The theme of somebody who chose none: where there are no shades, the terminal's own colours are the best."""
    return DARK.name if colors and color_count > FEW_COLORS else ANSI_DARK.name


class Look(Struct, frozen=True, dict=True):
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
    """Rich's name of the ground's colour; `#rrggbb`, for blending, where there are shades."""
    dark: bool
    shades: bool
    """Whether there are more than the terminal's 16 colours."""
    marker: Marker = "braille"
    """What curves are drawn with."""
    ansi: bool = False
    """Whether the colours are the terminal's own, whatever it makes of them."""
    colors: bool = True
    """Whether there are any."""

    def curve(self, index: int) -> str:
        """Rich's name of a palette index's colour."""
        if self.shades:
            return palette.color(index, dark=self.dark)
        dark, light = (CURVES_DARK_ANSI, CURVES_LIGHT_ANSI) if self.ansi else (CURVES_DARK_16, CURVES_LIGHT_16)
        colors = dark if self.dark else light
        return colors[index % len(colors)]

    def faint(self, index: int) -> str:
        """The same for the raw line behind a smoothed one."""
        if self.shades:
            return palette.mix(self.background, self.curve(index), 0.4)
        return "bright_black" if self.ansi else "#555555"

    def heat(self, share: float) -> str:
        """Rich's name of the colour of a place on the heat scale, 0 to 1."""
        if self.shades:
            return palette.heat(share, dark=self.dark)
        colors = HEAT_ANSI if self.ansi else HEAT_16
        scale = colors if self.dark else colors[::-1]
        return scale[round(min(max(share, 0.0), 1.0) * (len(scale) - 1))]

    def shade(self, share: float) -> str:
        """What fills a place on the heat scale: nothing but its colour, where there are colours."""
        return " " if self.colors else SHADES[round(min(max(share, 0.0), 1.0) * (len(SHADES) - 1))]

    def ink_on(self, ground: str) -> str:
        """The colour of words on a place of the heat scale."""
        if self.ansi:
            return _INK_ON.get(ground, "black")
        return palette.mix("#000000", "#ffffff", 0.04 if sum(palette.rgb(ground)) > 380 else 0.92)

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
    ansi = ground.ansi is not None
    shades = shades and not ansi
    flat = ansi or not colors  # nothing to set a row off with but reversing it

    def ink(color: Color, *, bold: bool = False) -> Style:
        return Style(color=color.rich_color, bgcolor=ground.rich_color, bold=bold)

    return Look(
        base=ink(text),
        dim=ink(muted) + Style(dim=ansi or None),
        good=ink(good),
        bad=ink(bad) + Style(underline=not colors or None, bold=not colors or None),
        warn=ink(warn) + Style(underline=not colors or None),
        accent=ink(accent),
        strong=ink(text, bold=True),
        header=ink(muted, bold=True) + Style(underline=flat or None),
        cursor=Style(bold=True, reverse=True) if flat else Style(bgcolor=panel.rich_color, bold=True),
        rule=ink(border),
        tab=_reversed(accent) if flat else Style(color=ground.rich_color, bgcolor=accent.rich_color, bold=True),
        key=ink(accent, bold=True),
        spark=ink(Color.parse(palette.mix(ground.hex6, accent.hex6, 0.6)) if shades else accent),
        on_cell=Style(bold=True, reverse=True),
        background="default" if ground.ansi == -1 else ground.hex6.lower(),
        dark=dark,
        shades=shades,
        ansi=ansi,
        colors=colors,
    )


def _reversed(accent: Color) -> Style:
    return Style(color=accent.rich_color, reverse=True, bold=True)


def _parse(text: str) -> Color:
    """A theme colour; themes may give names, hex, or `auto` forms that have no fixed colour."""
    try:
        return Color.parse(text.split(maxsplit=1)[0])
    except Exception:  # noqa: BLE001 - a foreign theme may hold anything; grey is always readable
        return Color(128, 128, 128)
