"""Whatever goes wrong with the log, training goes on, and the user is told once."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from workbench import tracking


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_DIR", raising=False)
    monkeypatch.setattr(tracking, "_warned", set())


def lines(run: tracking.Run) -> list[dict]:
    return [json.loads(line) for line in Path(run.path).read_text().splitlines()]


def test_a_folder_that_cannot_be_made_is_named_once_and_training_goes_on(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with tracking.init(dir=tmp_path / "file" / "runs") as run:
        for step in range(3):
            run.log({"a": 1.0}, step=step)
        run.note("x")
        with run.stage("training"):
            run.artifact(tmp_path / "missing")
    assert run.dir == ""
    told = capsys.readouterr().err.splitlines()
    assert len([line for line in told if "NotADirectoryError" in line]) == 1


def test_nonsense_is_named_and_training_goes_on(tmp_path, capsys):
    class Hostile:
        def __float__(self) -> float:
            raise ZeroDivisionError("no")

    with tracking.init(dir=tmp_path, params=5, tags=7, name=3, total_steps="many") as run:
        run.log({"a": 1.0})
    assert [line["t"] for line in lines(run)] == ["start", "log", "end"]
    with tracking.init(dir=tmp_path) as run:
        run.log(5)
        run.log({"a": Hostile()})
        run.log({"a": 1.0}, step="seven")
        run.heartbeat("soon")
        run.config.update(7)
        run.data(tmp_path / "missing.csv")
        run.finish("brilliant")
        run.log({"late": 1.0})
    assert [line["t"] for line in lines(run)] == ["start", "data", "end"]
    told = capsys.readouterr().err
    assert "log() failed: ZeroDivisionError: no" in told
    assert "missing.csv" in told and "brilliant" in told


def test_a_closed_stderr_is_no_reason_to_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    tracking.log({"a": 1.0})
    with tracking.init(dir=tmp_path) as run:
        run.log(5)


def test_a_short_write_is_completed(tmp_path, monkeypatch):
    real = os.write
    with tracking.init(dir=tmp_path) as run:
        monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
        run.log({"a": 1.0}, step=1)
        monkeypatch.setattr(os, "write", real)
        run.log({"a": 2.0}, step=2)
    assert [line["step"] for line in lines(run) if line["t"] == "log"] == [1, 2]
