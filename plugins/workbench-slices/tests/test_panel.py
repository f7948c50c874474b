"""A project whose runs logged predictions, and a monitor with labels: the panel, the report, and the worker."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points

import pytest
from workbench_slices.client import Client
from workbench_slices.model import Answer
from workbench_slices.panel import SlicesPanel
from workbench_slices.worker import answer

import workbench
from workbench.plugin.api import Empty, Fit, Focus
from workbench.plugin.checks import check_block
from workbench.plugin.testing import problems
from workbench.render.document import Document, Section
from workbench.render.formats import render
from workbench.render.text import render_text

MONITOR = """
[monitor.flights]
path = "exports/*.csv"
timestamp = "at"
id = "key"
[monitor.flights.columns]
prediction = "prediction"
latency = "latency_ms"
ignore = ["x0"]
[monitor.flights.labels]
path = "labels/*.csv"
id = "key"
label = "label"
[monitor.flights.window]
every = "1h"
"""


@pytest.fixture
def panel() -> SlicesPanel:
    """The panel with its work done in this process; the worker's own is tested once."""
    return SlicesPanel(Client(answer))


def log_run(root, columns, where: str, write=None) -> None:
    """A run that tells of its predictions in one of the ways there are."""
    with workbench.init(name="net", dir=root / "runs") as run:
        run.log({"val/accuracy": 0.9})
        if where == "folder":
            write(root / "runs" / os.path.basename(run.dir) / "predictions.csv", columns)
        elif where == "data":
            run.data(write(root / "out" / "test.csv", columns), role="predictions")
        elif where == "artifact":
            run.artifact(write(root / "out" / "predictions-test.csv", columns))


def monitored(root, columns, write) -> None:
    """Two hours of production, and labels of the first."""
    (root / "workbench.toml").write_text(MONITOR)
    first = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
    times = [(first + dt.timedelta(seconds=2.4 * at)).strftime("%Y-%m-%d %H:%M:%S") for at in range(3000)]
    export = {"key": [f"r{at}" for at in range(3000)], "at": times, **columns}
    labels = {"key": export["key"][:1500], "label": export.pop("label")[:1500]}
    write(root / "exports" / "day.csv", export)
    write(root / "labels" / "day.csv", labels)


@pytest.mark.parametrize("where", ["folder", "data", "artifact"])
def test_a_run_is_sliced_by_the_predictions_it_logged(tmp_path, writers, wrong_on_c3_o2, opened, panel, where):
    log_run(tmp_path, wrong_on_c3_o2, where, writers["csv"])
    project = opened(tmp_path)
    run = project.query.runs()[0]
    data = panel.load(project.query, Focus(run=run.id))
    text = render_text(panel.view(data, Fit(120)), Fit(120))
    assert "net: " in text and "carrier = c3 ∧ origin = o2" in text and "device = d1" in text
    assert "Fisher's exact test" in text
    project.store.close()


def test_a_window_is_sliced_by_the_monitor_s_exports_and_labels(tmp_path, writers, wrong_on_c3_o2, opened, panel):
    monitored(tmp_path, wrong_on_c3_o2, writers["csv"])
    project = opened(tmp_path)
    windows = [window for window in project.query.windows("flights") if not window.segment]
    assert [window.rows for window in windows] == [1500, 1500]
    (report,) = panel.load(project.query, Focus()).reports
    assert (report.subject.name, report.subject.what) == ("flights", "1 window, 2026-01-05 to 2026-01-05")
    assert (report.answer.rows, report.answer.labelled) == (1500, 1500), "the newest window whose labels have come"
    assert report.answer.error.slices[0].conditions[0].feature == "carrier"
    assert "x0" not in report.answer.features
    (report,) = panel.load(project.query, Focus(monitor="flights", window=windows[1].start)).reports
    assert report.answer.labelled == 0 and report.answer.error is None, "the window looked at, labelled or not"
    assert report.answer.latency.slices[0].conditions[0].value == "d1"
    project.store.close()


