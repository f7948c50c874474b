"""trackio's databases and its inbox tell what trackio's own API tells."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.ingest import Project
from tests.support.reading import Reading, at, head_of, rounded
from workbench.readers.trackio import reader as trackio
from workbench.readers.trackio.inbox import TrackioInboxReader
from workbench.readers.trackio.reader import TrackioReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "trackio"
DATABASE = FOLDER / "data" / "myproj.db"
INBOX = FOLDER / "data" / "inbox" / "0123456789abcdef"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def runs(reading: Reading) -> dict[str, str]:
    """Native id by name."""
    return {value: run for (run, kind, _), value in reading.facts.items() if kind == "name"}


def flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        found |= flat(value, f"{prefix}{key}/") if isinstance(value, dict) else {prefix + key: value}
    return found


def test_every_run_has_the_values_that_trackio_reads_back() -> None:
    reading = at(TrackioReader(), DATABASE).look()
    assert set(runs(reading)) == set(EXPECTED["logs"])
    for name, rows in EXPECTED["logs"].items():
        run = runs(reading)[name]
        expected: dict[str, list[tuple[int, float]]] = {}
        for row in rows:
            step = row.pop("step")
            row.pop("timestamp")
            row.pop("weights", None)
            for key, value in flat(row).items():
                if not isinstance(value, str):
                    expected.setdefault(key, []).append((step, value))
            row["step"] = step
        found = {key: rounded(reading.values(key, run)) for its, key in reading.series if its == run}
        assert found.pop("system/gpu/util")[0][1] == "3.5"
        assert found == {key: rounded(values) for key, values in expected.items()}
        assert reading.fact("summary", "word", run) == "hi"


def test_configs_are_params_and_trackios_own_part_is_told_apart() -> None:
    reading = at(TrackioReader(), DATABASE).look()
    run = runs(reading)["run a"]
    assert reading.of_kind("param", run) == {"lr": 0.1, "net.width": 3, "limit": "Infinity"}
    assert reading.fact("group", run=run) == EXPECTED["configs"]["run a"]["_Group"] == "pair"
    assert reading.fact("started", run=run) > 1.7e9
    assert "error at step 3: diverged: acc is not a number" in reading.of_kind("note", run).values()
    [histogram, _] = reading.histograms
    np.testing.assert_array_equal(histogram.edges, [1.0, 1.5, 2.0, 2.5, 3.0])
    np.testing.assert_array_equal(histogram.counts, [1, 0, 1, 2])
    assert (histogram.key, histogram.run) == ("weights", run)


def test_rows_come_in_slices_and_as_they_are_written(tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copy(DATABASE, tmp_path / "live.db")
    whole = at(TrackioReader(), tmp_path / "live.db").look().told
    monkeypatch.setattr(trackio, "MOST_ROWS", 3)
    reading = at(TrackioReader(), tmp_path / "live.db").look()
    assert reading.told == whole
    with sqlite3.connect(tmp_path / "live.db") as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        row = ("r9", "2026-01-01T00:00:00+00:00", "late", 7, '{"loss": "NaN"}')
        writer.execute("INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)", row)
        writer.commit()
        reading.look()
        [(step, wall, value)] = reading.series["trackio:.:r9", "loss"]
        assert (step, wall, math.isnan(value)) == (7, 1767225600.0, True)
    writer.close()


def test_a_database_of_before_run_ids_names_runs_by_project_and_name(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as writer:
        writer.execute(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
        )
        writer.execute("CREATE TABLE configs (id INTEGER PRIMARY KEY, run_name TEXT, config TEXT, created_at TEXT)")
        writer.execute("INSERT INTO metrics VALUES (1, '2025-01-01T00:00:00', 'first', 0, '{\"loss\": 1.5}')")
    writer.close()
    assert TrackioReader().claim(head_of(tmp_path / "old.db")).score == 1.0
    reading = at(TrackioReader(), tmp_path / "old.db").look()
    assert reading.values("loss", "trackio:.:old:first") == [(0, 1.5)]


def test_deleted_rows_begin_a_new_generation(tmp_path: Path) -> None:
    shutil.copy(DATABASE, tmp_path / "live.db")
    reading = at(TrackioReader(), tmp_path / "live.db").look()
    with sqlite3.connect(tmp_path / "live.db") as writer:
        writer.execute("DELETE FROM metrics WHERE run_name = 'run b'")
    writer.close()
    assert reading.look().generation == 1
    assert "loss" not in {key for run, key in reading.series if run == runs(reading).get("run b")}


def test_fragments_of_an_inbox_are_a_run() -> None:
    data = [path.read_bytes() for path in sorted(INBOX.glob("*.jsonl"))]
    run = f"trackio:data:{'c' * 32}"
    readings = []
    for path, text in zip(sorted(INBOX.glob("*.jsonl")), data, strict=True):
        assert TrackioInboxReader().claim(head_of(path)).score == 1.0
        readings.append(at(TrackioInboxReader(), path, FOLDER).feed(text, cuts=range(0, len(text), 37)))
    losses = [row for reading in readings for row in reading.values("loss", run)]
    assert rounded(losses) == rounded([(0, 1.0), (1, math.nan), (2, 1 / 3), (3, 0.25)])
    assert readings[0].of_kind("param", run) == {"lr": 0.2}
    assert [reading.fact("name", run=run) for reading in readings] == ["run c", "run c"]
    steps = [reading.values("system/gpu/util", run)[0][0] for reading in readings]
    assert steps == sorted(set(steps))
    assert "warn at step 1: slow" in readings[1].of_kind("note", run).values()


def test_an_imported_fragment_is_never_doubled(project: Project) -> None:
    """The database has all that the inbox has and more; each point is shown once."""
    shutil.copytree(FOLDER / "data", project.root, dirs_exist_ok=True)
    project.read()
    [run] = [run for run in project.query.runs() if run.name == "run c"]
    assert run.metrics["loss"].n == 4
    with sqlite3.connect(project.root / "myproj.db") as writer:
        sql = "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)"
        for step in range(5):
            writer.execute(sql, ("c" * 32, "2026-01-01T00:00:00", "run c", step, json.dumps({"loss": step})))
    writer.close()
    shutil.rmtree(project.root / "inbox")
    project.read()
    [run] = [run for run in project.query.runs() if run.name == "run c"]
    assert run.metrics["loss"].n == 5
    assert {run.name for run in project.query.runs()} == {"run a", "run b", "run c"}


def test_lines_that_are_no_records_are_refused() -> None:
    path = INBOX / "00000000.jsonl"
    broken = b'{"kind": "metric"}\n[]\nnonsense\n{"kind": "other", "project": "p", "run": "r"}\n'
    reading = at(TrackioInboxReader(), path).feed(broken + path.read_bytes())
    assert len(reading.rejects) == 4
    assert len(reading.series) == 2
