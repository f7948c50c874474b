"""Whatever a log says, the application stays up, nothing of it reaches the terminal raw, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hostile import FORBIDDEN, write_hostile
from tests.support.ingest import Project
from tests.support.terminal import Terminal

WORKBENCH = [sys.executable, "-m", "workbench.cli.main"]


@pytest.fixture
def hostile(project: Project) -> Iterator[tuple[Project, list[tuple[str, int]]]]:
    refused = write_hostile(project.root)
    done = subprocess.run([*WORKBENCH, "watch", "--once", str(project.root)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return project, refused


def test_every_refused_line_is_kept_with_its_offset(hostile: tuple[Project, list[tuple[str, int]]]) -> None:
    project, refused = hostile
    assert [(path, offset) for path, offset, _ in project.rejects()] == refused
    source = project.source("evil/metrics.jsonl")
    lines = (project.root / "evil/metrics.jsonl").read_bytes().count(b"\n")
    assert source.accepted + source.rejected == lines
    losses = {step: value for _, step, value in project.points("loss") if step >= 20 or step == 0}
    assert losses[24] == 0.25
    assert losses[20] != losses[20]


def check_clean(output: bytes) -> None:
    assert b"\x00" not in output
    for sequence in FORBIDDEN:
        at = output.find(sequence)
        assert at < 0, output[max(0, at - 60) : at + 60]


LISTINGS = [
    ["runs"], ["runs", "--format", "csv"], ["runs", "--format", "json"], ["runs", "--format", "md"], ["sources"],
    ["show", "evil"], ["show", "evil", "--format", "json"], ["compare"], ["report"], ["report", "--format", "md"],
    ["report", "--format", "html"], ["report", "--format", "json"],
    ["report", "--format", "junit", "--gate", "last(loss) < 1"],
    ["sql", "select * from run"], ["sql", "select * from reject"], ["export", "points"], ["doctor"],
    ["detect", "evil/metrics.jsonl"], ["runs", "--where", "\x1b]52;c;x"], ["show", "\x1b]52;c;x"],
]  # fmt: skip


def test_no_listing_writes_control_sequences_to_a_terminal(hostile: tuple[Project, list[tuple[str, int]]]) -> None:
    project, _ = hostile
    for command in LISTINGS:
        with Terminal([*WORKBENCH, *command], project.root) as terminal:
            code = terminal.leave()
        assert b"Traceback" not in terminal.output, (command, terminal.output[-3000:])
        assert code in (0, 1, 2), (command, code)
        check_clean(terminal.output)


def walk_through(root: Path, columns: int, rows: int) -> bytes:
    """Open every screen, a run, the help and the filter, and leave."""
    with Terminal([*WORKBENCH, str(root)], root, columns, rows) as terminal:
        terminal.wait_for(lambda output: b"evil" in output)
        for keys in ("j", " ", "j", " ", "\r", "\x1b", "2", "3", "4", "5", "1", "?", "\x1b", "/", "[/]", "\r", "\x1b"):
            terminal.keys(keys)
            terminal.read(0.3)
            assert terminal.process.poll() is None, terminal.output[-3000:]
        terminal.keys("q")
        assert terminal.leave() == 0
        return terminal.output


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 45)])
def test_no_screen_writes_control_sequences_to_a_terminal(
    hostile: tuple[Project, list[tuple[str, int]]], columns: int, rows: int
) -> None:
    project, _ = hostile
    output = walk_through(project.root, columns, rows)
    assert b"Traceback" not in output
    check_clean(output)


def test_an_interface_whose_terminal_is_gone_ends_by_itself(hostile: tuple[Project, list[tuple[str, int]]]) -> None:
    project, _ = hostile
    with Terminal([*WORKBENCH, str(project.root)], project.root) as terminal:
        terminal.wait_for(lambda output: b"evil" in output)
        terminal.hang_up()
        assert terminal.process.wait(timeout=30) != 0
