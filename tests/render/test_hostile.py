"""Logs are hostile: whatever they say, no report format lets it act."""

import json
import re
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from workbench.core.blocks import (
    Axis,
    Bars,
    Cell,
    Column,
    Columns,
    Empty,
    Heat,
    Line,
    Lines,
    Note,
    Point,
    Scatter,
    Stack,
    Stat,
    Table,
)
from workbench.core.gates import GateResult
from workbench.core.query import Fit
from workbench.core.text import width
from workbench.render.document import Document, Section
from workbench.render.formats import FORMATS, render
from workbench.render.text import render_text

HOSTILE = (
    "\x1b]0;owned\x07 \x1b]52;c;aGk=\x1b\\ \x1b[31m \x9b31m \x9d0;x\x9c [/] [red] \u202egpj \u200b \ufeff \x00 \ud800"
    " \udc80 <script>alert(1)</script> <img src=x onerror=alert(1)> \"' onload=alert(1) {{ 7*7 }} {% x %} | `a` ```"
    " ]]> --> </svg> </style> </title> ![i](http://e.vil/i.png) [l](javascript:alert(1)) http://e.vil www.e.vil"
    " <http://e.vil> @octocat #123 me@e.vil &lt;b&gt; **b** _i_ ~~s~~ $x$ :smile:"
    " \r\n# head\n- item\n1. one\n\t> quote\n=HYPERLINK(1)"
)
TEXTS = st.text(st.characters(), max_size=40) | st.lists(
    st.sampled_from([*HOSTILE.split(" "), "\n", "\r", "\x1b", "|", "`", "<", "\\"]), max_size=5
).map("".join)


def document(text: str) -> Document:
    """One report that says a text wherever a text can be said."""
    y = np.array([1.0, np.nan, 3.0, -np.inf, 2.0])
    x = np.arange(5.0)
    lines = Lines(
        (Line(text, x, y, y, 0), Line(text + "2", x, y[::-1], None, 1)), text, text, text, marks=((2.0, text),)
    )
    table = Table(
        (Column(text, text, text), Column("b", text)), ((Cell(text, "bad", 0.1), Cell(1.0, text=text)),), text, (text,)
    )
    blocks = (
        table, lines, Bars((text, "b"), ((text, (1.0, np.inf)),), text, text),
        Bars((text, *map(str, range(9))), ((text, [1.0] * 10), ("b", [2.0] * 10)), text),
        Heat((text,), (text, "b"), ((1.0, None),), text, threshold=0.5), Stat(text, text, text, 0.1, "bad"),
        Note(text, "warn"), Empty(text, text), Stack((Note(text),), text),
        Columns((Stat(text, 1.0), Stat(text, None), Note(text))),
        Scatter((Point(text, 0.0, 1.0, "good"), Point(text, 1.0, np.nan)), Axis(text, names=(text, "b")), Axis(text)),
        Scatter((Point(text, 1.0, 1.0),), title=text),
    )  # fmt: skip
    gate = GateResult(text, text, False, float("nan"), None, text, text)
    return Document(text, text, (Section(text, Stack(blocks), text),), (gate,), 0.0)


def left_raw(text: str, allowed: str) -> set[str]:
    return {char for char in set(text) - set(allowed) if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


hostile = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@hostile
@given(TEXTS)
@example(HOSTILE)
def test_no_format_lets_a_control_character_out(text):
    for format in FORMATS:
        assert left_raw(render(document(text), format, Fit(100)), "\n") == set(), format


@hostile
@given(TEXTS)
@example(HOSTILE)
def test_coloured_text_holds_only_our_own_colours(text):
    for colors in (16, 256, 1 << 24):
        coloured = render(document(text), "text", Fit(100, colors=colors), color=True)
        assert left_raw(re.sub(r"\x1b\[[0-9;]*m", "", coloured), "\n") == set()
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == render(document(text), "text", Fit(100)).split()


@hostile
@given(TEXTS, st.sampled_from([20, 33, 80, 160]), st.booleans())
@example(HOSTILE, 20, True)
def test_no_line_of_text_is_wider_than_its_room(text, columns, unicode):
    for line in render_text(document(text).sections[0].block, Fit(columns, unicode=unicode)).split("\n"):
        assert width(line) <= columns


class Page(HTMLParser):
    """Every tag with its attributes, as a browser's parser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


OURS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "nav", "a", "main", "section",
    "table", "thead", "tbody", "tr", "th", "td", "div", "span", "code", "svg", "desc", "line", "text", "path", "rect",
    "circle", "figure", "figcaption", "strong", "footer",
}  # fmt: skip


@hostile
@given(TEXTS)
@example(HOSTILE)
def test_the_page_holds_no_script_no_handler_and_no_foreign_address(text):
    page = Page(render(document(text), "html"))
    assert {tag for tag, _ in page.tags} <= OURS
    assert page.open == []
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "xlink:href"}]
        assert attributes.get("href", "#").startswith("#")
    policy = page.tags[3][1]["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy


def test_the_page_shows_what_the_log_said():
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in render(document(HOSTILE), "html")


@hostile
@given(TEXTS)
@example(HOSTILE)
def test_markdown_of_hostile_text_is_only_headings_tables_notes_and_code(text):
    markdown = render(document(text), "md")
    kinds: set[str] = set()
    for token in MarkdownIt("gfm-like", {"html": True}).parse(markdown):
        kinds.add(token.type)
        kinds |= {child.type for child in token.children or ()}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "code_inline", "s_open", "hr", "code_block"}
    assert not re.search(r"@[A-Za-z0-9]", re.sub(r"(?s)```.*?\n(`{3,})\n", "", markdown))
    assert not kinds & {"ordered_list_open", "bullet_list_open"}


def test_markdown_tables_keep_their_columns_whatever_is_in_them():
    table = Table((Column("a"), Column("b")), ((Cell("x | y\n| z \\| w"), Cell("`|`")),))
    (body,) = [line for line in render(Document("t", sections=(Section("s", table),)), "md").split("\n") if "x" in line]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", body)) == 3


@hostile
@given(TEXTS)
@example(HOSTILE)
def test_junit_is_xml_and_json_is_strict(text):
    suite = ElementTree.fromstring(render(document(text), "junit"))
    assert suite.get("failures") == "1"

    def refuse(constant):
        raise AssertionError(constant)

    whole = json.loads(render(document(text), "json"), parse_constant=refuse)
    assert whole["gates"][0]["value"] == "NaN"
    assert whole["sections"][0]["block"]["blocks"][1]["lines"][0]["y"] == [1.0, "NaN", 3.0, "-Infinity", 2.0]
    json.dumps(whole, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_report_renders(format):
    blocks = (
        Table((), ()), Table((Column("a"),), ()), Lines(()), Bars((), ()), Heat((), (), ()), Stack(()), Columns(()),
        Scatter(()),
        Note(""),
        Lines((Line("", np.empty(0), np.empty(0)),)), Lines((Line("one", np.array([1.0]), np.array([2.0])),)),
        Table((Column("a"), Column("b")), ((Cell(1),),)), Heat(("a",), ("b",), ((float("inf"),),)),
        Bars(("a",), (("s", (float("nan"),)), ("t", ()))),
    )  # fmt: skip
    for columns in (20, 100):
        assert render(Document("", sections=[Section("", block) for block in blocks]), format, Fit(columns))


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(ValueError, match="'pdf'; known: text, md, html, json, junit"):
        render(Document("t"), "pdf")
