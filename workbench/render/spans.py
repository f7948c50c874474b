"""Styled text between blocks and a terminal: rows of spans, and how they become characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import force_setattr

from workbench.core import palette
from workbench.core.text import cut, plain, width

Color = str
"""A tone ("good", "dim" …), a run's colour ("run:3", fainter "faint:3"), "#rrggbb", or "" for the default."""


class Span(Struct, frozen=True):
    """A stretch of text in one style; whatever it is given, what it holds is plain."""

    text: str
    color: Color = ""
    background: Color = ""
    bold: bool = False

    def __post_init__(self) -> None:
        force_setattr(self, "text", plain(self.text))


Row = tuple[Span, ...]
"""One line of the terminal, left to right."""


def row(text: str, color: Color = "", *, bold: bool = False) -> Row:
    """A row of a single span."""
    return (Span(text, color, bold=bold),)


def cells(spans: Iterable[Span]) -> int:
    """Terminal cells a row takes."""
    return sum(width(span.text) for span in spans)


def crop(spans: Row, columns: int) -> Row:
    """A row of at most `columns` cells, with an ellipsis where something is missing."""
    if cells(spans) <= columns:
        return spans
    kept: list[Span] = []
    room = columns
    for span in spans:
        size = width(span.text)
        if size >= room:
            text = cut(span.text + "…", room)
            return (*kept, Span(text, span.color, span.background, span.bold))
        kept.append(span)
        room -= size
    return tuple(kept)


def pad(spans: Row, columns: int) -> Row:
    """A row of exactly `columns` cells."""
    spans = crop(spans, columns)
    missing = columns - cells(spans)
    return (*spans, Span(" " * missing)) if missing else spans


def beside(parts: Sequence[Sequence[Row]], widths: Sequence[int], gap: int) -> list[Row]:
    """Several columns of rows side by side, each padded to its width."""
    rows = []
    for index in range(max((len(part) for part in parts), default=0)):
        line: list[Span] = []
        for number, (part, size) in enumerate(zip(parts, widths, strict=True)):
            line.extend(pad(part[index] if index < len(part) else (), size))
            if number < len(parts) - 1:
                line.append(Span(" " * gap))
        rows.append(tuple(line))
    return rows


_ASCII = str.maketrans("▲▼–…·µ×≤•━─│┤└┬┊≈↑█▒", "^v-~-ux<*--|++++~^#:")


def ascii_only(rows: Iterable[Row]) -> list[Row]:
    """Rows with our own signs replaced by ASCII ones of the same width; text from logs keeps its letters."""
    return [
        tuple(Span(span.text.translate(_ASCII), span.color, span.background, span.bold) for span in line)
        for line in rows
    ]


def to_plain(rows: Iterable[Row]) -> str:
    """Rows as characters alone."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in rows)


def to_ansi(rows: Iterable[Row], colors: int = 256) -> str:
    """Rows with colours as SGR sequences, for a terminal of 16, 256 or 16 M colours; tones follow its own theme."""
    return "".join("".join(_ansi(span, colors) for span in line).rstrip(" ") + "\n" for line in rows)


_TONES = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "accent": "36"}
_SIXTEEN = ("34", "33", "35", "32", "36", "31", "94", "93", "95", "92")


def _ansi(span: Span, colors: int) -> str:
    codes = ["1"] if span.bold else []
    if span.color:
        codes += _foreground(span.color, colors)
    if span.background and colors >= 256:
        codes += ["48", *_rgb(span.background, colors)]
    return f"\x1b[{';'.join(codes)}m{span.text}\x1b[0m" if codes and span.text else span.text


def _foreground(color: Color, colors: int) -> list[str]:
    kind, _, index = color.partition(":")
    if kind in _TONES:
        return [_TONES[kind]]
    faint = ["2"] if kind == "faint" else []
    if colors < 256:
        return [*faint, _SIXTEEN[int(index) % len(_SIXTEEN)]] if index else []
    return [*faint, "38", *_rgb(palette.color(int(index)) if index else color, colors)]


def _rgb(code: str, colors: int) -> list[str]:
    red, green, blue = palette.rgb(code)
    if colors > 256:
        return ["2", str(red), str(green), str(blue)]
    if max(red, green, blue) - min(red, green, blue) < 10:
        return ["5", str(232 + min(23, max(0, round((red - 8) / 10))))]
    steps = [0 if part < 48 else 1 if part < 115 else (part - 35) // 40 for part in (red, green, blue)]
    return ["5", str(16 + 36 * steps[0] + 6 * steps[1] + steps[2])]


def on(background: str) -> Color:
    """Black or white, whichever reads better on a `#rrggbb`."""
    red, green, blue = palette.rgb(background)
    return "#101418" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#f4f6f8"
