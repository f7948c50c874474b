"""The first line of a run: who, where, from which commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench import tracking


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_DIR", raising=False)
    monkeypatch.setattr(tracking, "_warned", set())


def lines(run: tracking.Run) -> list[dict]:
    return [json.loads(line) for line in Path(run.path).read_text().splitlines()]


def test_the_first_line_says_where_and_how_it_was_started(tmp_path):
    with tracking.init(project="p", name="n", tags=["a", "b"], total_steps=10, baseline=True, dir=tmp_path) as run:
        pass
    start = lines(run)[0]
    assert (start["v"], start["run"], start["project"], start["total_steps"]) == (1, run.id, "p", 10)
    assert start["tags"] == {"a": "", "b": ""} and start["baseline"] is True
    env = start["env"]
    assert env["pid"] == os.getpid() and env["host"] == os.uname().nodename and env["cwd"] == os.getcwd()
    assert env["python"] == ".".join(map(str, sys.version_info[:3]))
    assert env["packages"]["numpy"] == np.__version__


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells when a process started")
def test_the_first_line_lets_a_reader_tell_whether_the_process_still_lives(tmp_path):
    with tracking.init(dir=tmp_path) as run:
        pass
    env = lines(run)[0]["env"]
    assert env["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    after_the_name = Path(f"/proc/{env['pid']}/stat").read_text().rpartition(")")[2].split()
    assert env["start_ticks"] == int(after_the_name[22 - 3])


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_the_commit_and_whether_the_work_tree_is_dirty_are_recorded(tmp_path, monkeypatch, packed):
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "train.py").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    if packed:
        git(tmp_path, "pack-refs", "--all")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    with tracking.init(dir=tmp_path / "runs") as run:
        pass
    assert lines(run)[0]["env"]["git"] == {"commit": commit, "branch": "trunk", "dirty": False}
    (tmp_path / "train.py").write_text("two")
    with tracking.init(dir=tmp_path / "runs") as run:
        pass
    assert lines(run)[0]["env"]["git"]["dirty"] is True


def test_a_linked_work_tree_has_its_own_commit(tmp_path, monkeypatch):
    main, linked = tmp_path / "main", tmp_path / "linked"
    main.mkdir()
    git(main, "init", "-q", "-b", "trunk")
    git(main, "commit", "-q", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "-q", "-b", "side", str(linked))
    git(linked, "commit", "-q", "--allow-empty", "-m", "second")
    monkeypatch.chdir(linked)
    with tracking.init(dir=tmp_path / "runs") as run:
        pass
    found = lines(run)[0]["env"]["git"]
    assert (found["commit"], found["branch"]) == (git(linked, "rev-parse", "HEAD").strip(), "side")


def test_a_reference_that_points_outside_the_repository_is_not_shown(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("not a commit")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: ../secret")
    monkeypatch.chdir(tmp_path)
    with tracking.init(dir=tmp_path / "runs") as run:
        pass
    assert lines(run)[0]["env"]["git"]["commit"] is None
