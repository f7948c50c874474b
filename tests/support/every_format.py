"""All committed logs in one project folder, and what their writers' own libraries say of every run in it."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.event_files import expected_points
from tests.support.wandb_files import history_points

FIXTURES = Path(__file__).parents[1] / "fixtures"
Series = Mapping[str, Sequence[tuple[int, float]]]
OPEN = "quiet"
"""What a run is that nobody ended and nobody writes any more."""
WAITING = "running"
"""What it is while it has logged nothing, in a file of several runs."""
_MLFLOW = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "failed"}


@dataclass(frozen=True)
class Told:
    """A run as its writer tells of it."""

    format: str
    path: str
    points: Series
    name: str = ""
    """What tells it from the others of its file."""
    params: Mapping[str, Any] = field(default_factory=dict)
    status: str = OPEN
    exactly: bool = True
    """The file keeps every digit; else its writer printed fewer."""
    also: frozenset[str] = frozenset()
    """Keys that the format measures by itself."""


def copy_all(root: Path, now: float) -> None:
    """Every fixture in its natural layout, several trackers side by side, all written at one time."""
    names = [item.name for item in FIXTURES.iterdir() if item.is_dir() and item.name != "__pycache__"]
    for name in names:
        shutil.copytree(FIXTURES / name, root / name, ignore=shutil.ignore_patterns("expected*.json"))
    for told in (FIXTURES / "text").glob("*.json"):
        (root / "text" / told.name).unlink()
    for folder, _, files in os.walk(root):
        for file in files:
            os.utime(Path(folder) / file, (now, now))


def all_told() -> Iterator[Told]:
    """Every run of every fixture."""
    for part in (_tensorboard, _wandb, _mlflow, _huggingface, _tables, _text, _optuna, _trackio, _others):
        yield from part()


def _load(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def _pairs(rows: Sequence[Sequence[Any]]) -> list[tuple[int, float]]:
    return [(int(step), math.nan if value is None else float(value)) for step, value, *_ in rows]


def _events(*files: str, prefix: str = "", suffix: str = "", until: float = math.inf) -> dict[str, list[Any]]:
    """Scalars of event files by the oracle, protocol buffers' own decoder."""
    found: dict[str, list[Any]] = {}
    for file in files:
        for tag, step, _, value, _ in expected_points((FIXTURES / "tensorboard" / file).read_bytes()):
            if step < until:
                number = math.nan if value == b"nan" else struct.unpack("<d", value)[0]
                found.setdefault(prefix + tag + suffix, []).append((step, number))
    return found


def _tensorboard() -> Iterator[Told]:
    name = "events.out.tfevents.1763791200.host"
    params = {"lr": 0.1, "layers": 2, "optimizer": "sgd", "amp": True}
    torch = _events(f"torch/{name}.0", f"torch/1763791234.123456/{name}.0")
    yield Told("tensorboard", "tensorboard/torch", torch, params=params, status="finished")
    keras = [_events(f"keras/{part}/{name}.1.0.v2", prefix=f"{part}/") for part in ("train", "validation")]
    yield Told("tensorboard", "tensorboard/keras", keras[0] | keras[1])
    before, after = _events(f"resumed/{name}.0", until=6), _events(f"resumed/{name}.1")
    yield Told("tensorboard", "tensorboard/resumed", {"loss": before["loss"] + after["loss"]})
    for writer, folder in (("tensorboardX", "eval/loss/"), ("torch", "eval_loss_")):
        points = _events(f"curves/{writer}/{name}.0")
        for curve in "ab":
            part = _events(f"curves/{writer}/{folder}{curve}/{name}.0")
            points |= {f"eval/loss/{curve}": rows for rows in part.values()}
        yield Told("tensorboard", f"tensorboard/curves/{writer}", points)


def _wandb() -> Iterator[Told]:
    for path in sorted((FIXTURES / "wandb").glob("*/expected.json")):
        expected = json.loads(path.read_text())
        summary = expected["summary"]
        code = summary["exit_code"]
        points: dict[str, list[tuple[int, float]]] = {}
        for key, step, value in history_points(expected):
            points.setdefault(key, []).append((_along(path.parent.name, key, step), float(value)))
        yield Told(
            "wandb", f"wandb/{path.parent.name}", points, params=_flat(summary["config"], "."),
            status=OPEN if code is None else "failed" if code else "finished", also=frozenset({"system/"}),
        )  # fmt: skip


def _along(name: str, key: str, step: int) -> int:
    """The step of a point: that of its own step metric, where the run defined one."""
    if "loop" in name and key != "train/global_step":
        return 10 * (step + 1)
    return step // 2 if "every" in name and key == "val/acc" else step


def _flat(tree: Mapping[str, Any], joint: str, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, joint, f"{prefix}{key}{joint}")
        else:
            flat[prefix + key] = json.dumps(value) if isinstance(value, list) else value
    return flat


def _mlflow() -> Iterator[Told]:
    experiments = {
        path.parent.name: path.parent.parent.name for path in (FIXTURES / "mlflow").glob("mlruns/*/*/meta.yaml")
    }
    for form, file in (("mlflow", "files"), ("mlflow-sqlite", "sqlite")):
        for uuid, run in _load(f"mlflow/expected_{file}.json").items():
            path = f"mlflow/mlruns/{experiments.get(uuid)}/{uuid}" if form == "mlflow" else "mlflow/mlflow.db"
            metrics = {key: _pairs([(row[0], row[2]) for row in rows]) for key, rows in run["metrics"].items()}
            if form == "mlflow-sqlite":  # a column without room for infinity
                metrics = {key: [(step, _unclamped(value)) for step, value in rows] for key, rows in metrics.items()}
            if form == "mlflow" and run["name"] == "lineage":  # MLflow forgets the step of a metric on a dataset
                metrics["val/f1"] = [(5, 0.97) if row == (0, 0.97) else row for row in metrics["val/f1"]]
            status = WAITING if form == "mlflow-sqlite" and not metrics else OPEN
            params = {key: _read(text) for key, text in run["params"].items()}
            yield Told(form, path, metrics, run["name"], params, _MLFLOW.get(run["status"], status))


