"""A training script logs a run: what stands in its file afterwards."""

from __future__ import annotations

import argparse
import json
import math
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


def of_kind(run: tracking.Run, kind: str) -> list[dict]:
    return [line for line in lines(run) if line["t"] == kind]


def test_a_run_is_a_readable_folder_with_one_file(tmp_path):
    with tracking.init(project="flights", name="first try!", dir=tmp_path) as run:
        run.log({"loss": 0.5}, step=1)
    assert Path(run.dir).name == f"first-try-{run.id}"
    assert Path(run.path) == tmp_path / f"first-try-{run.id}" / f"{run.id}.wb.jsonl"
    assert [line["t"] for line in lines(run)] == ["start", "log", "end"]


def test_a_run_without_a_name_goes_by_its_time(tmp_path):
    with tracking.init(dir=tmp_path) as run:
        pass
    assert lines(run)[0]["name"] is None
    assert Path(run.dir).name.removesuffix(run.id)[:2] == "20"


def test_the_environment_variable_says_where_runs_go(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DIR", str(tmp_path / "elsewhere"))
    with tracking.init(name="r", dir=tmp_path / "here") as run:
        pass
    assert Path(run.dir).parent == tmp_path / "elsewhere"


def test_steps_count_by_themselves_and_may_be_given(tmp_path):
    with tracking.init(dir=tmp_path) as run:
        run.log({"a": 1.0})
        run.log({"a": 2.0}, commit=False)
        run.log({"b": 3.0})
        run.log({"a": 4.0}, step=10)
        run.log(a=5.0)
        run.log({"b": 6.0}, step=np.int64(10))
    assert [(line["step"], line["m"]) for line in of_kind(run, "log")] == [
        (0, {"a": 1.0}), (1, {"a": 2.0}), (1, {"b": 3.0}), (10, {"a": 4.0}), (11, {"a": 5.0}), (10, {"b": 6.0}),
    ]  # fmt: skip


class Tensor:
    """What torch and jax scalars look like from outside."""

    def __init__(self, *values: float) -> None:
        self.values = values
        self.shape = (len(values),)

    def item(self) -> float:
        if len(self.values) != 1:
            raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self.values[0]


def test_every_kind_of_value_is_kept(tmp_path):
    with tracking.init(dir=tmp_path) as run:
        run.log(
            {
                "tensor": Tensor(1.5),
                "f32": np.float32(0.25),
                "f64": np.float64(0.1),
                "i": np.int64(3),
                "array": np.array(7),
            }
        )
        run.log({"nan": math.nan, "up": math.inf, "down": -math.inf, "f32nan": np.float32("nan")})
        run.log({"val": {"loss": 1, "by": {"class": 2.5}}})
        run.log({"loss": 1.0, "word": "warmup", "flag": True, "npflag": np.bool_(False), "none": None})
        run.log({"many": Tensor(1, 2), "list": [1, math.nan], "path": Path("a/b"), "NaN": "NaN"})
        run.log({})
    logged = of_kind(run, "log")
    assert logged[0]["m"] == {"tensor": 1.5, "f32": 0.25, "f64": 0.1, "i": 3, "array": 7}
    assert logged[1]["m"] == {"nan": "NaN", "up": "Infinity", "down": "-Infinity", "f32nan": "NaN"}
    assert logged[2]["m"] == {"val/loss": 1, "val/by/class": 2.5}
    assert logged[3]["m"] == {"loss": 1.0}
    assert logged[3]["a"] == {"word": "warmup", "flag": True, "npflag": False, "none": None}
    assert logged[4]["m"] == {}
    assert logged[4]["a"] == {"many": "<Tensor of shape (2,)>", "list": [1, "NaN"], "path": "a/b", "NaN": "NaN"}
    assert logged[5]["m"] == {}


def test_lines_are_strict_json(tmp_path):
    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    with tracking.init(dir=tmp_path, params={"bad": math.nan, "text": "\udcff\x00\n\u2028"}) as run:
        run.log({"a\nb": math.inf, "\ud800": 1.0})
    raw = Path(run.path).read_bytes()
    assert raw.isascii() and raw.endswith(b"\n")
    assert len([json.loads(line, parse_constant=refuse) for line in raw.splitlines()]) == 3


def test_parameters_come_from_mappings_namespaces_and_later_changes(tmp_path):
    with tracking.init(
        dir=tmp_path, params={"lr": 1e-3, "model": {"depth": 3, "bias": None}, "betas": (0.9, 0.99)}
    ) as run:
        run.config.update(argparse.Namespace(batch=32))
        run.config["seed"] = 1
        run.params.extra = "x"
        assert run.config.lr == 1e-3 and run.config["model"]["depth"] == 3
    assert lines(run)[0]["params"] == {"lr": 1e-3, "model/depth": 3, "model/bias": None, "betas": [0.9, 0.99]}
    assert [line["params"] for line in of_kind(run, "params")] == [{"batch": 32}, {"seed": 1}, {"extra": "x"}]


def test_stages_data_artifacts_notes_and_summary_are_recorded(tmp_path):
    (tmp_path / "train.csv").write_bytes(b"abc")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "b.bin").write_bytes(b"22")
    (folder / "a.bin").write_bytes(b"1")
    with tracking.init(dir=tmp_path / "runs") as run:
        with run.stage("training", rows=100) as stage:
            stage.rows = 120
        with pytest.raises(KeyError), run.stage("evaluation"):
            raise KeyError("x")
        hashed = run.data(tmp_path / "train.csv", role="train", rows=9)
        run.artifact(folder, name="model")
        run.data("s3://bucket/x.parquet", role="test")
        run.note("looks good")
        run.summary(best=0.9)
        run.summary["worst"] = 0.1
        run.heartbeat(600)
        run.tag("keep", team="a")
    stages = [(s["name"], s["status"], s["rows"], s["end"] is None) for s in of_kind(run, "stage")]
    assert stages == [
        ("training", "running", 100, True), ("training", "finished", 120, False),
        ("evaluation", "running", None, True), ("evaluation", "failed", None, False),
    ]  # fmt: skip
    data = of_kind(run, "data")
    assert hashed == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == data[0]["sha256"]
    assert (data[0]["key"], data[0]["bytes"], data[0]["rows"]) == ("train", 3, 9)
    assert data[1]["path"] == "s3://bucket/x.parquet" and "sha256" not in data[1]
    assert of_kind(run, "artifact")[0]["bytes"] == 3
    assert of_kind(run, "note")[0]["text"] == "looks good"
    assert [line["summary"] for line in of_kind(run, "summary")] == [{"best": 0.9}, {"worst": 0.1}]
    assert of_kind(run, "beat")[0]["next"] == 600
    assert of_kind(run, "tags")[0]["tags"] == {"keep": "", "team": "a"}


