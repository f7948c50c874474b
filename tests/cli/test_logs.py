"""`workbench logs`: a run's log from its end, by level, by text, by step, and as it is written."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM, record, workbench
from tests.support.ingest import Project, line

LINES = [f"step {step} loss: {1 / (step + 1):.4f}" for step in range(300)]


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One run with a text log beside its metrics, one whose own log carries its output, one without any."""
    log = [*LINES[:250], "WARNING: slow loader", "\x1b[31mERROR: worker died\x1b[0m", *LINES[250:]]
    project.write("runs/a/train.log", "".join(f"{each}\n" for each in log))
    project.write("runs/a/metrics.jsonl", "".join(line(step, acc=step / 10) for step in range(9)))
    project.write("runs/b/b.wb.jsonl", record("start", run="b1", name="carries", ts=1.7e9))
    project.write("runs/b/b.wb.jsonl", record("log", step=0, ts=1.7e9, m={"loss": 1.0}))
    project.write("runs/c/metrics.jsonl", "".join(line(step, acc=step / 10) for step in range(9)))
    project.read(final=True)
    monkeypatch.chdir(project.root)
    return project


def test_the_end_of_a_log_is_printed_and_its_name_told_beside(here: Project) -> None:
    answer = workbench("logs", "runs/a", "--tail", "3")
    assert answer.out.splitlines() == LINES[-3:]
    assert answer.err == "runs/a/train.log\n"
    assert len(workbench("logs", "runs/a", "--tail", "0").out.splitlines()) == 302


def test_lines_are_chosen_by_level_and_by_text(here: Project) -> None:
    assert workbench("logs", "runs/a", "--level", "error").out == "ERROR: worker died\n", "and its colour is gone"
    assert len(workbench("logs", "runs/a", "--level", "warning").out.splitlines()) == 2
    assert workbench("logs", "runs/a", "--grep", "step 29 ", "--tail", "0").out.splitlines() == [LINES[29]]


def test_a_step_leads_to_the_lines_around_it(here: Project) -> None:
    answer = workbench("logs", "runs/a", "--step", "100", "--tail", "8")
    assert LINES[100] in answer.out.splitlines()
    assert len(answer.out.splitlines()) == 4
    assert "step 100 stands at byte" in answer.err


def test_a_run_without_a_log_is_told_how_to_get_one(here: Project) -> None:
    answer = workbench("logs", "runs/c", code=2)
    assert answer.out == ""
    assert "next: write one into runs/c, such as python train.py > runs/c/train.log 2>&1" in answer.err


def test_a_log_that_is_not_there_is_answered_with_those_that_are(here: Project) -> None:
    assert (
        "runs/a has no log 'other'; it has runs/a/train.log"
        in workbench("logs", "runs/a", "--file", "other", code=2).err
    )


def test_what_is_written_is_followed_line_by_line_until_ctrl_c(here: Project, tmp_path: Path) -> None:
    out = tmp_path / "followed"
    with out.open("wb") as sink:
        process = subprocess.Popen(
            [*PROGRAM, "logs", "runs/a", "--follow", "--tail", "1", "--grep", "fresh"], cwd=here.root, stdout=sink,
            stderr=subprocess.PIPE, env=os.environ,
        )  # fmt: skip
        assert process.stderr is not None
        try:
            for told in process.stderr:
                if b"following" in told:
                    break
            with (here.root / "runs/a/train.log").open("a") as log:
                log.write("fresh one\nstale two\nfresh th")
                log.flush()
                _until(out, b"fresh one\n")
                log.write("ree\n")
            _until(out, b"fresh one\nfresh three\n")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            process.stderr.close()


def _until(path: Path, content: bytes) -> None:
    patience = time.monotonic() + 30
    while path.read_bytes() != content:
        assert time.monotonic() < patience, path.read_bytes()
        time.sleep(0.02)
