"""W&B run files, checked against what W&B's own reader (`wandb leet inspect`) says of the same files."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path, PurePath

import numpy as np
import pytest

from tests.support import wandb_files as make
from tests.support.wandb_files import facts, field, framed, history_points, item, points, read, record, row, values
from workbench.core.batch import Head
from workbench.readers.wandb.reader import WandbReader

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wandb"
RUNS = sorted(FIXTURES.rglob("*.wandb"))


def fixture(name: str) -> tuple[bytes, dict]:
    (path,) = FIXTURES.glob(f"*/run-{name}*.wandb")
    return path.read_bytes(), json.loads((path.parent / "expected.json").read_text())


# What W&B writes


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_value_is_the_one_that_wandb_reads(path):
    data = path.read_bytes()
    expected = json.loads((path.parent / "expected.json").read_text())
    batch = read(data)
    along = {"val/acc": "epoch"} if "every" in path.name else {}
    seen = sorted((k, s, v) for k, s, _, v, _ in points(batch) if not k.startswith("system/"))
    if "loop" in path.name:
        rows = {each["history"]["item"]["_step"]: each["history"]["item"] for each in expected["records"]
                if each["type"] == "history"}  # fmt: skip
        wanted = [
            (k, int(rows[s]["train/global_step"]) if k != "train/global_step" else s, v)
            for k, s, v in history_points(expected)
        ]
    else:
        wanted = [(k, s // 2 if k in along else s, v) for k, s, v in history_points(expected)]
    assert seen == sorted(wanted)
    assert batch.rejects == ()
    if "killed" not in path.name:
        assert batch.consumed == len(data)


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_name_parameters_and_end_are_those_that_wandb_reads(path):
    summary = json.loads((path.parent / "expected.json").read_text())["summary"]
    said = facts(read(path.read_bytes()))
    params = {key: value for (kind, key), value in said.items() if kind == "param"}
    assert params == {key: json.dumps(v) if isinstance(v, list) else v for key, v in flat(summary["config"]).items()}
    assert said["native_id", ""] == summary["run_id"]
    assert said.get(("name", ""), "") == summary["name"]
    assert said.get(("note", "notes"), "") == summary["notes"]
    assert said["environment", "project"] == "demo"
    assert said["environment", "exit_code"] == summary["exit_code"] if summary["exit_code"] is not None else True
    start = dt.datetime.fromisoformat(summary["start_time"]).timestamp()
    assert said["started", ""] == pytest.approx(start, abs=1e-6)


def flat(tree: dict, prefix: str = "") -> dict:
    """Nested keys joined by dots."""
    out = {}
    for key, value in tree.items():
        out |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return out


def test_a_run_says_who_where_and_with_what_it_was_started():
    data, expected = fixture("every")
    said = facts(read(data))
    environment = {key: value for (kind, key), value in said.items() if kind == "environment"}
    assert environment["argv"].startswith("train.py everything --lr 0.1 --api-key '«redacted:")
    git = next(r for r in expected["records"] if r["type"] == "run")["run"]["git"]
    assert (environment["git/commit"], environment["git/remote"]) == (git["commit"], git["remote_url"])
    wanted = {"host": "node-1", "python": "CPython 3.11.7", "executable": "/usr/bin/python3", "entity": "team"}
    assert wanted.items() <= environment.items()
    assert {key for kind, key in said if kind == "tag"} == {"first", "a b", "job_type"}
    assert said["tag", "job_type"] == "train"
    assert said["group", ""] == "sweep of sizes"
    notes = [value for (kind, _), value in said.items() if kind == "note"]
    assert notes == ["two layers [red]x[/]", "Low accuracy: below 0.5"]


def test_results_set_by_hand_and_asked_for_are_kept_but_not_the_copy_of_every_row():
    data, expected = fixture("every")
    batch = read(data)
    summary = {f.key: f.value for f in batch.facts if f.kind == "summary"}
    assert summary == {
        "best": 0.9, "loss": 0.05, "result.f1": 0.5, "result.words": "good", "val/acc.max": 0.9,
        "word": "step 5", "flag": False,
    }  # fmt: skip
    theirs = flat(expected["summary"]["summary"])
    assert {key: theirs[key] for key in summary} == summary


def test_the_console_is_what_stood_on_the_screen():
    data, expected = fixture("every")
    seen = [(line.text, f"std{line.stream}") for line in read(data).console]
    assert seen == [(line["line"], line["stream"]) for line in expected["summary"]["console"]]


def test_histograms_keep_their_counts_in_few_bins_and_other_media_are_counted():
    data, expected = fixture("every")
    batch = read(data)
    listed = [r["history"]["item"] for r in expected["records"] if r["type"] == "history"]
    theirs = [each for each in listed if each.get("weights._type") == "histogram"]
    assert len(batch.histograms) == len(theirs) == 3
    for ours, each in zip(batch.histograms, theirs, strict=True):
        assert (ours.key, ours.step, len(ours.counts) <= 64) == ("weights", each["_step"], True)
        assert ours.counts.sum() == sum(each["weights.values"]) == 1000
        edges = unpacked(each)
        assert (ours.edges[0], ours.edges[-1]) == pytest.approx((edges[0], edges[-1]))
        below = np.interp(0.0, edges, np.concatenate([[0], np.cumsum(each["weights.values"])]))
        assert np.interp(0.0, ours.edges, np.concatenate([[0], np.cumsum(ours.counts)])) == pytest.approx(below, abs=30)
    assert batch.message == "not read: lists 6"


def test_an_image_is_the_file_that_wandb_wrote_beside_the_run():
    data, expected = fixture("every")
    (fact,) = [fact for fact in read(data).facts if fact.kind == "artifact"]
    items = [record["history"]["item"] for record in expected["records"] if record["type"] == "history"]
    (path,) = [item["image.path"] for item in items if "image.path" in item]
    assert (fact.key, fact.value) == ("image", {"path": f"files/{path}"})


@pytest.mark.parametrize(
    ("media", "path"),
    [
        ({"_type": "images/separated", "filenames": ["a.png", "b.png"], "count": 2}, "files/a.png"),
        ({"_type": "images/separated", "filenames": []}, None),
        ({"_type": "images/separated", "filenames": [3]}, None),
        ({"_type": "images/separated"}, None),
        ({"_type": "image-file", "path": 7}, None),
        ({"_type": "table-file", "path": "a.json"}, None),
    ],
)
def test_of_several_images_the_first_is_told_and_what_names_no_file_is_counted(media, path):
    batch = read(framed([row(0, x=media)]))
    assert [fact.value["path"] for fact in batch.facts if fact.kind == "artifact"] == ([path] if path else [])
    assert ("not read" in batch.message) == (path is None)


def unpacked(each: dict) -> np.ndarray:
    if "weights.bins" in each:
        return np.array(each["weights.bins"])
    low, size, count = (each[f"weights.packedBins.{name}"] for name in ("min", "size", "count"))
    return low + size * np.arange(count + 1)


def test_the_machine_is_measured_along_seconds_since_the_start():
    data, expected = fixture("every")
    samples = [r["stats"] for r in expected["records"] if r["type"] == "stats"]
    batch = read(data)
    ours = {batch.points.keys[k] for k in batch.points.key} & {f"system/{key}" for key in samples[0]["item"]}
    assert len(ours) == len(samples[0]["item"])
    later = record(7, field(2, make.time(make.START + 75.5)) + field(3, field(1, "gpu.0.gpu") + field(16, "93.5")))
    batch = read(framed([make.run(), later]))
    assert values(batch, "system/gpu.0.gpu") == [(75, 93.5)]
    assert batch.points.wall.tolist() == [pytest.approx(make.START + 75.5)]


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("every", "finished", ""),
        ("failed", "failed", "exit code 3"),
        ("interrupted", "killed", "exit code 255"),
        ("killed", None, None),
    ],
)
def test_how_a_run_ended(name, status, reason):
    batch = read(fixture(name)[0])
    ends = [fact for fact in batch.facts if fact.kind == "status"]
    assert [(end.value, end.key.removeprefix("preempted, ")) for end in ends] == ([(status, reason)] if status else [])
    if status:
        newest = max(batch.points.wall)
        assert facts(batch)["ended", ""] >= newest


def test_a_sweep_is_the_group_of_its_runs():
    assert facts(read(fixture("failed")[0]))["group", ""] == "sweep sw33p"


# What W&B may write


def test_preempted_runs_did_not_fail_by_themselves():
    data = framed([make.run(), record(23, b""), record(18, field(1, 143))])
    said = read(data).facts
    assert [(f.value, f.key) for f in said if f.kind == "status"] == [("killed", "preempted, exit code 143")]


def test_goals_and_axes_of_metrics():
    defined = field(1, "val/acc") + field(4, "epoch") + field(8, 2)
    globbed = field(2, "train/*") + field(4, "epoch")
    rows = [row(i, **{"val/acc": i / 10, "train/loss": 1.0, "epoch": i // 2, "other": 0.5}) for i in range(40)]
    batch = read(framed([make.run(), record(12, defined), record(12, globbed), *rows]))
    assert facts(batch)["goal", "val/acc"] == "max"
    assert [s for s, _ in values(batch, "val/acc")] == [i // 2 for i in range(40)]
    assert [s for s, _ in values(batch, "train/loss")] == [i // 2 for i in range(40)]
    assert [s for s, _ in values(batch, "other")] == list(range(40))
    assert [s for s, _ in values(batch, "epoch")] == list(range(40))


def test_an_axis_carries_on_where_a_row_leaves_it_out_and_is_given_up_once_it_is_fractional():
    defined = record(12, field(1, "loss") + field(4, "epoch"))
    rows = [
        row(0, loss=1.0),
        row(1, epoch=7, loss=2.0),
        row(2, loss=3.0),
        row(3, epoch=7.5, loss=4.0),
        row(4, loss=5.0),
    ]
    assert [s for s, _ in values(read(framed([defined, *rows])), "loss")] == [0, 7, 7, 3, 4]


def test_a_configuration_that_changes_ends_as_it_was_last():
    def config(number: int, *items: bytes) -> bytes:
        return b"".join(field(number, each) for each in items)

    first = config(1, item("_wandb", '{"x": 1}'), item("opt", '{"lr": 1, "name": "sgd"}'), item("seed", "1"))
    later = record(5, config(1, item(["opt", "lr"], "0.5"), item("token", '"hf_abcdefghijklmnopqrstuvwxyz"')))
    removed = record(5, config(2, field(1, "seed")))
    said = facts(read(framed([make.run("abc", field(4, first)), later, removed])))
    params = {key: value for (kind, key), value in said.items() if kind == "param"}
    assert params.pop("token").startswith("«redacted")
    assert params == {"opt.lr": 0.5, "opt.name": "sgd", "seed": None}


def test_spelled_numbers_of_older_writers():
    words = {"a": "NaN", "b": "-Infinity", "c": "x"}
    quoted = b"".join(field(1, item(key, f'"{word}"')) for key, word in words.items())
    nested = field(1, item("n", '{"x": {"y": 3}, "m": {"_type": "image-file", "size": 5}}'))
    rows = [
        record(2, make.history(i)[: -len(field(2, field(1, i) if i else b""))] + quoted + nested) for i in range(30)
    ]
    batch = read(framed(rows))
    assert values(batch, "b") == [(i, -math.inf) for i in range(30)]
    assert len(values(batch, "a")) == 30
    assert values(batch, "n.x.y") == [(i, 3.0) for i in range(30)]
    assert facts(batch)["summary", "c"] == "x"
    assert batch.message == "not read: image-file 30"


def test_a_run_taken_back_to_a_step_supersedes_what_came_after_it():
    point = field(23, field(1, "abc") + field(2, 100.0) + field(3, "_step"))
    assert [p.step for p in read(framed([make.run("abc", point)])).purges] == [101]
    forked = field(23, field(1, "other") + field(2, 100.0) + field(3, "_step"))
    batch = read(framed([make.run("abc", forked)]))
    assert batch.purges == ()
    assert facts(batch)["tag", "branched_from"] == "other at _step 100"


def test_a_resumed_run_keeps_its_first_start_and_counts_seconds_on():
    sample = record(7, field(2, make.time(make.START + 10)) + field(3, field(1, "cpu") + field(16, "1")))
    batch = read(framed([make.run("abc", field(18, 1), field(20, 600)), sample]))
    assert ("started", "") not in facts(batch)
    assert values(batch, "system/cpu") == [(610, 1.0)]


def test_output_of_older_writers_and_lines_left_open():
    def said(number: int, words: str, stream: int = 1) -> bytes:
        return record(number, field(1, stream) + field(2, make.time(make.START)) + field(3, words))

    lines = [
        said(4, "old\n"),
        said(13, "10%\r20%\r"),
        said(13, "30%"),
        said(13, "oops", 0),
        record(27, field(1, "logged")),
    ]
    batch = read(framed([*lines, record(18, b"")]))
    assert [(line.text, line.stream) for line in batch.console] == [
        ("old", "out"), ("logged", "out"), ("30%", "out"), ("oops", "err"),
    ]  # fmt: skip


# Which files


@pytest.mark.parametrize(
    ("name", "head", "score"),
    [
        ("run-abc.wandb", framed([make.run()]), 1.0),
        ("run-abc.wandb", b"", 0.6),
        ("run-abc.wandb", b":W&", 0.6),
        ("run-abc.wandb", b":W&B\xe1\xbe\x01", 0.0),
        ("run-abc.wandb", b"text that is none", 0.0),
        ("metrics.jsonl", framed([make.run()]), 0.0),
    ],
)
def test_which_files_it_claims(name, head, score):
    claim = WandbReader().claim(Head(PurePath("wandb/run-1-abc") / name, head, len(head)))
    assert claim.score == score
    assert not score or (claim.native_id == "abc" and "files/**" in claim.covers)
