"""The ingester's life: one a project, following what changes, taking over when the other dies."""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import PurePath
from types import SimpleNamespace

import pytest

from tests.fixtures.make_tensorboard import event_file, value_event
from tests.support.event_files import scalar
from tests.support.ingest import Project, line
from workbench.core.config import load_config
from workbench.ingest import progress as progress_module
from workbench.ingest.annotate import Annotator
from workbench.ingest.catching_up import CatchingUp
from workbench.ingest.election import Election
from workbench.ingest.hints import Hints
from workbench.ingest.progress import SpokenProgress
from workbench.ingest.readers import all_readers
from workbench.ingest.watch import Rhythm, Watch

WATCH = [sys.executable, "-m", "workbench.cli.main", "watch"]


class Following:
    """A watch on a thread; `until` waits for what it is to have read."""

    def __init__(self, project: Project, *, hints: bool) -> None:
        self.project = project
        self.passed = threading.Condition()
        self.engine = project.engine()
        rhythm = Rhythm(hot=0.01, full=0.05, slowest_full=0.1, share=1.0)
        self.watch = Watch(self.engine, hints=Hints(project.root) if hints else None, rhythm=rhythm, after=self._after)
        self.thread = threading.Thread(target=self.watch.run)
        self.thread.start()

    def _after(self) -> None:
        with self.passed:
            self.passed.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self.passed:
            assert self.passed.wait_for(true, timeout=30)

    def stop(self) -> None:
        self.watch.stop()
        self.thread.join()
        self.engine.close()


@pytest.mark.parametrize("hints", [True, False])
def test_new_files_and_new_lines_are_followed(project: Project, hints: bool) -> None:
    following = Following(project, hints=hints)
    try:
        project.write("a.jsonl", line(0, loss=1.0))
        following.until(lambda: len(project.points()) == 1)
        project.write("a.jsonl", line(1, loss=0.5))
        project.write("deep/er/b.csv", "step,loss\n0,3\n")
        following.until(lambda: len(project.points()) == 3)
        (project.root / "a.jsonl").rename(project.root / "a.jsonl.1")
        project.write("a.jsonl", line(2, loss=0.25))
        project.write("a.jsonl.1", line(3, loss=0.125))
        following.until(lambda: len(project.points()) == 5)
    finally:
        following.stop()
    assert project.stored() == 5


def test_what_a_person_says_comes_back_through_the_logs(project: Project) -> None:
    project.write("a.jsonl", line(0, loss=1.0))
    project.read()
    [run] = project.query.runs()
    says = Annotator(project.root, clock=lambda: project.now)
    says.tag(run.id, "good")
    says.tag(run.id, "team=vision")
    says.note(run.id, "try a larger batch")
    says.baseline(run.id)
    says.hide(run.id)
    project.read()
    assert project.query.runs() == []
    [run] = project.query.runs(hidden=True)
    assert (run.tags, run.notes, run.baseline) == ({"good": "", "team": "vision"}, ["try a larger batch"], True)
    project.now += 1
    says.tag(run.id, "good", on=False)
    says.baseline(run.id, on=False)
    says.hide(run.id, on=False)
    project.read()
    [run] = project.query.runs()
    assert (run.tags, run.baseline) == ({"team": "vision"}, False)


def test_only_one_process_is_the_ingester(project: Project) -> None:
    first, second = Election(project.store.place), Election(project.store.place)
    assert first.win()
    assert not second.win()
    assert second.holder() is not None
    first.resign()
    assert second.win()
    second.resign()


