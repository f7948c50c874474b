"""Someone tunes with Optuna and looks at the studies; nothing of Optuna is installed beside the workbench."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from workbench_optuna.panel import OptunaPanel

from workbench.plugin.api import Fit, Focus
from workbench.plugin.checks import check_block
from workbench.plugin.testing import problems
from workbench.render.document import Document, Section
from workbench.render.formats import render
from workbench.render.text import render_text

STUDIES = Path(__file__).parent / "studies"


@pytest.fixture(scope="module")
def data(project):
    return OptunaPanel().load(project, Focus())


def study_called(data, name):
    return next(each for each in data.studies if each.study.name == name)


def test_a_study_has_its_trials_with_their_states_and_decoded_values(data):
    svm = study_called(data, "svm").study
    assert (svm.objectives, svm.directions) == (["error"], ["minimize"])
    assert [svm.count(state) for state in ("complete", "pruned", "failed", "running")] == [59, 19, 2, 0]
    assert [trial.number for trial in svm.trials] == list(range(80))
    assert {trial.params["kernel"] for trial in svm.trials} == {"rbf", "linear", "poly"}
    assert all(("gamma" in trial.params) == (trial.params["kernel"] == "rbf") for trial in svm.trials)
    failed = [trial for trial in svm.trials if trial.state == "failed"]
    assert [trial.number % 23 for trial in failed] == [11, 11]


def test_the_parameters_that_matter_stand_before_the_one_that_does_not(data):
    found = study_called(data, "svm").importances[0]
    order = [each.param for each in found.params]
    assert set(order[:2]) == {"lr", "kernel"}
    shares = {each.param: each.share or 0.0 for each in found.params}
    assert shares["seed"] < 0.05 < shares["depth"] < shares["lr"]
    assert found.explained is not None and found.explained > 0.5


def test_width_alone_makes_the_second_study_slow_and_dropout_hardly(data):
    pair = study_called(data, "pair")
    assert dict(zip(pair.study.objectives, pair.study.directions, strict=True)) == {
        "accuracy": "maximize", "latency_ms": "minimize",
    }  # fmt: skip
    latency = next(each for each in pair.importances if each.objective == "latency_ms")
    shares = {each.param: each.share for each in latency.params}
    assert shares["width"] > 0.9 and shares["dropout"] < 0.05
    assert next(each.rank for each in latency.params if each.param == "width") == pytest.approx(1.0)


def test_the_run_under_the_cursor_chooses_the_study(project):
    panel = OptunaPanel()
    trial = next(run for run in project.runs() if run.group == "svm")
    data = panel.load(project, Focus(run=trial.id))
    assert [each.study.name for each in data.studies] == ["svm"]
    assert [study.name for study in data.others] == ["pair"]


def test_importances_are_worked_out_once_while_no_trial_is_completed(project):
    asked = []

    def ask(tables):
        from workbench_optuna.importance import Shares

        asked.append(sorted(len(table.values) for table in tables))
        return [Shares([1.0] * len(table.columns), 0.9) for table in tables]

    panel = OptunaPanel(ask)
    panel.load(project, Focus())
    panel.load(project, Focus())
    assert asked == [[40, 40, 59]], "one process for all of them"


@pytest.mark.parametrize("columns", [30, 60, 80, 120, 160])
@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_it_fits_any_terminal(data, columns, unicode):
    fit = Fit(columns, unicode=unicode)
    block = OptunaPanel().view(data, fit)
    check_block(block)
    lines = render_text(block, fit).splitlines()
    assert max(map(len, lines)) <= columns
    assert any("best so far" in line for line in lines)


def test_every_format_of_the_report_has_it_and_json_is_strict(data):
    panel = OptunaPanel()
    block, shape = panel.view(data, Fit(120)), panel.to_json(data)
    document = Document("report", sections=[Section("Optuna", block, "optuna", shape)])
    for format in ("text", "md", "html", "json"):
        page = render(document, format)
        assert "svm" in page and "kernel" in page and "dropout" in page
    told = {study["study"]: study for study in json.loads(json.dumps(shape, allow_nan=False))}
    assert told["svm"]["counts"] == {"complete": 59, "pruned": 19, "failed": 2, "running": 0}
    assert told["svm"]["best"]["number"] == 70
    assert told["pair"]["pareto_front"]


def test_the_command_shows_it_without_a_line_of_configuration(tmp_path):
    shutil.copy(STUDIES / "pair.log", tmp_path)
    command = [sys.executable, "-m", "workbench.cli.main", "report", "--format", "text"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ})
    assert "maximize accuracy, minimize latency_ms" in done.stdout
    assert "Pareto front" in done.stdout


def test_the_kit_finds_nothing_wrong_with_it():
    assert problems(OptunaPanel()) == []


def test_it_is_found_by_its_entry_point_and_loads_neither_optuna_nor_scikit_learn():
    points = [point for point in entry_points(group="workbench.panels") if point.name == "optuna"]
    assert [point.value for point in points][:1] == ["workbench_optuna.panel:OptunaPanel"]
    code = (
        "import sys, workbench_optuna.panel as p; p.OptunaPanel();"
        "sys.exit(any(name in sys.modules for name in ('optuna', 'sklearn', 'scipy', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
