"""A report as one HTML file: inline SVG, no script, a content security policy that allows only its own style."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import partial
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from workbench.core import palette, units
from workbench.core.axes import LETTERS
from workbench.core.blocks import Block, Lines, Stat, Table
from workbench.core.curves import curve_of, notes
from workbench.core.gates import failing_first
from workbench.core.palette import GLYPHS
from workbench.core.scatter import remarks
from workbench.core.text import plain
from workbench.render.cells import cell_text, header, is_numeric, judgement, stat_words
from workbench.render.document import Document, byline, verdict
from workbench.render.scatter import scatter_svg
from workbench.render.svg import HEAT_STEPS, bars_svg, color_class, heat_svg, lines_svg, scale_svg, spark_svg

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = "templates"


def render_document_html(document: Document, zone: tzinfo | None = UTC) -> str:
    """A whole page that needs nothing else."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment(zone)
        .get_template("report.html.j2")
        .render(
            document=document,
            gates=failing_first(document.gates),
            verdict=verdict(document.gates),
            byline=byline(document, zone),
            anchors=_anchors(document),
            style=_markup(style),
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        )
    )


def render_block_html(block: Block, zone: tzinfo | None = UTC) -> str:
    """One block as a fragment, for a page that has the report's style."""
    module: Any = _environment(zone).get_template("blocks.html.j2").module
    return str(module.show(block))


def _environment(zone: tzinfo | None) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("workbench.render", _TEMPLATES),
        autoescape=True,
        finalize=_safe,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["groupby_stat"] = _by_stat
    environment.globals |= {
        "kind": lambda block: type(block).__name__.lower(),
        "lines_svg": partial(lines_svg, zone=zone), "bars_svg": bars_svg, "heat_svg": heat_svg, "spark_svg": spark_svg,
        "scatter_svg": partial(scatter_svg, zone=zone), "scatter_remarks": remarks,
        "scale_svg": scale_svg,
        "cell_text": cell_text, "header": header,
        "numeric_columns": _numeric_columns, "compared_columns": _compared_columns,
        "stat_words": stat_words,
        "judgement": judgement, "delta": units.delta, "number": units.number, "glyph": lambda tone: GLYPHS[tone],
        "color_class": color_class, "paragraphs": _paragraphs, "remarks": _remarks, "letters": LETTERS,
        "own_glyph": lambda text: bool(text) and not text[0].isalnum(),
    }  # fmt: skip
    return environment


def _safe(value: object) -> object:
    """Every value a template puts out passes here: text is made plain, then escaped; markup is ours already."""
    return value if value is None or hasattr(value, "__html__") else plain(value, limit=100_000)


def _by_stat(blocks: Sequence[Block]) -> list[tuple[bool, list[Block]]]:
    """Neighbouring figures together, so that they stand in one row of cards."""
    return [(are_stats, list(group)) for are_stats, group in groupby(blocks, lambda block: isinstance(block, Stat))]


def _numeric_columns(table: Table) -> list[bool]:
    return [is_numeric(column, table.rows, index) for index, column in enumerate(table.columns)]


def _compared_columns(table: Table) -> list[bool]:
    """Which columns show changes: their other cells leave the room free, so that values stay in line."""
    return [
        any(index < len(row) and row[index].delta is not None for row in table.rows)
        for index in range(len(table.columns))
    ]


def _paragraphs(text: str) -> list[str]:
    return plain(text, multiline=True).split("\n")


def _remarks(chart: Lines) -> list[str]:
    return list(notes([curve_of(line, line.y, chart) for line in chart.lines]))


def _anchors(document: Document) -> list[str]:
    """Names for links: of letters, digits and hyphens, each once."""
    names: list[str] = []
    for index, section in enumerate(document.sections):
        wanted = "".join(char if char.isascii() and char.isalnum() else "-" for char in section.anchor or section.title)
        name = wanted.strip("-").lower()
        names.append(name if name and name not in names else f"section-{index + 1}")
    return names


def _markup(text: str) -> object:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - the package's own style sheet


def _style() -> str:
    """The style sheet, with the palette as variables for light and dark."""
    sheet = files("workbench.render").joinpath(_TEMPLATES, "report.css").read_text(encoding="utf-8")
    return (
        f":root{{{_variables(dark=False)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(dark=True)}}}}}\n"
        f"@media print{{:root{{{_variables(dark=False)}}}}}\n{_classes()}\n{sheet}"
    )


def _variables(*, dark: bool) -> str:
    tones = palette.TONES_DARK if dark else palette.TONES_LIGHT
    pairs = [(f"c{index}", palette.color(index, dark=dark)) for index in range(len(palette.DARK))]
    pairs += [(f"h{step}", palette.heat(step / (HEAT_STEPS - 1), dark=dark)) for step in range(HEAT_STEPS)]
    pairs += [(tone, code) for tone, code in tones.items() if tone]
    ground = (
        ("paper", "#11161d"), ("card", "#181f29"), ("ink", "#e3e8ef"), ("rule", "#2b3644"), ("soft", "#1f2834"),
    ) if dark else (
        ("paper", "#ffffff"), ("card", "#f8fafc"), ("ink", "#16202c"), ("rule", "#dde4ec"), ("soft", "#eef2f7"),
    )  # fmt: skip
    return "".join(f"--{name}:{code};" for name, code in (*pairs, *ground))


def _classes() -> str:
    runs = "".join(f".c{index}{{color:var(--c{index})}}" for index in range(len(palette.DARK)))
    return runs + "".join(f".h{step}{{fill:var(--h{step})}}" for step in range(HEAT_STEPS))
