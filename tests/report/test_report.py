"""`workbench report`: what is in it, in what order, in every format, and which exit code goes with it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.support.sample_project import SOURCES, TREE, sample_project, without_baseline
from workbench.core.config import Config, GateConfig
from workbench.core.query import Fit, Focus, Query
from workbench.panels import built_in
from workbench.plugin import box
from workbench.plugin.api import Block, Note, Panel
from workbench.render.document import Document
from workbench.render.formats import FORMATS, render
from workbench.report import build, exit_code
from workbench.report.pack import read_pack, write_pack
from workbench.rules import evaluate_all

PROJECT = sample_project()
GATES = (
    GateConfig("accurate", "best(val/accuracy) >= 0.85"),
    GateConfig("fast", "latency_ms.p95 <= 1.1 * baseline"),
    GateConfig("typo", "best(val/acuracy) >= 0.9"),
)


class Weather(Panel):
    name = "weather"
    title = "Weather"

    def load(self, query: Query, focus: Focus) -> str:
        return "rain"

    def view(self, data: str, fit: Fit) -> Block:
        return Note(data)


class Broken(Weather):
    name = "broken"
    title = "Broken"

    def load(self, query: Query, focus: Focus) -> str:
        raise RuntimeError("no \x1b[31msatellite\x1b[0m")


def report(
    query: MemoryQuery = PROJECT,
    focus: Focus | None = None,
    extra: tuple[Panel, ...] = (),
    gates: tuple[GateConfig, ...] = GATES,
    root: Path = Path("/projects/flights"),
) -> Document:
    return build(query, Config(root), focus or Focus(), (*built_in(), *extra), evaluate_all(gates, query))


def anchors(document: Document) -> list[str]:
    return [section.anchor for section in document.sections]


def test_the_sections_come_in_the_order_a_reviewer_asks() -> None:
    document = report(extra=(Weather(),))
    assert anchors(document) == [
        "runs", "run", "pipeline", "compare", "charts", "scoreboard", "findings", "windows-flights", "drift-flights",
        "latency-flights", "quality-flights", "sources", "weather",
    ]  # fmt: skip
    assert [gate.name for gate in document.gates] == ["fast", "typo", "accurate"], "failing gates first"
    assert document.title == "Workbench report: flights"
    assert next(section for section in document.sections if section.anchor == "run").title == "Run: tree"


def test_what_would_be_empty_is_left_out() -> None:
    assert "compare" not in anchors(report(without_baseline(PROJECT), Focus(where="name:tree")))
    assert "sources" not in anchors(report(replace(PROJECT, all_sources=SOURCES[:1])))
    assert anchors(report(MemoryQuery(), gates=())) == ["runs"], "an empty project still teaches the next step"


def test_a_filter_and_marks_are_followed() -> None:
    document = report(focus=Focus(where="name:logistic"))
    assert document.subtitle == "filter: name:logistic"
    assert next(section for section in document.sections if section.anchor == "run").title == "Run: logistic"
    assert "compare" in anchors(report(without_baseline(PROJECT), Focus(marked=(TREE.id, "aaaa00000001"))))


def test_a_panel_that_raises_is_boxed_and_the_report_goes_on() -> None:
    document = report(extra=(Broken(), Weather()))
    text = render(document, "text")
    assert "The panel 'broken' failed: RuntimeError" in text
    assert "rain" in text
    assert "\x1b" not in text


class Hanging(Weather):
    name = "hanging"
    title = "Hanging"

    def view(self, data: str, fit: Fit) -> Block:
        threading.Event().wait()
        raise AssertionError


def test_a_panel_that_hangs_is_given_up_by_name_and_the_report_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "DEADLINE", 0.1)
    document = report(extra=(Hanging(), Weather()))
    text = render(document, "text")
    assert "The panel 'hanging' failed: no answer within 0.1 s" in text
    assert "Raised in view" in text
    assert "rain" in text


def test_a_process_whose_panel_hangs_still_ends() -> None:
    code = (
        "from tests.report.test_report import Hanging, report\nfrom workbench.plugin import box\n"
        "from workbench.render.formats import render\nbox.DEADLINE = 0.1\n"
        "print(render(report(extra=(Hanging(),)), 'text'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "The panel 'hanging' failed" in ran.stdout


def test_the_configured_main_metric_leads() -> None:
    document = build(PROJECT, Config(Path("x"), main_metric="train/loss"), Focus(), built_in())
    assert document.sections[0].block.columns[4].key == "train/loss"  # type: ignore[union-attr]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_tells_what_failed(format: str) -> None:
    text = render(report(extra=(Weather(),)), format)
    assert "did you mean" in text
    assert "accurate" in text
    if format != "junit":
        assert "tree" in text and "rain" in text


def test_the_json_of_a_report_holds_the_shapes_of_the_listings() -> None:
    data = json.loads(render(report(), "json"))
    by_anchor = {section["anchor"]: section["data"] for section in data["sections"]}
    assert [run["name"] for run in by_anchor["runs"]] == ["tree", "logistic", "rule"]
    assert by_anchor["drift-flights"]["monitor"] == "flights"
    assert data["passed"] is False
    assert data["gates"][0]["name"] == "fast"


def test_exit_codes_follow_the_gates_and_under_strict_the_sources() -> None:
    passing = evaluate_all(GATES[:1], PROJECT)
    assert exit_code(passing) == 0
    assert exit_code([]) == 0
    assert exit_code(evaluate_all(GATES, PROJECT)) == 1
    assert exit_code(passing, PROJECT, strict=True) == 4
    assert exit_code(passing, PROJECT) == 0
    assert exit_code(passing, replace(PROJECT, all_sources=SOURCES[:1]), strict=True) == 0


def test_against_main_shows_what_a_change_did_to_metrics_latency_and_drift() -> None:
    main = read_pack(write_pack(PROJECT, Config(Path("/projects/flights"))))
    faster = replace(
        PROJECT,
        points={
            key: replace(series, value=series.value * 0.5) if key == (TREE.id, "latency_ms") else series
            for key, series in PROJECT.points.items()
        },
    )
    document = build(faster, Config(Path("x")), Focus(), built_in(), against=main)
    assert anchors(document)[:2] == ["runs", "against"]
    data = document.sections[1].data
    changes = {change["key"]: change for change in data["metrics"]}
    assert data["reference"]["name"] == "tree", "the run of the same name"
    assert changes["latency_ms.p95"]["before"] == pytest.approx(19.0)
    assert changes["latency_ms.p95"]["now"] == pytest.approx(9.5)
    assert changes["latency_ms.p95"]["delta"]["better"] is True
    assert changes["val/accuracy"]["delta"]["absolute"] == 0
    drift = {change["key"]: change for change in data["monitors"]["flights"]}
    assert drift["drifted share"]["before"] == pytest.approx(1 / 3)
    text = render(document, "text")
    assert "Against main" in text and "latency_ms.p95" in text
