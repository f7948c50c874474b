"""Logs that grow as their writers make them: bytes appended anywhere, documents rewritten, rows committed in steps."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.every_format import FIXTURES
from workbench.ingest.globs import glob_regex

ENDS = {
    "runs": ({"status", "end_time"}, "run_uuid", {"status": "RUNNING", "end_time": None}),
    "trials": ({"state", "datetime_complete"}, "trial_id", {"state": "RUNNING", "datetime_complete": None}),
}
"""What a tracker updates when a run ends: the columns, the key of a row, and what stands there before."""


@dataclass(frozen=True)
class Log:
    """A fixture that grows below `folder`: what is appended to, what is written anew, what is there at once."""

    name: str
    folder: str
    appended: Sequence[str] = ()
    rewritten: Sequence[str] = ()
    database: str = ""
    timed: bool = False
    """Its points carry their own times, so those must be equal too."""


LOGS = (
    Log("workbench", "", timed=True),
    Log("jsonl", "csv/mmengine", ("*/vis_data/scalars.json", "*/vis_data/2*.json")),
    Log("csv", "csv/lightning", ("**/metrics.csv",)),
    Log("keras", "csv/keras", ("training.log",)),
    Log("timm", "csv/timm", ("*/summary.csv",)),
    Log("text", "text", ("*.log",)),
    Log("dvclive", "dvclive", ("**/*.tsv",), ("dvclive/metrics.json",)),
    Log("optuna-journal", "optuna", ("journal.log",), timed=True),
    Log("trackio-inbox", "trackio/data/inbox", ("**/*.jsonl",), timed=True),
    Log("tensorboard", "tensorboard", ("**/events*",), timed=True),
    Log("wandb", "wandb", ("**/*.wandb",), timed=True),
    Log("json", "csv/xgboost", (), ("evals_result.json",)),
    Log("sklearn", "csv/sklearn", (), ("search.csv", "cv_results.json")),
    Log("huggingface", "huggingface", ("**/events*",), ("out/trainer_state.json",)),
    Log("sacred", "sacred", ("**/cout.txt",), ("**/run.json", "**/metrics.json", "**/info.json"), timed=True),
    Log("catboost", "catboost", ("**/events*", "**/*.tsv"), ("catboost_info/catboost_training.json",)),
    Log("mlflow", "mlflow/mlruns", ("**/metrics/**",), ("**/meta.yaml",), timed=True),
    Log("mlflow-sqlite", "mlflow", database="mlflow.db", timed=True),
    Log("optuna", "optuna", database="study.db", timed=True),
    Log("trackio", "trackio/data", database="myproj.db", timed=True),
)
NATIVE = [
    {"t": "start", "v": 1, "run": "r1", "name": "first", "ts": 1e9, "params": {"lr": 0.1}},
    *(
        {"t": "log", "ts": 1e9 + step, "step": step, "m": {"loss": 1 / (step + 1), "acc": step / 9}}
        for step in range(9)
    ),
    {"t": "end", "ts": 1e9 + 20, "status": "finished"},
]


def whole(log: Log) -> Mapping[str, bytes]:
    """The finished files of a log, by path; a database's is empty here."""
    if log.name == "workbench":
        return {"runs/r1.wb.jsonl": "".join(json.dumps(each) + "\n" for each in NATIVE).encode()}
    base = FIXTURES / log.folder
    if log.database:
        return {log.database: b""}
    files = {str(path.relative_to(base)): path.read_bytes() for path in sorted(base.rglob("*")) if path.is_file()}
    told = {"expected.json", *(f"{path.stem}.json" for path in base.glob("*.log"))} if base.name == "text" else set()
    others = {"journal.log", "study.db"} - {*log.appended} if log.name == "optuna-journal" else set()
    return {name: data for name, data in files.items() if Path(name).name not in told | others | {"expected.json"}}


def finish(log: Log, root: Path, now: float) -> None:
    """All of it at once."""
    for _ in steps(log, root, random.Random(0), 0, now):
        pass


def steps(log: Log, root: Path, chance: random.Random, count: int, now: float) -> Iterator[int]:
    """Let a log grow in so many steps, then be whole; the files are written a second apart and at last at `now`."""
    root = root / (log.folder or "logs")
    root.mkdir(parents=True, exist_ok=True)
    grow, dated = _commits if log.database else _writes, dict[Path, int]()
    for number in grow(log, root, chance, count):
        moment = int((now - count + number) * 1e9)
        for path in root.rglob("*"):
            if path.is_file() and path.stat().st_mtime_ns != dated.get(path):
                os.utime(path, ns=(moment, moment))
                dated[path] = moment
        yield number


