"""Whatever happens to a log between two looks, each of its lines is stored once."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.support.ingest import Project, line
from workbench.store.errors import StoreBusyError

pytestmark = pytest.mark.duckdb15


def steps(project: Project, key: str = "loss") -> list[int]:
    return [step for _, step, _ in project.points(key)]


def test_reading_twice_stores_once(project: Project) -> None:
    project.write("run.jsonl", "".join(line(i, loss=i / 2) for i in range(50)))
    assert project.read().accepted == 50
    assert project.read().accepted == 0
    assert project.points() == [("loss", i, i / 2) for i in range(50)]


def test_lines_appended_between_looks_are_added(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0))
    project.read()
    project.write("run.jsonl", line(1, loss=0.5) + line(2, loss=0.25))
    project.read()
    assert project.points() == [("loss", 0, 1.0), ("loss", 1, 0.5), ("loss", 2, 0.25)]
    source = project.source("run.jsonl")
    assert (source.generation, source.accepted, source.rejected) == (0, 3, 0)


def test_a_half_written_line_waits_for_its_end(project: Project) -> None:
    whole = line(1, loss=0.123456789)
    project.write("run.jsonl", line(0, loss=1.0) + whole[:-7])
    project.read(final=True)
    assert steps(project) == [0]
    assert "unfinished last line" in project.source("run.jsonl").message
    project.write("run.jsonl", whole[-7:])
    project.read(final=True)
    assert project.points() == [("loss", 0, 1.0), ("loss", 1, 0.123456789)]
    assert project.rejects() == []


def test_a_whole_last_line_without_its_end_is_read_at_the_end_and_its_newline_is_no_line(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0) + line(1, loss=0.5).rstrip())
    project.read(final=True)
    assert steps(project) == [0, 1]
    project.write("run.jsonl", "\n" + line(2, loss=0.25))
    project.read()
    assert steps(project) == [0, 1, 2]
    assert project.source("run.jsonl").accepted == 3


def test_a_torn_last_line_is_refused_only_when_nobody_writes_there_any_more(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0) + '{"step": 1, "lo')
    engine = project.engine()
    engine.read_all(engine.scan())
    project.now += 60
    engine.read_all(engine.scan())
    engine.close()
    assert (steps(project), project.rejects()) == ([0], [])
    project.now += 7200
    project.read()
    [(path, offset, reason)] = project.rejects()
    assert (path, offset) == ("run.jsonl", len(line(0, loss=1.0)))
    assert "ends within this line" in reason


def test_an_abandoned_line_that_goes_on_after_all_is_read_again_whole(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0) + '{"step": 1, "lo', at=project.now - 7200)
    project.read()
    project.write("run.jsonl", 'ss": 0.5}\n')
    project.read()
    project.read()
    assert project.points() == [("loss", 0, 1.0), ("loss", 1, 0.5)]
    assert (project.source("run.jsonl").accepted, project.source("run.jsonl").rejected) == (2, 0)


def test_a_buffered_writer_is_read_once_whatever_its_pauses(project: Project) -> None:
    """Standard output through a pipe flushes 8 KiB at a time, in the middle of a line."""
    text = "step,loss\n" + "".join(f"{i},{i / 7!r}\n" for i in range(2000))
    for start in range(0, len(text), 8192):
        project.write("metrics.csv", text[start : start + 8192])
        project.read()
        project.now += 30
        project.read()
    assert project.points() == [("loss", i, i / 7) for i in range(2000)]
    assert project.stored() == 2000


def test_a_log_that_was_away_for_a_look_goes_on_where_it_was(project: Project) -> None:
    log = project.write("log.jsonl", "".join(line(i, loss=1.0) for i in range(50)))
    project.read()
    away = log.rename(project.root / "elsewhere.bin")
    project.read()
    (project.root / "elsewhere.bin").rename(log)
    project.read()
    assert away.name == "elsewhere.bin"
    assert project.stored() == 50
    log.unlink()
    project.read()
    project.write("log.jsonl", "".join(line(i, loss=2.0) for i in range(10)))
    project.read()
    assert project.points() == [("loss", i, 2.0) for i in range(10)]


def test_a_run_written_over_another_by_renaming_replaces_it(project: Project) -> None:
    project.write("metrics.jsonl", "".join(line(i, loss=1.0) for i in range(5)))
    project.read()
    fresh = project.write("metrics_new.jsonl", "".join(line(i, loss=2.0) for i in range(8)))
    project.read()
    fresh.replace(project.root / "metrics.jsonl")
    project.read()
    project.write("metrics.jsonl", line(8, loss=2.0))
    project.read()
    assert project.source("metrics.jsonl").accepted == 9
    assert project.source("metrics_new.jsonl").status == "vanished"


def test_steps_of_sixty_three_bits_are_exact(project: Project) -> None:
    highest = 2**63 - 1
    project.write("big.jsonl", line(-(2**63), loss=0.0) + line(highest, loss=1.0))
    project.write("good.jsonl", line(0, loss=1.0))
    project.read()
    [run] = [run for run in project.query.runs() if run.name == "big.jsonl"]
    assert run.metrics["loss"].last_step == highest
    assert project.query.series(run.id, "loss").step.tolist() == [-(2**63), highest]
    assert len(project.query.sparks([run.id], "loss")[run.id]) == 2
    project.write("big.jsonl", line(5, loss=2.0))
    project.read()


def test_after_a_failed_commit_everything_is_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("log.jsonl", "".join(line(i, loss=1.0) for i in range(100)))
    engine = project.engine()

    def busy(*_: object) -> None:
        raise StoreBusyError("somebody else has it")

    with monkeypatch.context() as patched:
        patched.setattr("workbench.ingest.committer.append", busy)
        patched.setattr(engine.registry, "load", busy)
        with pytest.raises(StoreBusyError):
            engine.read_all(engine.scan())
        with pytest.raises(StoreBusyError):
            engine.read_all(engine.scan())
    engine.read_all(engine.scan())
    engine.close()
    assert len(project.points()) == 100


def test_a_csv_number_is_never_guessed_from_a_cut_line(project: Project) -> None:
    project.write("metrics.csv", "step,loss\n0,1.5\n1,0.1")
    project.read(final=True)
    assert project.points() == [("loss", 0, 1.5)]
    project.write("metrics.csv", "25\n")
    project.read(final=True)
    assert project.points() == [("loss", 0, 1.5), ("loss", 1, 0.125)]


def test_rotation_by_renaming_loses_nothing_and_repeats_nothing(project: Project) -> None:
    log = project.write("log.jsonl", line(0, loss=0.0))
    project.read()
    project.write("log.jsonl", line(1, loss=1.0))
    log.rename(project.root / "log.jsonl.1")
    project.write("log.jsonl", line(2, loss=2.0))
    project.read()
    assert steps(project) == [0, 1, 2]
    assert len(project.query.runs()) == 1
    (project.root / "log.jsonl.1").rename(project.root / "log.jsonl.2")
    log.rename(project.root / "log.jsonl.1")
    project.write("log.jsonl.1", line(3, loss=3.0))
    project.write("log.jsonl", line(4, loss=4.0))
    project.read()
    assert steps(project) == [0, 1, 2, 3, 4]
    assert project.stored() == 5


def test_rotation_by_copying_and_truncating_keeps_what_went_before(project: Project) -> None:
    log = project.write("log.jsonl", "".join(line(i, loss=float(i)) for i in range(5)))
    project.read()
    shutil.copy(log, project.root / "log.jsonl.1")
    os.truncate(log, 0)
    project.write("log.jsonl", "".join(line(i, loss=float(i)) for i in range(5, 8)))
    project.read()
    assert steps(project) == list(range(8))


def test_truncating_and_going_on_keeps_the_earlier_steps(project: Project) -> None:
    log = project.write("log.jsonl", "".join(line(i, loss=float(i)) for i in range(10)))
    project.read()
    os.truncate(log, 0)
    project.write("log.jsonl", line(10, loss=10.0))
    project.read()
    assert steps(project) == list(range(11))
    assert project.source("log.jsonl").generation == 1


def test_a_run_started_over_in_the_same_file_replaces_the_old_points(project: Project) -> None:
    log = project.write("log.jsonl", "".join(line(i, loss=1.0) for i in range(100)))
    project.read()
    log.write_text("".join(line(i, loss=2.0) for i in range(3)))
    project.touch(log)
    project.read()
    assert project.points() == [("loss", i, 2.0) for i in range(3)]
    [run] = project.query.runs()
    assert (run.metrics["loss"].n, run.metrics["loss"].max) == (3, 2.0)
    assert project.stored() == 103


def test_a_rewrite_of_the_same_size_is_noticed(project: Project) -> None:
    log = project.write("log.jsonl", line(0, loss=0.25) + line(1, loss=0.25))
    project.read()
    log.write_text(line(0, loss=0.75) + line(1, loss=0.75))
    project.touch(log, project.now + 5)
    project.read()
    assert project.points() == [("loss", 0, 0.75), ("loss", 1, 0.75)]


def test_atomic_replacement_with_a_longer_copy_goes_on_where_it_was(project: Project) -> None:
    log = project.write("log.jsonl", line(0, loss=0.0) + line(1, loss=1.0))
    project.read()
    fresh = project.write("log.tmp", log.read_text() + line(2, loss=2.0))
    fresh.replace(log)
    outcome = project.read()
    assert outcome.accepted == 1
    assert steps(project) == [0, 1, 2]
    assert project.source("log.jsonl").generation == 0


def test_a_deleted_log_keeps_its_run_and_a_new_log_with_its_inode_is_another(project: Project) -> None:
    log = project.write("first.jsonl", line(0, loss=1.0))
    inode = log.stat().st_ino
    project.read()
    log.unlink()
    second = project.write("second.jsonl", line(0, loss=2.0) + line(1, loss=2.0))
    project.read()
    assert sorted((run.name, run.metrics["loss"].n) for run in project.query.runs()) == [
        ("first.jsonl", 1),
        ("second.jsonl", 2),
    ]
    assert project.source("first.jsonl").status == "vanished"
    assert second.stat().st_ino == inode or second.stat().st_ino != inode  # either way it is told apart by content


def test_a_new_header_in_place_reads_the_whole_table_again(project: Project) -> None:
    log = project.write("metrics.csv", "epoch,step,train_loss\n0,9,0.9\n0,19,0.8\n")
    project.read()
    log.write_text("epoch,step,train_loss,val_loss\n0,9,0.9,\n0,19,0.8,\n0,19,,0.7\n")
    project.touch(log)
    project.read()
    assert project.points("train_loss") == [("train_loss", 9, 0.9), ("train_loss", 19, 0.8)]
    assert project.points("val_loss") == [("val_loss", 19, 0.7)]


def test_a_line_of_twenty_million_bytes_is_refused_with_its_offset(project: Project) -> None:
    good = line(0, loss=1.0)
    project.write("log.jsonl", good + '{"step": 1, "blob": "' + "x" * 20_000_000 + '"}\n' + line(2, loss=3.0))
    project.read()
    assert steps(project) == [0, 2]
    [(_, offset, reason)] = project.rejects()
    assert offset == len(good)
    assert "E103" in reason


def test_equal_heads_do_not_make_one_run_of_two(project: Project) -> None:
    text = "".join(line(i, loss=0.5) for i in range(100))
    project.write("a.jsonl", text)
    project.write("b.jsonl", text)
    project.read()
    assert {run.name: run.metrics["loss"].n for run in project.query.runs()} == {"a.jsonl": 100, "b.jsonl": 100}