def _unclamped(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _read(text: str) -> Any:
    """A parameter that MLflow keeps as text, as Workbench shows it."""
    words = {"True": True, "False": False}
    try:
        return words[text] if text in words else json.loads(text)
    except ValueError:
        return text


def _huggingface() -> Iterator[Told]:
    expected = _load("huggingface/expected.json")
    points = {key: _pairs(rows) for key, rows in expected["series"].items()}
    params = {"max_steps": expected["max_steps"], "learning_rate": 1e-4}
    yield Told("huggingface", "huggingface/out", points, params=params, status="finished")


def _tables() -> Iterator[Told]:
    formats = {"mmengine": "jsonl", "sklearn": "sklearn", "xgboost": "json", "lightgbm": "json"}
    for place, run in _load("csv/expected.json").items():
        path, _, number = place.partition("#")
        name = f"{Path(path).stem} #{number}" if number else ""
        form = formats.get(place.split("/")[0], "csv")
        points = {key: _pairs(rows) for key, rows in run["points"].items()}
        status = "finished" if form == "sklearn" or "epochs" in run["params"] else OPEN
        yield Told(form, f"csv/{path}", points, name, run["params"], status, exactly=False)


def _text() -> Iterator[Told]:
    for path in sorted((FIXTURES / "text").glob("*.json")):
        points = {key: _pairs(rows) for key, rows in json.loads(path.read_text()).items()}
        trainer = path.stem == "trainer"  # named as the one log of its folder
        place = "text" if trainer else f"text/{path.stem}.log"
        printed = frozenset(["", "/"])
        yield Told("text", place, points, status="finished" if trainer else OPEN, exactly=False, also=printed)


def _optuna() -> Iterator[Told]:
    goals = {"tune": ("error",), "pair": ("values_0", "values_1")}
    statuses = {"COMPLETE": "finished", "PRUNED": "finished", "FAIL": "failed", "RUNNING": WAITING}
    for file, studies in _load("optuna/expected.json").items():
        for study, trials in studies.items():
            for trial in (each for each in trials if not each["waits"]):
                steps = _pairs([*trial["steps"].items()])
                points = {"intermediate_value": steps} if steps else {}
                last = max((step for step, _ in steps), default=0)
                points |= {
                    key: [(last, value)] for key, value in zip(goals[study], trial["values"] or [], strict=False)
                }
                diverged = math.inf in (trial["values"] or [])
                status = "failed" if diverged else statuses[trial["state"]]
                yield Told("optuna" if file == "study.db" else "optuna-journal", f"optuna/{file}", points,
                           f"{study}/{trial['number']}", trial["params"], status)  # fmt: skip


def _trackio() -> Iterator[Told]:
    expected = _load("trackio/expected.json")
    for name, rows in expected["logs"].items():
        points: dict[str, list[tuple[int, float]]] = {}
        for row in rows:
            for key, value in _flat({**row, "weights": None}, "/").items():
                if isinstance(value, (int, float)) and key != "step":
                    points.setdefault(key, []).append((row["step"], value))
        yield Told("trackio", "trackio/data/myproj.db", points, name, {"lr": 0.1, "net.width": 3, "limit": "Infinity"},
                   also=frozenset({"system/"}))  # fmt: skip
    loss = [(0, 1.0), (1, math.nan), (2, 1 / 3), (3, 0.25)]
    yield Told("trackio-inbox", "trackio/data/inbox/0123456789abcdef/00000000.jsonl", {"loss": loss}, "run c",
               {"lr": 0.2}, also=frozenset({"system/"}))  # fmt: skip


def _others() -> Iterator[Told]:
    boosting = _load("catboost/expected.json")
    names = {"learn": "learn", "validation_0": "test", "validation_1": "test1"}
    points = {
        f"{names[part]}/{key}": list(enumerate(values))
        for part, metrics in boosting["series"].items()
        for key, values in metrics.items()
    }
    times = frozenset({"passed_time", "remaining_time"})
    yield Told("catboost", "catboost/catboost_info", points, status="finished", exactly=False, also=times)
    plots = {
        name.removeprefix("metrics/").removesuffix(".tsv"): [
            (int(row["step"]), float(row[Path(name).stem])) for row in rows
        ]
        for name, rows in _load("dvclive/expected.json")["series"].items()
        if "word" not in name
    }
    yield Told("dvclive", "dvclive/dvclive", plots, params={"lr": 0.1, "net.width": 3})
    for number, run in _load("sacred/expected.json").items():
        metrics = json.loads((FIXTURES / f"sacred/runs/{number}/metrics.json").read_text())
        series = {key: list(zip(item["steps"], item["values"], strict=True)) for key, item in metrics.items()}
        params = {key: value for key, value in _flat(run["config"], ".").items() if key != "api_key"}
        status = "failed" if number == "2" else "finished"
        yield Told("sacred", f"sacred/runs/{number}", series, params=params, status=status)