def _writes(log: Log, root: Path, chance: random.Random, count: int) -> Iterator[int]:
    files, written = whole(log), dict.fromkeys(whole(log), 0)
    appended = {name for pattern in log.appended for name in files if _fits(name, pattern)} or (
        set(files) if log.name == "workbench" else set()
    )
    rewritten = {name for pattern in log.rewritten for name in files if _fits(name, pattern)}
    for number in range(count + 1):
        last = number == count
        for name, data in files.items():
            place = root / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if name in appended:
                end = len(data) if last else _reached(log, files, written, name, chance)
                if end > written[name]:
                    with place.open("ab") as file:
                        file.write(data[written[name] : end])
                    written[name] = end
            elif name in rewritten:
                young = data if last else _younger(name, data, (number + 1) / (count + 1))
                torn = not last and chance.random() < 0.3 and name.endswith((".json", ".csv"))
                cut = chance.randrange(len(young)) if torn else len(young)
                place.write_bytes(young[:cut])
            elif not place.exists():
                place.write_bytes(data)
        yield number


def _reached(log: Log, files: Mapping[str, bytes], written: Mapping[str, int], name: str, chance: random.Random) -> int:
    """How far a file has got by now: the next one of a folder begins when the one before is whole."""
    before = [other for other in written if Path(other).parent == Path(name).parent and other < name]
    above = [other for other in written if Path(other).parent in Path(name).parents[1:]]
    if log.name in ("tensorboard", "trackio-inbox") and (
        any(written[other] < len(files[other]) for other in before) or not all(written[other] for other in above)
    ):
        return written[name]
    return chance.choice([written[name], chance.randint(written[name], len(files[name]))])


def _fits(name: str, pattern: str) -> bool:
    return re.fullmatch(glob_regex(pattern), name) is not None


def _younger(name: str, data: bytes, share: float) -> bytes:
    """A document as it stood before: shorter lists, fewer rows, a run that goes on."""
    if name.endswith("meta.yaml"):
        return re.sub(rb"(?m)^end_time: .*$", b"end_time: null", re.sub(rb"(?m)^status: [345]$", b"status: 1", data))
    if not name.endswith(".json"):
        lines = data.splitlines(keepends=True)
        return b"".join(lines[: max(2, round(share * len(lines)))])
    document = json.loads(data)
    if name.endswith("run.json"):
        return json.dumps({**document, "status": "RUNNING", "stop_time": None, "fail_trace": None}).encode()
    return json.dumps(_shorter(document, share)).encode()


def _shorter(value: Any, share: float) -> Any:
    if isinstance(value, dict):
        return {key: _shorter(item, share) for key, item in value.items()}
    return value[: max(1, round(share * len(value)))] if isinstance(value, list) else value


def _commits(log: Log, root: Path, chance: random.Random, count: int) -> Iterator[int]:
    """Rows in the order of their tables, parents first; what a run's end changes comes with the last of them."""
    with contextlib.closing(sqlite3.connect(FIXTURES / log.folder / log.database)) as source:
        tables = source.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT NULL").fetchall()
        rows = [(name, row) for name, _ in tables for row in _rows(source, name)]
        schema = [sql for name, sql in tables if not name.startswith("sqlite_")]
    rows = [(name, row) for name, row in rows if not name.startswith("sqlite_")]
    with contextlib.closing(sqlite3.connect(root / log.database, isolation_level=None)) as target:
        target.execute(f"PRAGMA journal_mode = {chance.choice(['wal', 'delete'])}")
        target.execute("PRAGMA synchronous = OFF")
        for sql in schema:
            target.execute(sql)
        cuts = sorted(chance.randint(0, len(rows)) for _ in range(count))
        for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
            target.execute("BEGIN")
            for table, row in rows[start:end]:
                values = {**row, **(ENDS[table][2] if table in ENDS and row.get("state") != "WAITING" else {})}
                target.execute(
                    f'INSERT INTO "{table}" ({", ".join(values)}) VALUES ({", ".join("?" * len(values))})',
                    [*values.values()],
                )
            if number == count:
                _end(target, rows)
            target.execute("COMMIT")
            yield number


def _rows(source: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    found = source.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in found.description]
    for row in found.fetchall():
        yield dict(zip(names, row, strict=True))


def _end(target: sqlite3.Connection, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    for table, row in rows:
        if table in ENDS:
            columns, key, _ = ENDS[table]
            for column in columns & row.keys():
                target.execute(f'UPDATE "{table}" SET {column} = ? WHERE {key} = ?', (row[column], row[key]))
