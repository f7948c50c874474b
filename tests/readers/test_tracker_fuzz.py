"""Whatever stands in a tracker's files, reading ends, raises nothing, writes nothing, and cuts change nothing."""

from __future__ import annotations

import json
import math
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.reading import at, head_of
from workbench.plugin.api import Reader
from workbench.readers.catboost import CatBoostReader
from workbench.readers.dvclive import DvcliveReader, DvcliveSummaryReader
from workbench.readers.huggingface.reader import HuggingFaceReader
from workbench.readers.optuna.journal import OptunaJournalReader
from workbench.readers.optuna.reader import OptunaReader
from workbench.readers.sacred import SacredReader
from workbench.readers.trackio.inbox import TrackioInboxReader
from workbench.readers.trackio.reader import TrackioReader

FIXTURES = Path(__file__).parents[1] / "fixtures"
QUICK = settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
WHOLE: list[tuple[type[Reader], str]] = [
    (HuggingFaceReader, "huggingface/out/trainer_state.json"),
    (SacredReader, "sacred/runs/2/run.json"),
    (SacredReader, "sacred/runs/1/metrics.json"),
    (DvcliveSummaryReader, "dvclive/dvclive/metrics.json"),
    (CatBoostReader, "catboost/catboost_info/catboost_training.json"),
]
DATABASES: list[tuple[type[Reader], str]] = [
    (OptunaReader, "optuna/study.db"),
    (TrackioReader, "trackio/data/myproj.db"),
]
LINES: list[tuple[type[Reader], str]] = [
    (OptunaJournalReader, "optuna/journal.log"),
    (TrackioInboxReader, "trackio/data/inbox/0123456789abcdef/00000000.jsonl"),
    (DvcliveReader, "dvclive/dvclive/plots/metrics/acc.tsv"),
]

SEEDS = st.integers(0, 2**32)
ODD: list[Any] = [
    None, True, 0, -1, 2**70, -0.5, 1e308, math.nan, -math.inf, "", "x", "NaN", "\x1b[2J", "2026-13-45", "9" * 400,
    [], [[]], [None, 1], {}, {"value": {}}, {"py/object": 1, "value": 2}, {"a": {"b": []}},
]  # fmt: skip
CELLS: list[Any] = [None, 0, -(2**63), 2**63 - 1, 0.5, math.inf, "", "x", "NaN", "[]", "{", b"", b"\xff{", '{"a": 1}']


def mutated(value: Any, chance: random.Random) -> Any:
    """The value with some of its parts replaced by odd ones, and some left out."""
    if chance.random() < 0.08:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {key: mutated(item, chance) for key, item in value.items() if chance.random() > 0.05}
    if isinstance(value, list):
        return [mutated(item, chance) for item in value]
    return value


def named(cases: list[tuple[type[Reader], str]]) -> Any:
    return pytest.mark.parametrize(("reader", "name"), cases, ids=[name for _, name in cases])


@named(WHOLE)
@given(SEEDS)
@QUICK
def test_a_json_file_of_anything(tmp_path: Path, reader: type[Reader], name: str, seed: int) -> None:
    chance, original = random.Random(seed), FIXTURES / name
    place = tmp_path / original.name
    read = place.with_name("run.json") if reader is SacredReader else place
    read.write_bytes((FIXTURES / "sacred/runs/2/run.json").read_bytes() if read != place else original.read_bytes())
    reading = at(reader(), read)
    for _ in range(2):
        place.write_text(json.dumps(mutated(json.loads(original.read_text()), chance)))
        before = {item: item.stat().st_mtime_ns for item in tmp_path.iterdir()}
        reader().claim(head_of(read))
        reading.messages.clear()
        reading.look()
        assert {item: item.stat().st_mtime_ns for item in tmp_path.iterdir()} == before
    if not reading.messages:  # else a file is not complete, and what it said before stays
        again = at(reader(), read).look()
        assert repr(sorted(again.series.items())) == repr(sorted(reading.series.items()))


@named(WHOLE + DATABASES)
@given(SEEDS)
@QUICK
def test_a_file_with_bytes_overwritten(tmp_path: Path, reader: type[Reader], name: str, seed: int) -> None:
    raw, chance = bytearray((FIXTURES / name).read_bytes()), random.Random(seed)
    for _ in range(chance.randint(1, 5)):
        start = chance.randrange(len(raw))
        raw[start : start + 4] = chance.randbytes(4)
    place = tmp_path / Path(name).name
    place.write_bytes(raw)
    reader().claim(head_of(place))
    at(reader(), place).look()
    assert place.read_bytes() == raw
    assert list(tmp_path.iterdir()) == [place]


@named(LINES)
@given(SEEDS)
@QUICK
def test_lines_of_anything_cut_anywhere(reader: type[Reader], name: str, seed: int) -> None:
    place, chance = FIXTURES / name, random.Random(seed)
    lines = place.read_bytes().splitlines()[:12]
    for position in chance.choices(range(len(lines)), k=chance.randint(0, 4)):
        try:
            lines[position] = json.dumps(mutated(json.loads(lines[position]), chance)).encode()
        except ValueError:
            lines[position] = chance.randbytes(chance.randint(0, 30)).replace(b"\n", b"")
    text = b"\n".join(lines) + b"\n"
    cuts = chance.choices(range(len(text)), k=6)
    assert at(reader(), place).feed(text, cuts).told == at(reader(), place).feed(text).told


@named(DATABASES)
@given(SEEDS)
@QUICK
def test_columns_that_hold_anything(tmp_path: Path, reader: type[Reader], name: str, seed: int) -> None:
    place, chance = tmp_path / Path(name).name, random.Random(seed)
    place.write_bytes((FIXTURES / name).read_bytes())
    writer = sqlite3.connect(place)
    writer.execute("PRAGMA synchronous = OFF")
    writer.execute("PRAGMA ignore_check_constraints = ON")
    tables = [row[0] for row in writer.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    for table in chance.choices(tables, k=4):
        column = chance.choice([row[1] for row in writer.execute(f"PRAGMA table_info({table})")])
        try:
            writer.execute(f'UPDATE {table} SET "{column}" = ?', (chance.choice(CELLS),))
        except sqlite3.Error:
            continue
    writer.commit()
    writer.close()
    reader().claim(head_of(place))
    at(reader(), place).look()


@pytest.mark.parametrize("reader", [OptunaReader, TrackioReader])
def test_tables_of_the_right_names_and_the_wrong_kinds(tmp_path: Path, reader: type[Reader]) -> None:
    writer = sqlite3.connect(tmp_path / "odd.db")
    names = {
        "studies": "study_id, study_name", "study_directions": "study_id, objective, direction",
        "trials": "trial_id, number, study_id, state, datetime_start, datetime_complete",
        "trial_params": "trial_id, param_name, param_value, distribution_json",
        "metrics": "id, run_id, run_name, timestamp, step, metrics", "configs": "id, run_id, run_name, config",
    }  # fmt: skip
    for table, columns in names.items():
        writer.execute(f"CREATE TABLE {table} ({columns})")
        for cell in (b"x", "y", 1.5, None, 3):
            width = columns.count(",") + 1
            writer.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", [cell] * width)
    writer.commit()
    writer.close()
    assert reader().claim(head_of(tmp_path / "odd.db")).score == 1.0
    at(reader(), tmp_path / "odd.db").look()