def test_a_folders_hash_changes_with_names_and_contents(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    hashes = [tracking._fingerprint(str(folder))["sha256"]]
    (folder / "a").rename(folder / "b")
    hashes.append(tracking._fingerprint(str(folder))["sha256"])
    (folder / "b").write_bytes(b"2")
    hashes.append(tracking._fingerprint(str(folder))["sha256"])
    assert len(set(hashes)) == 3


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (lambda run: run.finish(), "finished", None),
        (lambda run: run.finish(0), "finished", 0),
        (lambda run: run.finish(exit_code=2), "failed", 2),
        (lambda run: run.finish("killed"), "killed", None),
    ],
)
def test_finish_takes_a_status_or_an_exit_code(tmp_path, call, status, code):
    run = tracking.init(dir=tmp_path)
    call(run)
    run.finish("failed")
    ends = of_kind(run, "end")
    assert [(end["status"], end["code"]) for end in ends] == [(status, code)]


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ValueError("boom"), "failed", "ValueError: boom at "),
        (KeyboardInterrupt(), "killed", "KeyboardInterrupt at "),
        (SystemExit(3), "failed", "exit code 3"),
        (SystemExit(0), "finished", "exit code 0"),
        (SystemExit("no data"), "failed", "exit code 1"),
    ],
)
def test_the_with_block_records_how_it_ended(tmp_path, error, status, reason):
    with pytest.raises(type(error)), tracking.init(dir=tmp_path) as run:
        raise error
    end = of_kind(run, "end")[0]
    assert end["status"] == status and end["reason"].startswith(reason)
    if isinstance(error, ValueError):
        assert end["exc"]["type"] == "ValueError" and end["exc"]["at"].startswith("test_logging_a_run.py:")


def test_the_calls_people_know_from_other_trackers_work(tmp_path):
    import workbench as wandb

    wandb.init(project="p", name="n", config={"lr": 0.1}, dir=str(tmp_path), group="g", notes="why", reinit=True)
    run = wandb.run
    assert run is not None and wandb.config.lr == 0.1
    wandb.config.update({"lr": 0.2}, allow_val_change=True)
    wandb.log({"loss": 1.0})
    wandb.log({"loss": 0.5}, step=5)
    wandb.summary["best"] = 0.5
    wandb.finish()
    assert wandb.run is None
    kinds = [line["t"] for line in lines(run)]
    assert kinds == ["start", "note", "params", "log", "log", "summary", "end"]
    assert lines(run)[0]["tags"] == {"group": "g"}


def test_unknown_names_are_told_what_there_is():
    import workbench

    with pytest.raises(AttributeError, match=r"no attribute 'watch'; the tracking API has .*\blog\b"):
        _ = workbench.watch


def test_the_newest_open_run_takes_what_the_module_logs(tmp_path):
    outer = tracking.init(name="outer", dir=tmp_path)
    with tracking.init(name="inner", dir=tmp_path) as inner:
        tracking.log({"a": 1.0})
    tracking.log({"a": 2.0})
    tracking.finish()
    assert of_kind(inner, "log")[0]["m"] == {"a": 1.0}
    assert of_kind(outer, "log")[0]["m"] == {"a": 2.0}


def test_two_processes_of_one_run_never_share_a_file(tmp_path):
    first = tracking.init(name="n", id="job/1", dir=tmp_path)
    second = tracking.init(name="n", id="job/1", dir=tmp_path)
    first.finish()
    second.finish()
    assert first.dir == second.dir and first.path != second.path
    assert {lines(first)[0]["run"], lines(second)[0]["run"]} == {"job/1"}


def test_disabled_writes_nothing(tmp_path):
    with tracking.init(dir=tmp_path, mode="disabled", params={"lr": 1}) as run:
        run.log({"a": 1.0})
        with run.stage("training"):
            run.summary(a=1)
        assert run.config.lr == 1
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_itself_is_refreshed_and_other_files_are_left_alone(tmp_path):
    target = Path(tracking.copy_to(tmp_path))
    source = Path(tracking.__file__).read_bytes()
    assert target.read_bytes() == source
    target.write_bytes(source + b"# older\n")
    assert Path(tracking.copy_to(tmp_path)).read_bytes() == source
    target.write_text("mine")
    with pytest.raises(FileExistsError, match="is another file"):
        tracking.copy_to(tmp_path)
    assert target.read_text() == "mine"