def test_once_waits_for_the_ingester_that_runs_already(project: Project) -> None:
    running = subprocess.Popen([*WATCH, str(project.root)], stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        assert "watching" in running.stderr.readline()
        project.write("a.jsonl", "".join(line(i, loss=1.0) for i in range(1000)) + '{"step": 1000, "lo')
        done = subprocess.run([*WATCH, "--once", str(project.root)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(project.points()) == 1000
    finally:
        running.terminate()
        running.communicate()


def test_an_unfinished_last_line_is_not_waited_for(project: Project) -> None:
    project.write("a.jsonl", line(0, loss=1.0))
    waiting = CatchingUp(project.root, load_config(project.root), project.store, all_readers())
    assert [str(path) for path in waiting.left()] == ["a.jsonl"]
    project.read()
    assert waiting.left() == []


def test_a_deadline_leaves_the_rest_for_later(project: Project) -> None:
    project.write("a.jsonl", "".join(line(i, loss=1.0) for i in range(100)))
    engine = project.engine()
    outcome = engine.read_all(engine.scan(), deadline=0.0)
    engine.close()
    assert outcome.unread == (project.root / "a.jsonl").stat().st_size
    assert project.read().accepted == 100


def test_an_event_file_torn_in_a_record_is_not_waited_for(project: Project) -> None:
    whole = event_file(value_event(step, scalar("loss", 1.0 / (step + 1))) for step in range(3))
    project.write("events.out.tfevents.1.host", whole[:-7])
    waiting = CatchingUp(project.root, load_config(project.root), project.store, all_readers())
    assert len(waiting.left()) == 1
    project.read()
    assert waiting.left() == []


def test_a_file_that_goes_while_it_is_waited_for_is_let_go(project: Project) -> None:
    project.write("a.jsonl", line(0, loss=1.0))
    waiting = CatchingUp(project.root, load_config(project.root), project.store, all_readers())
    (project.root / "a.jsonl").unlink()
    assert waiting.left() == []


def test_a_deadline_holds_while_new_files_are_looked_into(project: Project) -> None:
    for number in range(20):
        project.write(f"run{number:02d}/log.jsonl", line(0, loss=1.0))
    engine = project.engine()
    assert engine.catch_up(deadline=0.0).unread == 20 * len(line(0, loss=1.0))
    assert engine.catch_up().accepted == 20
    engine.close()


def test_a_live_file_does_not_wait_for_the_backlog(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.ingest.limits.CHUNK", 1 << 10)
    project.write("live.jsonl", line(0, loss=1.0))
    engine = project.engine()
    engine.catch_up()
    project.write("old/big.jsonl", "".join(line(i, loss=1.0) for i in range(2000)), at=project.now - 7200)
    engine.walk()
    engine.work_off(0.0)
    assert engine.behind
    project.write("live.jsonl", line(1, loss=0.5))
    outcome = engine.live()
    assert outcome is not None
    assert outcome.accepted == 1
    assert [step for key, step, _ in project.points() if key == "loss"].count(1) >= 1
    while engine.behind:
        engine.work_off(0.1)
    engine.close()
    assert len(project.points()) == 2002


def test_a_hint_brings_a_source_that_nobody_looked_at_for_long(project: Project) -> None:
    project.write("cold.jsonl", line(0, loss=1.0), at=project.now - 7200)
    engine = project.engine()
    engine.catch_up()
    engine.registry._cold.clear()  # its turn among the cold ones has just passed
    project.write("cold.jsonl", line(1, loss=0.5), at=project.now - 7000)
    outcome = engine.live([PurePath("cold.jsonl")])
    engine.close()
    assert outcome is not None
    assert len(project.points()) == 2


def test_who_reads_is_asked_without_getting_in_the_way(project: Project) -> None:
    first, second = Election(project.store.place), Election(project.store.place)
    assert first.holder() is None
    assert second.win()
    assert first.holder() == os.getpid()
    second.resign()
    assert first.holder() is None
    assert first.win()
    first.resign()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_read_is_said_before_what_comes_after_reading(project: Project) -> None:
    project.write("a.jsonl", line(0, loss=1.0))
    heard: list[object] = []
    engine = project.engine()
    Watch(engine, after=lambda: heard.append("after")).once(
        said=lambda outcome: heard.append((outcome.points, project.points()))
    )
    engine.close()
    assert heard == [(1, [("loss", 0, 1.0)]), "after"]


def test_following_live_files_draws_no_progress_over_which_others_would_speak(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, seconds = _Terminal(), itertools.count()
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    project.write("a.jsonl", line(0, loss=1.0))
    engine = project.engine()
    engine.progress = SpokenProgress(stream)
    engine.catch_up()
    drawn = stream.getvalue()
    assert "1/1 files" in drawn and drawn.endswith("\r\x1b[2K")
    project.write("a.jsonl", line(1, loss=0.5), at=project.now + 1)
    project.now += 1
    outcome = engine.live()
    engine.close()
    assert outcome is not None and outcome.points == 1
    assert stream.getvalue() == drawn
