"""The panels over production: is the model fine, since when not, why, and what next; at any size, full and empty."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.support.sample_project import DAY, NOW, TREE, WINDOWS, sample_project
from workbench.core.blocks import Block, Cell, Columns, Empty, Heat, Lines, Note, Stack, Stat, Table
from workbench.core.model import Finding, Roles, Stage
from workbench.core.query import Fit, Focus
from workbench.panels.findings import FindingsPanel
from workbench.panels.latency import LatencyPanel
from workbench.panels.pipeline import PipelinePanel
from workbench.panels.quality import QualityPanel
from workbench.panels.scoreboard import ScoreboardPanel
from workbench.panels.windows import WindowsPanel
from workbench.plugin.api import Panel

NARROW, WIDE = Fit(78, 20), Fit(158, 41)
PANELS = (ScoreboardPanel, FindingsPanel, LatencyPanel, QualityPanel, PipelinePanel, WindowsPanel)
SLOW = Finding(
    "latency", "latency_ms.p95", "bad", "latency_ms.p95 rose from 20.5 ms to 41 ms since 2025-12-29 (97 %)",
    WINDOWS[4].start, None, 0.97, {"before": 20.5, "after": 41.0, "unit": "ms"}, "flights",
)  # fmt: skip
DRIFT = Finding(
    "drift", "dep_delay", "warn", "dep_delay drifted since 2025-12-22 (± 1 window, 96 %): 3.2 times its threshold",
    WINDOWS[3].start, None, 0.96, {"before": 0.3, "after": 3.2}, "flights",
)  # fmt: skip
OVER = Finding(
    "errors", "error_rate", "warn", "error_rate rose from 1.0 % to 5.0 % from 2025-12-08 to 2025-12-15 (99 %)",
    WINDOWS[1].start, WINDOWS[2].start, 0.99, {"before": 0.01, "after": 0.05, "unit": "share"}, "flights",
)  # fmt: skip
AUC = (0.81, 0.80, 0.80, 0.79, None)


def project(*findings: Finding, tagged: bool = False) -> MemoryQuery:
    """The sample project with labels up to the week before the last, missing values, and a gap of two weeks."""
    windows = []
    for at, window in enumerate(WINDOWS):
        metrics = {"auc": AUC[at], "business.mean": 2.0 + 0.01 * at, "quality.missing.carrier": 0.02 if at < 4 else 0.4}
        shift = 14 * DAY if at == 4 else 0
        windows.append(
            replace(window, metrics={**window.metrics, **metrics}, start=window.start + shift, end=window.end + shift)
        )
    base = sample_project()
    runs = [replace(run, tags={**run.tags, "production": "flights"}) if tagged and run.id == TREE.id else run
            for run in base.all_runs]  # fmt: skip
    roles = {"business.mean": Roles("higher", "USD", "business")}
    return replace(
        base, all_windows={"flights": windows}, all_findings=findings, all_runs=tuple(runs), configured=roles
    )


def blocks(block: Block) -> Iterator[Block]:
    yield block
    if isinstance(block, Stack | Columns):
        for inner in block.blocks:
            yield from blocks(inner)


def seen(panel: Panel, query: MemoryQuery, focus: Focus | None = None, fit: Fit = WIDE) -> list[Block]:
    return list(blocks(panel.view(panel.load(query, focus or Focus()), fit)))


def table(found: list[Block], title: str = "") -> dict[str, dict[str, Cell]]:
    """Rows by their first cell."""
    (block,) = [each for each in found if isinstance(each, Table) and title in each.title]
    rows = [dict(zip([column.key for column in block.columns], row, strict=True)) for row in block.rows]
    return {str(next(iter(row.values())).value): row for row in rows}


def notes(found: list[Block]) -> list[tuple[str, str]]:
    return [(block.text, block.tone) for block in found if isinstance(block, Note)]


@pytest.mark.parametrize("fit", [NARROW, WIDE], ids=["80x24", "160x45"])
def test_the_scoreboard_says_what_is_not_fine_since_when_why_and_what_next(fit: Fit) -> None:
    found = seen(ScoreboardPanel(), project(SLOW, DRIFT), fit=fit)
    rows = table(found)
    assert list(rows) == ["business", "performance", "latency", "data"]
    assert (rows["latency"]["verdict"].value, rows["latency"]["verdict"].tone) == ("slower since 2025-12-29", "bad")
    assert (rows["data"]["verdict"].value, rows["data"]["verdict"].tone) == ("drifting since 2025-12-22", "warn")
    assert (rows["business"]["verdict"].value, rows["business"]["verdict"].tone) == ("fine", "good")
    assert rows["latency"]["now"].value == 41.0
    assert notes(found)[0] == (SLOW.sentence, "bad")
    assert notes(found)[-1][0].startswith("Next: ")


def test_the_newest_value_that_is_known_is_shown_with_its_window() -> None:
    rows = table(seen(ScoreboardPanel(), project()))
    assert (rows["performance"]["now"].value, rows["performance"]["before"].value) == (0.79, pytest.approx(0.80))
    assert (rows["performance"]["window"].value, rows["performance"]["window"].tone) == ("2025-12-22", "warn")


def test_training_stands_beside_production_where_a_run_is_tagged_as_released() -> None:
    rows = table(seen(ScoreboardPanel(), project(tagged=True)))
    assert rows["latency"]["training"].value == pytest.approx(19.0)
    assert rows["latency"]["training"].tone == "bad", "it was promised to be faster"
    assert "training" not in table(seen(ScoreboardPanel(), project()))["latency"]


def test_a_model_without_findings_is_said_to_be_fine() -> None:
    found = seen(ScoreboardPanel(), project())
    assert notes(found) == [("nothing worth attention in 5 windows up to 2026-01-12", "good")]


def test_findings_that_go_on_are_sentences_and_those_that_are_over_are_listed() -> None:
    found = seen(FindingsPanel(), project(SLOW, DRIFT, OVER))
    assert [text for text, _ in notes(found)][0::2] == [SLOW.sentence, DRIFT.sentence]
    (over,) = table(found, "Over").values()
    assert (over["since"].value, over["until"].value, over["change"].value) == (
        "2025-12-08",
        "2025-12-15",
        "1.0 % → 5.0 %",
    )
    assert notes(seen(FindingsPanel(), project(OVER)))[0] == ("nothing is worth attention now, in 5 windows", "good")


def test_windows_draw_the_metric_of_the_worst_finding_with_its_change_and_usual_band() -> None:
    found = seen(WindowsPanel(), project(SLOW), fit=NARROW)
    (chart,) = [block for block in found if isinstance(block, Lines)]
    assert [line.name for line in chart.lines] == ["latency_ms.p95", "usually above", "usually below"]
    assert chart.marks == [(SLOW.since, "since")] and chart.x_kind == "time"
    asked = [block for block in seen(WindowsPanel(), project(SLOW), Focus(metric="auc")) if isinstance(block, Lines)]
    assert [block.title for block in asked] == ["auc", "latency_ms.p95"], "where it is wide, one of another kind too"


def test_a_gap_between_windows_breaks_the_line() -> None:
    chart, *_ = [block for block in seen(WindowsPanel(), project()) if isinstance(block, Lines)]
    line = chart.lines[0]
    assert len(line.x) == 6 and np.isnan(line.y[4]) and np.all(np.diff(line.x) > 0)
    auc, *_ = [block for block in seen(WindowsPanel(), project(), Focus(metric="auc")) if isinstance(block, Lines)]
    assert np.isnan(auc.lines[0].y[-1]), "what nobody knows yet is not drawn"


def test_latency_shows_percentiles_errors_and_the_slowest_segments() -> None:
    query = project(SLOW)
    part = [
        replace(WINDOWS[4], segment=name, metrics={"latency_ms.p95": p95})
        for name, p95 in (("EWR", 20.0), ("JFK", 80.0))
    ]
    query = replace(query, all_windows={"flights": [*query.all_windows["flights"], *part]})
    found = seen(LatencyPanel(), query)
    stats = {block.label: block for block in found if isinstance(block, Stat)}
    assert list(stats) == ["latency_ms.p99", "latency_ms.p95", "latency_ms.p50", "error_rate"]
    assert (stats["latency_ms.p95"].value, stats["latency_ms.p95"].tone) == (41.0, "bad")
    assert list(table(found, "Slowest")) == ["JFK", "EWR"]
    assert [line.name for line in next(b for b in found if isinstance(b, Lines)).lines] == ["p99", "p95", "p50"]


def test_quality_shows_what_is_missing_and_marks_what_is_more_than_usual() -> None:
    found = seen(QualityPanel(), project())
    rows = table(found, "Columns")
    assert next(iter(rows)) == "carrier", "the worst first"
    assert (rows["carrier"]["missing"].value, rows["carrier"]["missing"].tone) == (0.4, "warn")
    assert rows["tailnum"]["status"].value == "id-like"
    (heat,) = [block for block in found if isinstance(block, Heat)]
    assert heat.rows == ["carrier"] and heat.values[0][-1] == 0.4


def test_the_pipeline_shows_the_five_stages_in_order_and_what_is_slower_than_before() -> None:
    def stages(start: float, *took: float) -> list[Stage]:
        names = ("training", "ingestion", "preprocessing")
        return [Stage(name, start, start + took[at], 1_000, "finished") for at, name in enumerate(names)]

    base = sample_project()
    earlier = {run.id: stages(NOW - 5_000, 10, 5, 1) for run in base.all_runs if not run.hidden}
    query = replace(base, all_stages={**earlier, TREE.id: stages(NOW - 600, 40, 5, 1)})
    found = seen(PipelinePanel(), query, Focus(run=TREE.id))
    rows = table(found, "Stages")
    assert list(rows) == ["ingestion", "preprocessing", "training"]
    assert (rows["training"]["took"].value, rows["training"]["took"].tone, rows["training"]["usual"].value) == (
        40,
        "warn",
        10,
    )
    assert rows["ingestion"]["speed"].value == 200
    assert notes(found) == [("not logged: evaluation, result logging", "dim")]
    assert list(table(found, "before")) == ["logistic", "rule"]


@pytest.mark.parametrize("panel", [panel() for panel in PANELS], ids=lambda panel: panel.name)
@pytest.mark.parametrize("fit", [Fit(20, 5), NARROW, WIDE, Fit(400)], ids=lambda fit: f"{fit.columns}x{fit.rows}")
def test_every_panel_shows_something_at_any_size_and_strict_json(panel: Panel, fit: Fit) -> None:
    hostile = replace(SLOW, sentence="\x1b]52;c;x\x07[/]", subject="\x1b[31m", evidence={"before": float("nan")})
    query = project(SLOW, DRIFT, OVER, hostile)
    assert not any(isinstance(block, Empty) for block in seen(panel, query, fit=fit))
    data = panel.to_json(panel.load(query, Focus()))
    assert json.loads(json.dumps(data, allow_nan=False)) == data


@pytest.mark.parametrize("panel", [panel() for panel in PANELS], ids=lambda panel: panel.name)
def test_windows_without_a_single_figure_are_no_trouble(panel: Panel) -> None:
    bare = [replace(window, metrics={}, columns=(), rows=0) for window in WINDOWS]
    query = replace(project(), all_windows={"flights": bare})
    assert seen(panel, query)
    nothing = replace(project(), all_windows={"flights": []})
    assert seen(panel, nothing, Focus(monitor="flights"))
    assert seen(panel, nothing, Focus(monitor="elsewhere"))
