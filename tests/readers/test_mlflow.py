"""MLflow's file store, checked against what MLflow's own API returns of the same folders."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.path_source import PathSource, as_mlflow
from workbench.core.batch import Head
from workbench.readers.mlflow.lines import parse
from workbench.readers.mlflow.reader import MlflowReader

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mlflow"
STORE = FIXTURES / "mlruns"
EXPECTED: dict[str, Any] = json.loads((FIXTURES / "expected_files.json").read_text())
FOLDERS = {path.parent.name: path.parent for path in STORE.glob("*/*/meta.yaml")}
STATUSES = {
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "killed",
    "RUNNING": "running",
    "SCHEDULED": "running",
}


def named(name: str) -> Path:
    """Folder of the run of a name."""
    return FOLDERS[next(uuid for uuid, run in EXPECTED.items() if run["name"] == name)]


def source(folder: Path) -> PathSource:
    return PathSource(MlflowReader, folder / "meta.yaml")


def read(folder: Path) -> PathSource:
    found = source(folder)
    found.read()
    return found


def shown(expected: dict[str, Any]) -> dict[str, Any]:
    """What Workbench shows of a run that MLflow's API describes so."""
    history = json.loads(expected["tags"].get("mlflow.log-model.history", "[]"))
    return {
        **expected,
        "status": STATUSES[expected["status"]],
        "tags": {key: value for key, value in expected["tags"].items() if not key.startswith("mlflow.")},
        "metrics": {key: sorted(map(tuple, rows)) for key, rows in expected["metrics"].items()},
        "datasets": sorted(f"{name}@{digest}" for name, digest, _ in expected["datasets"]),
        "models": sorted([*expected["models"], *(item["artifact_path"] for item in history)]),
    }


def copied(folder: Path, tmp_path: Path) -> Path:
    """The run's folder in a copy of its experiment, so that it can be changed."""
    target = tmp_path / "mlruns" / folder.parent.name
    shutil.copytree(folder.parent, target)
    return target / folder.name


# What MLflow writes


@pytest.mark.parametrize("uuid", EXPECTED, ids=[run["name"] for run in EXPECTED.values()])
def test_a_run_reads_as_mlflow_itself_reads_it(uuid):
    found, expected = read(FOLDERS[uuid]), shown(EXPECTED[uuid])
    if expected["name"] == "lineage":  # MLflow forgets the step of a metric on a dataset; the file has it
        rows = expected["metrics"]["val/f1"]
        rows.append((5, *next(row for row in rows if row[2] == "0.97")[1:]))
        rows.remove((0, 1763791502000, "0.97"))
    assert as_mlflow(found) == expected
    assert (found.said("native_id"), found.rejects, found.messages) == ({"": uuid}, [], [])


def test_only_runs_are_claimed_with_all_that_is_in_their_folders():
    claimed = {}
    for path in STORE.rglob("meta.yaml"):
        claim = MlflowReader().claim(Head(PurePath(path), path.read_bytes(), path.stat().st_size))
        if claim.score:
            claimed[claim.native_id] = (claim.score, claim.covers)
    assert claimed == dict.fromkeys(EXPECTED, (1.0, ("**",)))
    assert MlflowReader().claim(Head(PurePath("meta.yaml"), b"", 0)).score == 0


def test_params_are_numbers_where_numbers_were_logged():
    assert read(named("trial 2")).said("param") == {
        "lr": 0.001, "layers": 4, "optimizer": "sgd", "amp": False, "note": "über",
    }  # fmt: skip


