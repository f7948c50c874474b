"""A Hugging Face Trainer's output folder is one run, whatever of it is there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePath

import pytest

from tests.support.ingest import NOW, Project
from tests.support.reading import at, head_of, rounded
from workbench.readers.huggingface.folder import output_folder
from workbench.readers.huggingface.reader import HuggingFaceReader, series_key
from workbench.readers.tensorboard.reader import TensorBoardReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "huggingface"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output folder as the Trainer leaves it, each state newer than the one before."""
    shutil.copytree(FOLDER / "out", tmp_path / "out")
    for moment, name in enumerate(("checkpoint-20", "checkpoint-40", ".")):
        os.utime(tmp_path / "out" / name / "trainer_state.json", (NOW - 100 + moment, NOW - 100 + moment))
    return tmp_path / "out"


def test_the_history_is_what_the_trainers_own_callback_makes_of_it(output: Path) -> None:
    reading = at(HuggingFaceReader(), output / "trainer_state.json", output.parent).look()
    expected = {key: rounded([(int(step), value) for step, value in rows]) for key, rows in EXPECTED["series"].items()}
    assert {key: rounded(reading.values(key)) for _, key in reading.series} == expected
    assert reading.fact("total_steps") == EXPECTED["max_steps"]
    assert reading.fact("summary", "best_metric") == EXPECTED["best_metric"]
    assert reading.fact("summary", "train_runtime") == 12.5
    assert reading.fact("artifact", "best checkpoint") == {"path": "out/checkpoint-40"}
    assert list(reading.of_kind("status").values()) == ["finished"]
    assert reading.fact("param", "learning_rate") == 1e-4
    assert reading.purges == [5]


def test_a_log_cut_anywhere_waits_until_it_says_whose_it_is(output: Path) -> None:
    (log,) = output.glob("runs/*/events*")
    whole, claims = log.read_bytes(), []
    for size in range(1, 400):
        log.write_bytes(whole[:size])
        claims.append(TensorBoardReader().claim(head_of(log, output.parent)))
    known = [claim.run_folder == "out" for claim in claims if claim.score == 1]
    assert known and all(known), "never the run of a folder of its own"


def test_names_as_the_callback_writes_them() -> None:
    names = ("loss", "eval_loss", "test_f1", "evaluate", "train_runtime")
    shown = ["train/loss", "eval/loss", "test/f1", "train/evaluate", "train/train_runtime"]
    assert [series_key(name) for name in names] == shown


def test_only_the_newest_checkpoint_speaks(output: Path) -> None:
    (output / "trainer_state.json").unlink()
    old = at(HuggingFaceReader(), output / "checkpoint-20" / "trainer_state.json", output.parent).look()
    assert not old.series and old.messages == ["checkpoint-40 says the same and more"]
    new = output / "checkpoint-40" / "trainer_state.json"
    new.write_text(new.read_text()[:300])
    assert old.look().values("train/loss"), "the newer one is still being written"


def test_a_state_that_is_rewritten_goes_on_or_begins_anew(tmp_path: Path) -> None:
    place = tmp_path / "trainer_state.json"
    shutil.copy(FOLDER / "out" / "checkpoint-20" / "trainer_state.json", place)
    reading = at(HuggingFaceReader(), place).look()
    place.write_text("{")
    assert len(reading.look().values("train/loss")) == 4
    shutil.copy(FOLDER / "out" / "trainer_state.json", place)
    reading.look()
    assert (reading.generation, len(reading.values("train/loss"))) == (0, 8)
    shutil.copy(FOLDER / "out" / "checkpoint-20" / "trainer_state.json", place)
    assert (reading.look().generation, len(reading.values("train/loss"))) == (1, 4)


