"""The car loans: the break is dated to its row, what moved is named, and the labels' drop falls on the same window."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ingest import Project
from workbench.core.config import load_config
from workbench.core.model import Finding
from workbench.ingest.findings import FindingWatch
from workbench.ingest.monitors import MonitorWatch

SAMPLE = Path(__file__).parents[2] / "sample_projects" / "car_loan"
BREAK = 1_554_001_200.0
"""2019-03-31 03:00:00 UTC: when the 25,001st loan came, the first of its window."""
MONTH = 30.3 * 86_400


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("loans")
    subprocess.run([sys.executable, str(SAMPLE / "export.py"), "--out", str(root)], check=True, capture_output=True)
    made = Project(root)
    config = load_config(root)
    MonitorWatch(root, config, made.store, clock=lambda: made.now).update()
    FindingWatch(config, made.store, clock=lambda: made.now).update()
    return made


def finding(project: Project, kind: str) -> Finding:
    (found,) = [each for each in project.query.findings("car_loan") if each.kind == kind]
    return found


def test_the_drift_is_dated_to_the_row_and_the_dearer_cars_come_first(project: Project) -> None:
    drift = finding(project, "drift")
    assert drift.since is not None and abs(drift.since - BREAK) < 1
    assert (drift.subject, drift.severity, drift.until) == ("car_value", "bad", None)
    assert drift.evidence["moved"][0]["column"] == "car_value"
    assert "size_of_downpayment" not in drift.sentence


def test_the_drop_from_the_joined_labels_is_dated_within_one_window(project: Project) -> None:
    drop = finding(project, "performance")
    assert drop.since is not None and abs(drop.since - BREAK) <= MONTH + 1
    assert (drop.subject, drop.severity) == ("auc", "bad")
    assert drop.evidence["before"] == pytest.approx(0.971, abs=0.002)
    assert drop.evidence["after"] == pytest.approx(0.960, abs=0.002)
    assert drop.evidence["moved"][0]["column"] == "car_value"
    assert "since 2019-03-31" in drop.sentence and "car_value" in drop.sentence


def test_the_estimate_without_labels_is_close_before_the_break(project: Project) -> None:
    before = [window for window in project.query.windows("car_loan") if window.start < BREAK]
    gaps = [abs((window.metrics["estimated.auc"] or 0) - (window.metrics["auc"] or 0)) for window in before]
    assert len(gaps) == 5 and max(gaps) <= 0.02


def test_the_gates_fail_with_what_and_since_when_in_every_format(project: Project) -> None:
    command = [sys.executable, "-m", "workbench.cli.main", "report", str(project.root), "--replay", "8"]
    files = [project.root / f"report.{suffix}" for suffix in ("md", "xml", "json", "html", "txt")]
    ran = subprocess.run(
        [*command, *(part for file in files for part in ("--out", str(file)))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    for file in files:
        text = file.read_text()
        assert "2019-03-31" in text and "car_value" in text
    shape = json.loads(files[2].read_text())
    replay = next(section["data"] for section in shape["sections"] if section["anchor"] == "replay")
    assert [[window["passed"] for window in gate["windows"]] for gate in replay] == [[True] * 3 + [False] * 5] * 2
    assert "would have failed 5 of the last 8 windows" in files[0].read_text()
