"""Findings on runs in panels: which runs, how bad, since when, and where on the chart."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery, series, with_points
from workbench.core.blocks import Lines, Note, Stack, Table
from workbench.core.model import Finding, Run
from workbench.core.query import Fit, Focus
from workbench.core.timely import slower, timely
from workbench.panels.findings import FindingsPanel
from workbench.panels.run import RunPanel
from workbench.render.text import render_text

NOW = 1_767_600_000.0


def run(name: str, status: str = "running", **more: object) -> Run:
    fields = {"started_at": NOW - 7200, "updated_at": NOW - 60, **more}
    return Run(name, name, "jsonl", f"runs/{name}", status, "data is coming in", **fields)  # type: ignore[arg-type]


def finding(
    on: str, kind: str, severity: str, sentence: str, ago: float = 600.0, until: float | None = None
) -> Finding:
    evidence = {"step": 30}
    return Finding(kind, "train/loss", severity, sentence, NOW - ago, until, None, evidence, run=on)  # type: ignore[arg-type]


FOUND = (
    finding("a", "not-finite", "bad", "train/loss is NaN since step 30"),
    finding("b", "overfitting", "warn", "overfitting since step 30: val/loss rose from 0.4 to 0.5", 7200),
    finding("a", "spiked", "info", "train/loss spiked once at step 12", 5000, NOW - 4000),
    finding("hid", "diverged", "bad", "of a hidden run"),
)
PROJECT = MemoryQuery(
    [run("a"), run("b"), run("fine"), run("hid", hidden=True)],
    with_points(*(series(name, "train/loss", [1 / (at + 1) for at in range(60)]) for name in ("a", "b", "fine"))),
    all_findings=FOUND,
)


def of(panel: FindingsPanel | RunPanel, project: MemoryQuery, **focus: object) -> Stack:
    block = panel.view(panel.load(project, Focus(**focus)), Fit(100))  # type: ignore[arg-type]
    assert isinstance(block, Stack)
    return block


def test_runs_with_findings_are_listed_the_worst_first_one_row_each() -> None:
    (table,) = of(FindingsPanel(lambda: NOW), PROJECT).blocks
    assert isinstance(table, Table)
    assert table.ids == ["a", "b"], "enter opens the run; hidden runs are left out"
    assert [[cell.text or cell.value for cell in row] for row in table.rows] == [
        ["bad", "a", "10m", "train/loss is NaN since step 30 (+1)"],
        ["warn", "b", "2h", "overfitting since step 30: val/loss rose from 0.4 to 0.5"],
    ]


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_the_step_is_readable_at_any_width(columns: int) -> None:
    panel = FindingsPanel(lambda: NOW)
    shown = render_text(panel.view(panel.load(PROJECT, Focus()), Fit(columns)), Fit(columns))
    assert "train/loss is NaN since st" in shown
    assert all(len(line) <= columns for line in shown.splitlines())


def test_nothing_wrong_is_said_as_such() -> None:
    (note,) = of(FindingsPanel(lambda: NOW), replace(PROJECT, all_findings=())).blocks
    assert note == Note("nothing is worth attention in 3 runs", "good")


def test_json_has_every_finding_with_its_run() -> None:
    panel = FindingsPanel(lambda: NOW)
    told = panel.to_json(panel.load(PROJECT, Focus()))
    assert [(each["run"], each["kind"], each["evidence"]) for each in told] == [
        ("a", "not-finite", {"step": 30}), ("a", "spiked", {"step": 30}), ("b", "overfitting", {"step": 30}),
    ]  # fmt: skip


def test_a_run_tells_its_findings_above_its_metrics_and_marks_them_on_the_chart() -> None:
    block = of(RunPanel(lambda: NOW), PROJECT, run="a")
    notes = [each for each in block.blocks if isinstance(each, Note)]
    assert notes[0].text.startswith("train/loss is NaN since step 30 (10m ago, ")
    assert (notes[0].tone, notes[1].text.startswith("Next: lower the learning rate")) == ("bad", True)
    assert notes[2].text.endswith(" – over")
    (chart,) = [each for each in block.blocks if isinstance(each, Lines)]
    assert [x for x, _ in chart.marks] == [30.0]


def test_a_run_is_slow_only_among_enough_siblings_and_beyond_how_they_differ() -> None:
    slow = run("slow")
    assert slower(slow, 1.0, [2.0, 2.1, 1.9], {}) is None, "too few"
    assert slower(slow, 1.0, [2.0, 0.9, 4.0, 1.0, 3.0], {}) is None, "they differ among themselves"
    found = slower(slow, 1.0, [2.0, 2.1, 1.9, 2.0], {})
    assert found is not None
    assert (found.severity, found.sentence) == (
        "warn", "slower than its siblings: 1 steps/s against 2 steps/s, the median of 4",
    )  # fmt: skip


def test_silence_is_a_warning_where_an_end_would_have_been_said() -> None:
    alive = run("x", "quiet")
    lost = run("y", "lost")
    plain = replace(run("z", "quiet"), status_reason="no new data since then; the format has no end marker")
    found = timely([alive, lost, plain, run("fine")], {"x": 12.0}, {}, NOW)
    assert [(each.run, each.severity) for each in found] == [("x", "warn"), ("y", "warn"), ("z", "info")]
    assert found[0].sentence == "silent for 1m 00s, usually a point every 12s"