def test_checkpoints_that_come_and_go_leave_one_run_and_no_point_twice(project: Project, output: Path) -> None:
    """Training with one kept checkpoint; number 100 comes after 99 by value, not by letter."""
    (output / "checkpoint-20").rename(output / "checkpoint-99")
    (output / "checkpoint-40").rename(output / "checkpoint-100")
    for name in ("checkpoint-99", "checkpoint-100", "."):
        shutil.copytree(output / name, project.root / "out" / name, dirs_exist_ok=True) if name != "." else shutil.copy(
            output / "trainer_state.json", project.root / "out"
        )
        project.read()
        if name == "checkpoint-100":
            shutil.rmtree(project.root / "out" / "checkpoint-99")
            project.read()
    [run] = project.query.runs()
    assert (run.path, run.status) == ("out", "finished")
    expected = {key: len(rows) for key, rows in EXPECTED["series"].items()}
    assert {key: series.n for key, series in run.metrics.items()} == expected
    losses = [(step, value) for _, step, value in project.points("train/loss")]
    assert rounded(losses) == rounded([(int(step), value) for step, value in EXPECTED["series"]["train/loss"]])


def test_the_tensorboard_log_inside_is_the_live_side_of_the_same_run(project: Project, output: Path) -> None:
    events = next((output / "runs").rglob("events*"))
    live = project.root / "out" / events.relative_to(output)
    live.parent.mkdir(parents=True)
    data = events.read_bytes()
    live.write_bytes(data[:40])
    project.read()
    assert not project.query.runs(), "whose log it is, the first record after the version tells"
    live.write_bytes(data)
    project.read()
    [run] = project.query.runs()
    assert run.path == "out"
    assert run.metrics["train/loss"].n == 8
    shutil.copytree(output / "checkpoint-20", project.root / "out" / "checkpoint-20")
    project.read()
    [run] = project.query.runs()
    assert run.metrics["train/loss"].n == 8, "the live side is ahead of the checkpoint"
    shutil.copy(output / "trainer_state.json", project.root / "out")
    project.read()
    [run] = project.query.runs()
    assert {key: series.n for key, series in run.metrics.items()} == {
        key: len(rows) for key, rows in EXPECTED["series"].items()
    }


@pytest.mark.parametrize(
    ("path", "output_dir", "logging_dir", "folder"),
    [
        ("out/runs/Oct03_12-34-56_host/events", "out", "out/runs/Oct03_12-34-56_host", "out"),
        ("a/out/runs/Oct03_12-34-56_host/events", "/home/me/a/out", "/home/me/a/out/runs/Oct03_12-34-56_host", "a/out"),
        ("out/runs/Oct03_12-34-56_host/events", "./out", None, "out"),
        ("out/tb/events", "out", "out/tb", "out"),
        ("logs/one/events", "out", "logs/one", None),
        ("runs/Oct03_12-34-56_host/events", "out", None, None),
    ],
)
def test_which_folder_a_log_belongs_to(path: str, output_dir: str, logging_dir: str | None, folder: str | None) -> None:
    arguments = {"output_dir": output_dir} | ({"logging_dir": logging_dir} if logging_dir else {})
    head = b"\x0a\x11args/text_summary" + json.dumps(arguments, indent=2).encode()
    found = output_folder(PurePath(path), head)
    assert (None if found is None else str(found)) == folder


def test_a_log_of_another_writer_stays_where_it_is() -> None:
    assert output_folder(PurePath("out/runs/Oct03_12-34-56_host/events"), b'"output_dir": "out"') is None


def test_claims(tmp_path: Path) -> None:
    assert HuggingFaceReader().claim(head_of(FOLDER / "out" / "trainer_state.json")).score == 1.0
    (tmp_path / "trainer_state.json").write_text('{"epoch": 1}')
    assert HuggingFaceReader().claim(head_of(tmp_path / "trainer_state.json")).score == 0.0
    path = PurePath("a/out/checkpoint-500/trainer_state.json")
    assert HuggingFaceReader().run_folder(path) == (PurePath("a/out"), "")