def test_mlflows_own_tags_become_environment_note_and_parent():
    parent, child = read(named("search")), read(named("trial 0"))
    assert child.said("parent") == {"": parent.said("native_id")[""]}
    assert parent.said("note") == {"mlflow": "First *sweep*.\nRates from 0.1 down."}
    environment = parent.said("environment")
    assert environment["git/commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert (environment["git/branch"], environment["git/dirty"]) == ("main", True)
    assert (environment["user"], environment["script"]) == ("ada", "train.py")
    assert "s3cret" not in repr(parent.facts)


def test_an_experiments_primary_metric_is_the_goal():
    assert read(named("trial 0")).said("goal") == {"val/accuracy": "max"}


def test_datasets_are_kept_by_their_role_with_place_and_rows():
    data = read(named("lineage")).said("data")
    assert {key: (value["path"], value["rows"]) for key, value in data.items()} == {
        "training/digits-train": ("data/digits-train.parquet", 1797),
        "eval/digits-test": ("data/digits-test.parquet", 1797),
        "eval/digits-test-2": ("data/digits-test-2.parquet", 1797),
    }


# Growing


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_a_run_written_in_pieces_reads_as_the_whole(tmp_path_factory, rng):
    folder = named(rng.choice(["trial 0", "odd", "lineage"]))
    growing = copied(folder, tmp_path_factory.mktemp("pieces"))
    pieces = emptied(growing, folder, rng)
    reading = source(growing)
    for path, data in pieces:
        with path.open("ab") as file:
            file.write(data)
        if rng.random() < 0.5:
            reading.read()
    reading.read()
    whole = read(folder)
    assert (reading.spelled(), reading.restarts) == (whole.spelled(), 0)
    assert as_mlflow(reading) == as_mlflow(whole)
    assert reading.read() == 0


def emptied(growing: Path, folder: Path, rng: random.Random) -> list[tuple[Path, bytes]]:
    """Empties all files of a run; what to append to which, so that each is whole in the end."""
    queues = []
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        target, data = growing / path.relative_to(folder), path.read_bytes()
        target.write_bytes(b"")
        whole = path.parts[len(folder.parts)] != "metrics"
        cuts = [] if whole else sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(5)))
        queues.append([(target, data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])
    pieces = []
    while queues:
        queue = rng.choice(queues)
        pieces.append(queue.pop(0))
        queues = [item for item in queues if item]
    return pieces


def test_a_line_waits_for_its_end(tmp_path):
    folder = copied(named("trial 3"), tmp_path)
    reading = read(folder)
    with (folder / "metrics" / "train" / "loss").open("a") as file:
        file.write("1763791270000 0.125")
        file.flush()
        assert reading.read() == 0
        file.write("5 3\n")
    assert reading.read() == 1
    assert reading.series()["train/loss"][-1][:3] == (3, 1763791270.0, 0.1255)


def test_a_meta_file_that_is_just_rewritten_is_read_when_it_is_whole(tmp_path):
    folder = copied(named("trial 3"), tmp_path)
    meta = (folder / "meta.yaml").read_text()
    reading = read(folder)
    (folder / "meta.yaml").write_text("")
    assert reading.read() == 0
    assert "meta.yaml is empty or half written" in reading.messages[-1]
    (folder / "meta.yaml").write_text(meta.replace("status: 1", "status: 3").replace("null", "1763791290000", 1))
    reading.read()
    assert (as_mlflow(reading)["status"], as_mlflow(reading)["end"]) == ("finished", 1763791290000)


def test_what_changes_after_the_first_look_is_told_once(tmp_path):
    folder = copied(named("trial 0"), tmp_path)
    reading = read(folder)
    meta = folder / "meta.yaml"
    meta.write_text(meta.read_text().replace("lifecycle_stage: active", "lifecycle_stage: deleted"))
    assert reading.read() == 1
    assert reading.said("hidden") == {"": True}
    (folder / "tags" / "fold").unlink()
    (folder / "tags" / "verdict").write_text("good")
    assert reading.read() == 2
    assert reading.said("tag") == {"fold": False, "verdict": "good"}
    experiment = folder.parent / "meta.yaml"
    experiment.write_text(experiment.read_text().replace("digits/search", "digits/sweep"))
    assert reading.read() == 1
    assert reading.said("group") == {"": "digits/sweep"}
    meta.write_text(meta.read_text().replace("status: 3", "status: 1"))
    reading.read()
    assert as_mlflow(reading)["status"] == "running"


@pytest.mark.parametrize("text", ["1763791200000 1.0 0\n", "1763791200000 9.0 0\n" * 50])
def test_a_metric_file_that_was_replaced_is_read_again(tmp_path, text):
    folder = copied(named("trial 0"), tmp_path)
    reading = read(folder)
    (folder / "metrics" / "train" / "loss").write_text(text)
    reading.read()
    assert reading.restarts == 1
    assert as_mlflow(reading) == as_mlflow(read(folder))


def test_the_stamp_changes_with_all_that_is_read(tmp_path):
    running, ended = copied(named("trial 3"), tmp_path), named("trial 0").name
    ended = running.parent / ended
    changes = [
        (running, "metrics/train/loss", "1763791270000 1 9\n"), (running, "metrics/new/one", "1763791270000 1 9\n"),
        (running, "params/late", "1"), (running, "tags/fold", "more"), (ended, "tags/fold", "more"),
        (ended, "tags/new", "x"), (ended, "metrics/brand_new", "1 1 1\n"), (ended, "params/late", "1"),
        (ended, "meta.yaml", "# more"), (ended, "../meta.yaml", "# more"),
    ]  # fmt: skip
    for folder, name, text in changes:
        settle(running.parent)
        before = MlflowReader().stamp(str(folder / "meta.yaml"))
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(text)
        assert MlflowReader().stamp(str(folder / "meta.yaml")) != before, name
    with pytest.raises(OSError):
        MlflowReader().stamp(str(tmp_path / "meta.yaml"))


def settle(folder: Path) -> None:
    """Put all times into the past, so that a change now is seen whatever the clock's grain."""
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (1.7e9, 1.7e9))


# Lines


