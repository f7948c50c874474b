"""Logs as many trainers and scripts write them: a file's name and text, and the points that must come of it.

One line a dialect. The reader is not named: whichever bids the most reads the file, as in a project.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import pytest

from workbench.ingest.readers import all_readers
from workbench.plugin.api import Batch, Chunk, Head, Reader


class Read(NamedTuple):
    """What came of a file: points, and everything that was said about its run."""

    format: str
    points: list[tuple[str, int, float]]
    walls: list[float]
    facts: dict[tuple[str, str], Any]
    batch: Batch


def read(name: str, text: str | bytes, siblings: Sequence[str] = ()) -> Read:
    """Let the reader with the highest bid read a file."""
    data = text if isinstance(text, bytes) else text.encode()
    path = PurePath("project/run") / name
    head = Head(path, data[:65536], len(data), frozenset({path.name, *siblings}))
    bids = [(reader.claim(head).score, -i, reader) for i, reader in enumerate(all_readers()) if matches(reader, path)]
    score, _, reader = max(bids)
    assert score >= 0.5, f"nobody claims {name}"
    batch = reader.read(Chunk(path, data, 0, {}, final=True, modified=7.0))
    p = batch.points
    points = [(p.keys[k], s, v) for k, s, v in zip(p.key.tolist(), p.step.tolist(), p.value.tolist(), strict=True)]
    assert batch.accepted + len(batch.rejects) >= 1
    return Read(reader.name, points, p.wall.tolist(), {(f.kind, f.key): f.value for f in batch.facts}, batch)


def matches(reader: Reader, path: PurePath) -> bool:
    return reader.framing != "path" and any(path.match(pattern) for pattern in reader.names)


def rows(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


LOSS = [("loss", 1, 0.5), ("loss", 2, 0.25)]
ACC = [("loss", 1, 0.5), ("acc", 1, 0.75), ("loss", 2, 0.25), ("acc", 2, 1.0)]
FIRST = [("loss", 0, 0.5), ("acc", 0, 0.75), ("loss", 1, 0.25), ("acc", 1, 1.0)]

TABLES: dict[str, tuple[str, str | bytes, list[tuple[str, int, float]]]] = {
    "comma": ("metrics.csv", "step,loss,acc\n1,0.5,0.75\n2,0.25,1\n", ACC),
    "tab": ("metrics.tsv", "step\tloss\tacc\n1\t0.5\t0.75\n2\t0.25\t1\n", ACC),
    "semicolon": ("metrics.csv", "step;loss;acc\n1;0.5;0.75\n2;0.25;1\n", ACC),
    "semicolon, decimal comma": ("metrics.csv", "step;loss;acc\n1;0,5;0,75\n2;0,25;1\n", ACC),
    "tab, decimal comma": ("metrics.csv", "step\tloss\tacc\n1\t0,5\t7,5e-1\n2\t,25\t1\n", ACC),
    "pipe": ("metrics.csv", "step|loss|acc\n1|0.5|0.75\n2|0.25|1\n", ACC),
    "printed table": ("log.txt", "| step | loss | acc |\n|------|------|-----|\n| 1 | 0.5 | 0.75 |\n| 2 | 0.25 | 1 |\n", ACC),
    "blanks": ("metrics.dat", "step  loss   acc\n   1  0.5   0.75\n   2  0.25  1\n", ACC),
    "numpy.savetxt": ("metrics.txt", "# step loss acc\n1.0e+00 5.0e-01 7.5e-01\n2.0e+00 2.5e-01 1.0e+00\n", ACC),
    "savetxt, no axis": ("metrics.txt", "# loss acc\n5.0e-01 7.5e-01\n2.5e-01 1.0e+00\n", FIRST),
    "quoted": ("metrics.csv", '"step","loss","acc"\n"1","0.5","0.75"\n"2","0.25","1"\n', ACC),
    "comments": ("metrics.csv", "# v3\n\nstep,loss\n1,0.5\n# resumed, again\n2,0.25\n", LOSS),
    "comment with a header": ("metrics.csv", "# step,loss\n1,0.5\n# step,loss,acc\n2,0.25,1\n", [*LOSS, ("acc", 2, 1.0)]),
    "byte order mark, CRLF": ("metrics.csv", "\ufeffstep,loss\r\n1,0.5\r\n2,0.25\r\n", LOSS),
    "UTF-16": ("metrics.csv", "step,loss\r\n1,0.5\r\n2,0.25\r\n".encode("utf-16"), LOSS),
    "pandas with its index": ("history.csv", ",loss,acc\n0,0.5,0.75\n1,0.25,1.0\n", FIRST),
    "R's write.csv": ("metrics.csv", '"","step","loss"\n"1",1,0.5\n"2",2,0.25\n', LOSS),
    "one metric a row": ("metrics.csv", "metric,value,step\nloss,0.5,1\nacc,0.75,1\nloss,0.25,2\nacc,1,2\n", ACC),
    "metric and value alone": ("eval.csv", "metric,value\naccuracy,0.5\nf1,0.25\n", [("accuracy", 0, 0.5), ("f1", 1, 0.25)]),
    "TensorBoard's download": ("loss.csv", "Wall time,Step,Value\n1700000000.5,1,0.5\n1700000001.5,2,0.25\n",
                               [("Value", 1, 0.5), ("Value", 2, 0.25)]),
    "missing in many spellings": ("metrics.csv", "step,loss,acc\n1,0.5,NA\n2,0.25,\n3,,N/A\n4,null,None\n", LOSS),
    "a dash for nothing": ("metrics.csv", "step,loss,acc\n1,0.5,-\n2,0.25,1\n", [*LOSS, ("acc", 2, 1.0)]),
    "nan and infinity": ("metrics.csv", "step,loss,acc\n1,inf,-inf\n2,0.25,1\n",
                         [("loss", 1, math.inf), ("acc", 1, -math.inf), ("loss", 2, 0.25), ("acc", 2, 1.0)]),
    "an epoch": ("metrics.csv", "epoch,loss\n1,0.5\n2,0.25\n", LOSS),
    "Keras": ("training.log", "epoch,accuracy,loss\n0,0.75,0.5\n1,NA,0.25\n",
              [("accuracy", 0, 0.75), ("loss", 0, 0.5), ("loss", 1, 0.25)]),
    "Keras, any delimiter": ("cnn.txt", "epoch;loss;val_loss\n1;0.5;\"[1, 2]\"\n2;0.25;NA\n", LOSS),
    "Keras, resumed": ("training.log", "epoch,loss\n0,0.5\n1,0.25\n1,0.125\n2,0.0625\n",
                       [("loss", 0, 0.5), ("loss", 1, 0.25), ("loss", 1, 0.125), ("loss", 2, 0.0625)]),
    "Lightning": ("metrics.csv", "epoch,step,train_loss,val_loss\n0,9,0.5,\n0,9,,0.25\n",
                  [("epoch", 9, 0.0), ("train_loss", 9, 0.5), ("epoch", 9, 0.0), ("val_loss", 9, 0.25)]),
    "YOLOv5": ("results.csv", "               epoch,      train/box_loss\n                   0,              0.5\n",
               [("train/box_loss", 0, 0.5)]),
    "Ultralytics": ("results.csv", "epoch,time,metrics/mAP50(B),lr/pg0\n1,12.5,0.5,0.01\n2,25,0.25,0.01\n",
                    [("time", 1, 12.5), ("metrics/mAP50(B)", 1, 0.5), ("lr/pg0", 1, 0.01), ("time", 2, 25.0),
                     ("metrics/mAP50(B)", 2, 0.25), ("lr/pg0", 2, 0.01)]),
    "timm": ("summary.csv", "epoch,train_loss,eval_loss,eval_top1\n0,0.5,0.25,75.0\n",
             [("train_loss", 0, 0.5), ("eval_loss", 0, 0.25), ("eval_top1", 0, 75.0)]),
    "stable-baselines": ("progress.csv", "rollout/ep_rew_mean,time/total_timesteps,time/fps\n0.5,1,10\n0.25,2,20\n",
                         [("rollout/ep_rew_mean", 1, 0.5), ("time/fps", 1, 10.0), ("rollout/ep_rew_mean", 2, 0.25),
                          ("time/fps", 2, 20.0)]),
    "a step that is fractional once": ("metrics.csv", "step,loss\n1,0.5\n1.5,0.25\n",
                                       [("loss", 1, 0.5), ("step", 1, 1.5), ("loss", 1, 0.25)]),
}  # fmt: skip

LINES: dict[str, tuple[str, str | bytes, list[tuple[str, int, float]]]] = {
    "flat": ("log.jsonl", rows({"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}), LOSS),
    "nested": ("log.jsonl", rows({"step": 1, "val": {"loss": 0.5, "by": {"a": 1}}}), [("val/loss", 1, 0.5), ("val/by/a", 1, 1.0)]),
    "one line only": ("log.txt", rows({"epoch": 1, "train_loss": 0.5, "test_acc1": 75.0, "n_parameters": 9}),
                      [("train_loss", 1, 0.5), ("test_acc1", 1, 75.0), ("n_parameters", 1, 9.0)]),
    "torchtune": ("log_1700000000.jsonl", rows({"step": 1, "loss": 0.5, "lr": 2e-05, "tokens_per_second_per_gpu": 9.5}),
                  [("loss", 1, 0.5), ("lr", 1, 2e-05), ("tokens_per_second_per_gpu", 1, 9.5)]),
    "mmengine": ("vis_data/scalars.json", rows({"lr": 0.01, "loss": 0.5, "epoch": 1, "iter": 50, "time": 0.2, "step": 50},
                                               {"coco/bbox_mAP": 0.25, "time": 0.1, "step": 1}),
                 [("lr", 50, 0.01), ("loss", 50, 0.5), ("epoch", 50, 1.0), ("iter", 50, 50.0), ("time", 50, 0.2),
                  ("coco/bbox_mAP", 1, 0.25), ("time", 1, 0.1)]),
    "updates, as fairseq writes them": ("train.log", rows({"epoch": 1, "loss": "0.5", "num_updates": "1"},
                                                          {"epoch": 1, "loss": "0.25", "num_updates": "2"}),
                                        [("epoch", 1, 1.0), ("loss", 1, 0.5), ("epoch", 2, 1.0), ("loss", 2, 0.25)]),
    "tokens": ("log.jsonl", rows({"tokens": 1, "loss": 0.5}, {"tokens": 2, "loss": 0.25}), LOSS),
    "tokens beside a step": ("log.jsonl", rows({"tokens": 900, "step": 1, "loss": 0.5}), [("tokens", 1, 900.0), ("loss", 1, 0.5)]),
    "metric by line": ("log.jsonl", rows({"name": "loss", "value": 0.5, "step": 1}, {"name": "loss", "value": 0.25, "step": 2}), LOSS),
    "tag by line": ("log.jsonl", rows({"tag": "loss", "value": 0.5, "step": 1}, {"tag": "loss", "value": 0.25, "step": 2}), LOSS),
    "key by line, no step": ("out.jsonl", rows({"key": "loss", "value": 0.5}, {"key": "loss", "value": 0.25}),
                             [("loss", 0, 0.5), ("loss", 1, 0.25)]),
    "structlog": ("app.jsonl", rows({"event": "step done", "level": "info", "timestamp": "2024-01-01T00:00:00Z", "step": 1, "loss": 0.5},
                                    {"event": "step done", "level": "info", "timestamp": "2024-01-01T00:00:01Z", "step": 2, "loss": 0.25}), LOSS),
    "logging as JSON": ("app.log", rows({"message": "a", "levelname": "INFO", "lineno": 7, "process": 12, "asctime": "2024-01-01 00:00:00,123", "step": 1, "loss": 0.5}),
                        [("loss", 1, 0.5)]),
    "tokens of Python": ("log.jsonl", '{"step": 1, "loss": Infinity}\n{"step": 2, "loss": null, "acc": 1}\n',
                         [("loss", 1, math.inf), ("acc", 2, 1.0)]),
    "a word that looks like a number": ("log.jsonl", rows({"step": 1, "sha": "ab12", "loss": 0.5}, {"step": 2, "sha": "12e5", "loss": 0.25}), LOSS),
    "UTF-16": ("log.jsonl", rows({"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}).encode("utf-16"), LOSS),
    "line numbers": ("metrics.jsonl", rows({"loss": 0.5, "acc": 0.75}, {"loss": 0.25, "acc": 1}), FIRST),
}  # fmt: skip

DOCUMENTS = {
    "XGBoost": ("evals_result.json", {"validation_0": {"rmse": [0.5, 0.25]}, "validation_1": {"rmse": [1.5, 1.25]}},
                [("validation_0/rmse", 0, 0.5), ("validation_1/rmse", 0, 1.5), ("validation_0/rmse", 1, 0.25),
                 ("validation_1/rmse", 1, 1.25)]),
    "LightGBM": ("evals.json", {"valid_0": {"l2": [0.5, 0.25], "auc": [0.75]}},
                 [("valid_0/l2", 0, 0.5), ("valid_0/auc", 0, 0.75), ("valid_0/l2", 1, 0.25)]),
    "Keras' history": ("history.json", {"loss": [0.5, 0.25], "acc": [0.75, 1]}, FIRST),
    "a history with its epochs": ("history.json", {"epoch": [1, 2], "loss": [0.5, 0.25]}, LOSS),
    "a list of rows": ("train_log.json", [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}], LOSS),
    "rows below a name": ("log.json", {"history": [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}], "lr": 0.1}, LOSS),
    "pandas by column": ("history.json", {"loss": {"0": 0.5, "1": 0.25}, "acc": {"0": 0.75, "1": 1.0}}, FIRST),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "points"), TABLES.values(), ids=TABLES)
def test_tables(name: str, text: str | bytes, points: list[tuple[str, int, float]]) -> None:
    found = read(name, text)
    assert (found.format, found.points, found.batch.rejects) == ("csv", points, [])


@pytest.mark.parametrize(("name", "text", "points"), LINES.values(), ids=LINES)
def test_lines(name: str, text: str | bytes, points: list[tuple[str, int, float]]) -> None:
    found = read(name, text)
    assert (found.format, found.points, found.batch.rejects) == ("jsonl", points, [])


@pytest.mark.parametrize(("name", "document", "points"), DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_documents(name: str, document: Any, points: list[tuple[str, int, float]], indent: int | None) -> None:
    found = read(name, json.dumps(document, indent=indent))
    assert (found.format, found.points, found.batch.rejects) == ("json", points, [])


MOMENTS = {
    "seconds": 1_700_000_000, "milliseconds": 1_700_000_000_000, "microseconds": 1_700_000_000_000_000,
    "nanoseconds": 1_700_000_000_000_000_000, "ISO, UTC": "2023-11-14T22:13:20Z", "ISO, a zone": "2023-11-14T23:13:20+01:00",
    "ISO, a zone behind a space": "2023-11-14 22:13:20 +0000", "slashes": "2023/11/14 22:13:20Z",
    "a comma before milliseconds": "2023-11-14 22:13:20,000+00:00", "seconds spelled": "1700000000",
}  # fmt: skip


@pytest.mark.parametrize(
    "key", ["timestamp", "ts", "time", "_timestamp", "wall_time", "created_at", "datetime", "date", "asctime"]
)
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_moments(key: str, moment: float | str) -> None:
    found = read("log.jsonl", rows({"step": 1, key: moment, "loss": 0.5}))
    assert (found.points, found.walls) == ([("loss", 1, 0.5)], [1_700_000_000.0])


@pytest.mark.parametrize("values", [(0.5, 1.5, 2.5), (0, 60, 120), (12.5, 12.1, 12.9)])
def test_a_small_time_is_a_duration_and_a_metric(values: tuple[float, ...]) -> None:
    found = read("metrics.csv", "step,time,loss\n" + "".join(f"{i},{t},0.5\n" for i, t in enumerate(values)))
    assert [point for point in found.points if point[0] == "time"] == [("time", i, t) for i, t in enumerate(values)]
    assert all(map(math.isnan, found.walls))


def test_texts_are_attributes_and_those_that_stay_are_parameters() -> None:
    text = "step,model,phase,loss\n" + "".join(f"{i},resnet,{'ab'[i > 2]},0.5\n" for i in range(5))
    facts = read("metrics.csv", text).facts
    assert facts == {("summary", "model"): "resnet", ("param", "model"): "resnet", ("summary", "phase"): "b"}


def test_a_parameter_that_changes_after_all_is_taken_back() -> None:
    reader = next(reader for reader in all_readers() if reader.name == "jsonl")
    first = rows(*({"step": i, "model": "a", "loss": 1} for i in range(3)))
    batch = reader.read(Chunk(PurePath("log.jsonl"), first.encode(), 0, {}))
    assert ("param", "a") in [(fact.kind, fact.value) for fact in batch.facts]
    later = reader.read(Chunk(PurePath("log.jsonl"), rows({"step": 3, "model": "b"}).encode(), len(first), batch.state))
    assert [(fact.kind, fact.value) for fact in later.facts] == [("param", None), ("summary", "b")]


def test_the_prose_of_a_logger_is_no_attribute() -> None:
    name, text, _ = LINES["structlog"]
    assert read(name, text).facts == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", json.dumps({"name": "x", "version": "1.0", "files": ["a"]})),
        ("annotations.json", json.dumps({"images": [{"id": 1, "width": 640, "height": 480}]})),
        ("points.json", json.dumps([[1, 2], [3, 4]])),
        ("scores.json", json.dumps({"weights": [1, 2], "heights": [3, 4]})),
        ("cut.json", '{"loss": [0.5, 0.25'),
        ("story.txt", "At this step we stop\nand 1 2 3 4\n"),
    ],
)  # fmt: skip
def test_other_files_are_left_alone(name: str, text: str) -> None:
    with pytest.raises(AssertionError, match="nobody claims"):
        read(name, text)
