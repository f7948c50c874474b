"""What each way in may load: the start of a command is paid by everybody, at every call."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM
from tests.support.ingest import Project, line
from tests.support.terminal import Terminal

RECORDER = """
import os, sys, threading

def record(event, details, out=os.open(os.environ["IMPORTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), main=threading.main_thread()):
    if event == "import":
        os.write(out, f"{os.getpid()} {int(threading.current_thread() is main)} {details[0]}\\n".encode())

sys.addaudithook(record)
"""  # noqa: E501
"""A `sitecustomize` that notes every module that is imported, by which process, and whether on its main thread."""

NEVER_HERE = {"pandas", "pyarrow", "sklearn", "evidently", "scipy", "polars", "jinja2", "torch", "tensorflow"}
"""What takes seconds or hundreds of megabytes: it belongs to the ingester or to a worker process."""


@dataclass(frozen=True)
class Recorder:
    """Notes what programs import that are started with its `environment`."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder), "IMPORTS": str(self.folder / "imports")}

    def imported(self, pid: int | None = None, *, main_thread: bool = False) -> set[str]:
        """Top-level packages that a process asked for; of all processes by default."""
        rows = (row.split() for row in (self.folder / "imports").read_text().splitlines())
        return {
            module.partition(".")[0]
            for process, on_main, module in rows
            if (pid is None or int(process) == pid) and (on_main == "1" or not main_thread)
        }


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    folder = tmp_path / "recorder"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(RECORDER)
    return Recorder(folder)


@pytest.fixture
def logged(project: Project) -> Project:
    for step in range(5):
        project.write("dense/log.jsonl", line(step, **{"val/loss": 1.0 / (step + 1), "latency_ms": 2.0}))
    project.read()
    return project


def imported_by(recorder: Recorder, folder: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [*PROGRAM, *words], cwd=folder, env={**os.environ, **recorder.environment}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return recorder.imported()


def test_importing_workbench_costs_one_module() -> None:
    code = "import sys; before = set(sys.modules); import workbench; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"__future__", "workbench"}


def test_logging_needs_only_the_standard_library(tmp_path: Path) -> None:
    code = (
        "import sys, workbench\n"
        "with workbench.init(project='p', params={'lr': 0.1}) as run:\n"
        "    run.log({'loss': 1.0}, step=0)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split()) - sys.stdlib_module_names
    assert {name for name in loaded if not name.startswith(("_", "sitecustomize"))} <= {"workbench"}


@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("runs", "--help"), ("report", "--help"), ("watch", "--help")]
)
def test_help_is_answered_without_store_numbers_or_screens(
    recorder: Recorder, tmp_path: Path, words: tuple[str, ...]
) -> None:
    found = imported_by(recorder, tmp_path, *words)
    assert "click" in found
    assert not found & (NEVER_HERE | {"duckdb", "textual", "rich", "numpy", "plotext", "msgspec", "watchdog"})


@pytest.mark.parametrize("words", [("runs",), ("runs", "--format", "json"), ("report",), ("export", "points")])
def test_a_listing_and_a_report_load_no_screen_and_no_heavy_library(
    logged: Project, recorder: Recorder, words: tuple[str, ...]
) -> None:
    found = imported_by(recorder, logged.root, *words)
    assert {"duckdb", "numpy"} <= found
    assert not found & (NEVER_HERE | {"textual", "rich", "watchdog"})
    assert ("plotext" in found) == (words == ("report",)), "only charts need it"


def test_an_html_report_is_the_one_that_needs_templates(logged: Project, recorder: Recorder) -> None:
    found = imported_by(recorder, logged.root, "report", "--out", "report.html")
    assert "jinja2" in found
    assert not found & (NEVER_HERE - {"jinja2"} | {"textual", "rich"})


def visit(project: Project, recorder: Recorder) -> int:
    """Open the interface, see every screen, let its ingester start, and leave; returns its process id."""
    terminal = Terminal([*PROGRAM, str(project.root)], project.root, 120, 40, **recorder.environment)
    terminal.wait_for(lambda output: b"dense" in output)
    for keys in ("2", "3", "4", "5", "1", "\r", "\x1b"):
        terminal.keys(keys)
        terminal.read(0.2)
    until = time.monotonic() + 30
    while "watchdog" not in recorder.imported() and time.monotonic() < until:
        terminal.read(0.1)
    terminal.keys("q")
    assert terminal.leave() == 0
    return terminal.process.pid


def test_the_interface_leaves_heavy_work_to_others(logged: Project, recorder: Recorder) -> None:
    first = visit(logged, recorder)
    found = recorder.imported(first)
    assert {"textual", "duckdb"} <= found
    assert not found & NEVER_HERE
    assert "duckdb" not in recorder.imported(first, main_thread=True), "no query on the thread that paints"
    assert "watchdog" in recorder.imported() - found, "the ingester has a process of its own"
    second = visit(logged, recorder)
    assert not recorder.imported(second, main_thread=True) & {"duckdb", "numpy"}, (
        "opened before: painted from the session"
    )
