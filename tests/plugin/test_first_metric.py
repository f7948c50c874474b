"""From an empty folder to a metric of one's own, on the screen and in a report, with a change of a few lines."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "plugins" / "first-metric.sh"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, after the script."""
    folder, tools = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("bin")
    for name, words in {"workbench": [*PROGRAM], "python": [sys.executable]}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
        (tools / name).chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": path_with(folder),
        "PIP_OPTIONS": "--no-deps --no-build-isolation --no-index --disable-pip-version-check --target site",
    }  # fmt: skip
    ran = subprocess.run(
        ["sh", str(SCRIPT)], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def path_with(folder: Path) -> str:
    return os.pathsep.join([str(folder / "site"), str(ROOT)])


def test_the_change_is_at_most_ten_lines(folder: Path) -> None:
    changed = 0
    for before in (folder / "workbench-lab").rglob("*.before"):
        lines = [path.read_text().splitlines() for path in (before, before.with_suffix(""))]
        changed += sum(line.startswith("+ ") for line in difflib.ndiff(*lines))
    assert 0 < changed <= 10


def test_the_metric_is_in_the_report_as_figure_and_as_curve(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert "lab/ratio" in page
    assert "<h2" in page and "Lab</h2>" in page.replace("\n", "")
    assert page.partition('id="lab"')[2].partition("<section")[0].count("<svg") == 1


def test_the_metric_is_a_column_and_the_panel_a_tab_of_the_interface(folder: Path) -> None:
    terminal = Terminal([*PROGRAM, str(folder)], folder, 160, 45, PYTHONPATH=path_with(folder))
    with terminal:
        terminal.wait_for(lambda output: b"tree" in output and b"Lab" in output and b"lab/ratio" in output)
        terminal.keys("q")
        assert terminal.leave() == 0