def test_options_in_the_settings_say_what_is_sliced_and_how_much_is_shown(tmp_path, writers, wrong_on_c3_o2, opened):
    log_run(tmp_path, wrong_on_c3_o2, "folder", writers["csv"])
    project = opened(tmp_path)
    panel = SlicesPanel(Client(answer))
    panel.options = replace(panel.options, features=("carrier", "origin", "age"), ignore=("origin",), rows=2500)
    (report,) = panel.load(project.query, Focus()).reports
    assert report.answer.features == ["carrier", "age"] and report.answer.read == 2500
    panel.options = replace(panel.options, min_rows=2000)
    (report,) = panel.load(project.query, Focus()).reports
    assert report.answer.error.tested == 0
    project.store.close()


def test_the_kit_finds_nothing_wrong_with_it():
    assert problems(SlicesPanel()) == []


def test_a_project_without_predictions_says_how_to_get_some(tmp_path, opened, panel):
    log_run(tmp_path, {}, "nowhere")
    project = opened(tmp_path)
    block = panel.view(panel.load(project.query, Focus()), Fit())
    assert isinstance(block, Empty) and "role='predictions'" in block.hint
    project.store.close()


def test_answers_are_kept_until_a_file_changes(tmp_path, writers, wrong_on_c3_o2, opened):
    asked = []

    def ask(question):
        asked.append(question)
        return Answer(rows=1)

    log_run(tmp_path, wrong_on_c3_o2, "folder", writers["csv"])
    project = opened(tmp_path)
    panel = SlicesPanel(Client(ask))
    panel.load(project.query, Focus())
    panel.load(project.query, Focus())
    assert len(asked) == 1
    path = next(tmp_path.glob("runs/*/predictions.csv"))
    with path.open("a") as file:
        file.write("\n")
    panel.load(project.query, Focus())
    assert len(asked) == 2
    project.store.close()


def test_logs_name_files_but_no_url_is_opened(tmp_path, opened, panel):
    with workbench.init(name="far", dir=tmp_path / "runs") as run:
        run.data("s3://bucket/predictions.parquet", role="predictions")
    project = opened(tmp_path)
    assert panel.load(project.query, Focus()).reports == []
    project.store.close()


@pytest.mark.parametrize("columns", [30, 60, 80, 120, 160])
@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_it_fits_any_terminal_and_every_format(tmp_path, writers, wrong_on_c3_o2, opened, panel, columns, unicode):
    log_run(tmp_path, {**wrong_on_c3_o2, "[/]\x1b[31m": wrong_on_c3_o2["origin"]}, "folder", writers["csv"])
    project = opened(tmp_path)
    data = panel.load(project.query, Focus())
    fit = Fit(columns, unicode=unicode)
    block = panel.view(data, fit)
    check_block(block)
    assert max(map(len, render_text(block, fit).splitlines())) <= columns
    document = Document("report", sections=[Section("Slices", block, "slices", panel.to_json(data))])
    for format in ("text", "md", "html", "json"):
        page = render(document, format)
        assert "c3" in page and "\x1b" not in page
    told = json.loads(json.dumps(panel.to_json(data), allow_nan=False))
    assert told[0]["error"]["slices"][0]["conditions"][0]["value"] == "c3"
    assert str(tmp_path) not in json.dumps(told), "a report may be published"
    project.store.close()


def test_the_report_has_it_by_the_worker_s_own_process(tmp_path, writers, wrong_on_c3_o2):
    log_run(tmp_path, wrong_on_c3_o2, "folder", writers["csv"])
    command = [sys.executable, "-m", "workbench.cli.main", "report", "--format", "text"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "120"}
    )
    assert "carrier = c3 ∧ origin = o2" in done.stdout


def test_a_worker_that_dies_is_said_to_have(tmp_path, monkeypatch):
    from workbench_slices.client import asked_worker
    from workbench_slices.model import Question

    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert "exit code 1" in asked_worker(Question(())).problem


def test_it_is_found_by_its_entry_point_and_loads_nothing_heavy():
    points = [point for point in entry_points(group="workbench.panels") if point.name == "slices"]
    assert [point.value for point in points][:1] == ["workbench_slices.panel:SlicesPanel"]
    code = (
        "import sys, workbench_slices.panel as p; p.SlicesPanel();"
        "sys.exit(any(name in sys.modules for name in ('duckdb', 'scipy', 'sklearn', 'pandas', 'polars')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
