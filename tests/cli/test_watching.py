"""`watch` as a script or a service manager runs it: once, on several folders, until it is told to end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import LONG_AGO
from tests.support.command_line import PROGRAM, program, workbench
from tests.support.ingest import Project, line


def points(root: Path) -> int:
    counted = workbench("sql", "select count(*) as n from point", "--root", root, "--format", "json").json
    return int(counted[0]["n"])


def test_watching_once_reads_everything_and_a_second_time_nothing(logs: Path) -> None:
    first = program("watch", "--once", cwd=logs)
    assert (first.code, first.out) == (0, "")
    assert "67 points, 30 lines read, 1 refused" in first.err
    stored = (logs / ".workbench" / "workbench.duckdb").stat().st_size
    exported = workbench("export", "points").out
    again = program("watch", "--once", cwd=logs)
    assert again.code == 0 and "0 points, 0 lines read, 0 refused" in again.err
    assert workbench("export", "points").out == exported
    assert (logs / ".workbench" / "workbench.duckdb").stat().st_size == stored


def test_watching_several_folders_once_keeps_them_apart(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two"), 1):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.jsonl").write_text("".join(line(step, loss=1.0) for step in range(number)))
    answer = workbench("watch", "--once", tmp_path / "one", tmp_path / "two", tmp_path / "one" / ".." / "one")
    assert answer.err.count("lines read") == 2, "a folder named twice is one"
    assert (points(tmp_path / "one"), points(tmp_path / "two")) == (1, 2)
    assert not (tmp_path / ".workbench").exists()


@contextmanager
def watching(*roots: Path) -> Iterator[Callable[[str], None]]:
    """A `watch` that follows; gives a function that waits until it has said something."""
    process = subprocess.Popen(
        [*PROGRAM, "watch", *map(str, roots)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stderr is not None
    said = b""

    def heard(text: str) -> None:
        nonlocal said
        until = time.monotonic() + 30
        while text.encode() not in said:
            ready, _, _ = select.select([process.stderr], [], [], until - time.monotonic())
            assert ready and process.stderr is not None, said
            piece = os.read(process.stderr.fileno(), 65_536)
            assert piece, said
            said += piece

    heard.process = process  # type: ignore[attr-defined]
    try:
        yield heard
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_following_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        root.mkdir()
        (root / "log.jsonl").write_text(line(0, loss=1.0) + line(1, loss=0.5))
    with watching(*roots) as heard:
        for root in roots:
            heard(f"{root}: watching; ctrl+c ends it")
        process = heard.process  # type: ignore[attr-defined]
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, b"")
        assert b"Traceback" not in err
    assert [points(root) for root in roots] == [2, 2]


def test_what_is_said_while_another_process_watches_is_known_to_the_next_command(project: Project) -> None:
    project.write("dense/log.jsonl", line(0, loss=1.0), at=LONG_AGO)
    with watching(project.root) as heard:
        heard("watching")
        until = time.monotonic() + 30
        while not points(project.root) and time.monotonic() < until:
            pass
        workbench("tag", "dense", "good", "--root", project.root)
        assert workbench("show", "dense", "--root", project.root, "--format", "json").json["tags"] == ["good"]
