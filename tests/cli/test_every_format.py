"""A folder that holds every tracker's logs at once: every run is listed once, as its own library tells of it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import program
from tests.support.every_format import OPEN, WAITING, Told, all_told, copy_all
from workbench.ingest.readers import all_readers

TOLD = list(all_told())
LONG_AGO = 1_700_000_000.0
"""When all files were written: whatever the day of the test, nothing is being written now."""
Point = tuple[int, float]


@dataclass(frozen=True)
class Listing:
    """What the commands printed."""

    root: Path
    runs: list[dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    points: dict[str, dict[str, list[Point]]]
    """By run id and key."""


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listing]:
    root = tmp_path_factory.mktemp("everything") / "project"
    root.mkdir()
    copy_all(root, LONG_AGO)
    done = program("watch", "--once", root)
    assert done.code == 0, done.err
    assert "0 refused" in done.err
    points: dict[str, dict[str, list[Point]]] = {}
    for row in program("export", "points", "--format", "json", cwd=root).json:
        points.setdefault(row["run_id"], {}).setdefault(row["key"], []).append((row["step"], float(row["value"])))
    yield Listing(
        root, program("runs", "--all", "--format", "json", cwd=root).json,
        {source["path"]: source for source in program("sources", "--format", "json", cwd=root).json}, points,
    )  # fmt: skip
    shutil.rmtree(root)


def runs_of(listing: Listing, told: Told) -> list[dict[str, Any]]:
    return [
        run
        for run in listing.runs
        if (run["format"], run["path"]) == (told.format, told.path) and told.name in ("", run["name"])
    ]


def same(found: list[Point], expected: list[Point], exactly: bool) -> None:
    """Equal points; of one step, in any order, since a writer may log two at a time."""
    by_step = [sorted(rows, key=lambda row: (row[0], repr(row[1]))) for rows in (found, expected)]
    assert [step for step, _ in by_step[0]] == [step for step, _ in by_step[1]]
    values = [[value for _, value in rows] for rows in by_step]
    rough = {"rel": 0, "abs": 0} if exactly else {"rel": 1e-3, "abs": 6e-6}
    assert values[0] == pytest.approx(values[1], nan_ok=True, **rough)


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.format}-{told.path}-{told.name}")
def test_a_run_is_listed_once_as_its_writer_tells_of_it(listing: Listing, told: Told) -> None:
    [run] = runs_of(listing, told)
    assert {key: run["params"].get(key) for key in told.params} == dict(told.params)
    alike = (OPEN, WAITING) if told.status == OPEN else (told.status,)  # logs that were made anew are fresh
    assert run["status"] in alike, run["status_reason"]
    found = listing.points.get(run["id"], {})
    unsaid = [key for key in found.keys() - told.points.keys() if not any(key.startswith(own) for own in told.also)]
    assert not unsaid
    for key, expected in told.points.items():
        same(found[key], list(expected), told.exactly)
        finite = [value for _, value in expected if math.isfinite(value)]
        assert run["metrics"][key]["n"] == len(expected) and (not finite or run["metrics"][key]["min"] is not None)


def test_nothing_else_is_listed_and_every_format_is_there(listing: Listing) -> None:
    assert len(listing.runs) == len(TOLD)
    assert len({run["id"] for run in listing.runs}) == len(TOLD)
    readers = {reader.name for reader in all_readers()} - {"workbench"}  # the tracking API has its own tests
    assert {source["format"] for source in listing.sources.values() if source["format"]} >= readers - {"params"}


def test_every_file_is_accounted_for(listing: Listing) -> None:
    """In Sources: read, or covered by another; what is in no list is covered, or holds no log."""
    for source in listing.sources.values():
        assert source["status"] in ("live", "covered"), source
        assert source["rejected"] == 0
        if source["status"] == "covered":
            assert source["message"].removeprefix("read through ") in listing.sources
    files = {str(path.relative_to(listing.root)) for path in listing.root.rglob("*") if path.is_file()}
    others = {path for path in files - listing.sources.keys() if not path.startswith(".workbench")}
    through = ("catboost/", "csv/mmengine/", "mlflow/mlruns/", "sacred/runs/")
    assert not [path for path in others if not path.startswith(through)]