@pytest.mark.parametrize(
    ("line", "point"),
    [
        (b"1700000000123 0.5 7\n", (7, 1700000000.123, "0.5")),
        (b"1700000000 0.5\n", (0, 1700000000.0, "0.5")),
        (b"1700000000123 0.5\n", (0, 1700000000.123, "0.5")),
        (b"1700000000123 nan -2 d 0f\n", (-2, 1700000000.123, "nan")),
        (b"1700000000123 -inf 2 my data 0f\n", (2, 1700000000.123, "-inf")),
        (b"1700000000123 1e400 2\r\n", (2, 1700000000.123, "inf")),
    ],
)
def test_lines_of_every_age(line, point):
    found = parse(b"1700000000000 1.0 1\n" + line, 100, "loss")
    assert (found.step[1], found.wall[1], repr(float(found.value[1]))) == point
    assert found.offset.tolist() == [100, 120]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"\n", "0 fields"), (b"1 2 3 run\n", "4 fields"), (b"1 x 3\n", "its value is no number"),
        (b"soon 1 3\n", "its time is no number"), (b"1 2 0.5\n", "its step is no number"),
        (b"1 2 99999999999999999999\n", "beyond 64 bits"), (b"1 2 " + b"9" * 5000 + b"\n", "long"),
        (b"\x00\xff\n", "1 fields"), (b"1 \xff 3\n", "its value is no number"),
    ],
)  # fmt: skip
def test_other_lines_are_refused_in_their_place(line, why):
    found = parse(b"1 2 3\n" + line + b"4 5 6\n", 10, "train/loss")
    [reject] = found.rejects
    assert (reject.offset, reject.length) == (16, len(line))
    assert reject.reason.startswith("E130 ") and why in reject.reason and reject.reason.endswith("in train/loss")
    assert found.step.tolist() == [3, 6]


@given(st.lists(st.sampled_from([b"1 2 3\n", b"1 2\n", b" ", b"nan", b"-", b"\n", b"9" * 20, b"\t", b"1e5", b"\xe9"])))
def test_any_bytes_are_points_or_refused(pieces):
    data = b"".join(pieces)
    data = data[: data.rfind(b"\n") + 1]
    found = parse(data, 0, "x")
    assert len(found.step) + len(found.rejects) == data.count(b"\n")
    offsets = sorted([*found.offset.tolist(), *(item.offset for item in found.rejects)])
    assert offsets == [0, *(i + 1 for i, byte in enumerate(data) if byte == 10)][: len(offsets)]


# Hostile folders


def test_links_pipes_and_giants_are_left_alone(tmp_path):
    folder = copied(named("trial 3"), tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("1763791270000 42 9\n")
    (folder / "metrics" / "linked").symlink_to(secret)
    (folder / "tags" / "linked").symlink_to(secret)
    os.mkfifo(folder / "params" / "pipe")
    with (folder / "params" / "giant").open("wb") as file:
        file.truncate(1 << 40)
    shutil.rmtree(folder / "inputs", ignore_errors=True)
    (folder / "inputs").symlink_to(tmp_path)
    found = read(folder)
    assert set(found.series()) == {"train/loss", "val/accuracy", "epoch_seconds"}
    assert set(found.said("tag")) == {"fold"}
    assert len(found.said("param")["giant"]) <= 16_384 and "pipe" not in found.said("param")


def test_an_endless_line_is_refused_piece_by_piece_and_what_follows_is_read(tmp_path):
    folder = copied(named("trial 3"), tmp_path)
    path = folder / "metrics" / "endless"
    reading = read(folder)
    path.write_bytes(b"9" * 200_000)
    reading.read()
    with path.open("ab") as file:
        file.write(b" 1 2\n1763791270000 0.5 4\n")
    reading.read()
    assert [row[:3] for row in reading.series()["endless"]] == [(4, 1763791270.0, 0.5)]
    assert sum(item.length for item in reading.rejects) == 200_005
    assert all(item.reason.startswith("E103 ") for item in reading.rejects)


@pytest.mark.parametrize(
    "meta",
    [
        b"run_id: abc\nstatus: [3\n", b"run_id: abc\nstatus: nope\nstart_time: soon\nend_time: {}\nrun_name: [1]\n",
        b"run_id: abc\nstatus: 3\nstart_time: 1e999\nend_time: .nan\nlifecycle_stage: 7\n", b"run_id: abc\nstatus: 9\n",
        b"run_id: abc\nstatus: &a [*a]\n", b"run_id: ../../etc\nstatus: 3\n", b"\xff\xfe", b"- run_id\n",
    ],
)  # fmt: skip
def test_a_hostile_meta_file_never_stops_the_reading(tmp_path, meta):
    folder = copied(named("trial 3"), tmp_path)
    (folder / "meta.yaml").write_bytes(meta)
    found = read(folder)
    assert len(found.series()["train/loss"]) == 3
    MlflowReader().stamp(str(folder / "meta.yaml"))
