"""Whatever bytes stand in a tracker's files, reading ends, raises nothing, writes nothing, and a cut changes nothing."""

from __future__ import annotations

import json
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
from workbench.readers.huggingface import HuggingFaceReader
from workbench.readers.optuna import OptunaReader
from workbench.readers.optuna_journal import OptunaJournalReader
from workbench.readers.sacred import SacredReader
from workbench.readers.trackio import TrackioReader
from workbench.readers.trackio_inbox import TrackioInboxReader

FIXTURES = Path(__file__).parents[1] / "fixtures"
QUICK = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
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

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("NaN")
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=8)  # fmt: skip


def mutated(value: Any, data: st.DataObject) -> Any:
    """The value with some of its parts replaced by anything."""
    if data.draw(st.integers(0, 11)) == 0:
        return data.draw(anything)
    if isinstance(value, dict):
        return {key: mutated(item, data) for key, item in value.items() if data.draw(st.integers(0, 19))}
    if isinstance(value, list):
        return [mutated(item, data) for item in value]
    return value


def named(cases: list[tuple[type[Reader], str]]) -> Any:
    return pytest.mark.parametrize(("reader", "name"), cases, ids=[name for _, name in cases])


@named(WHOLE)
@given(st.data())
@QUICK
def test_a_json_file_of_anything(tmp_path: Path, reader: type[Reader], name: str, data: st.DataObject) -> None:
    original = FIXTURES / name
    place = tmp_path / original.name
    read = place.with_name("run.json") if reader is SacredReader else place
    read.write_bytes((FIXTURES / "sacred/runs/2/run.json").read_bytes() if read != place else original.read_bytes())
    reading = at(reader(), read)
    for _ in range(2):
        place.write_text(json.dumps(mutated(json.loads(original.read_text()), data)))
        before = {item: item.stat().st_mtime_ns for item in tmp_path.iterdir()}
        reader().claim(head_of(read))
        reading.look()
        assert {item: item.stat().st_mtime_ns for item in tmp_path.iterdir()} == before
    again = at(reader(), read).look()
    assert again.series == reading.series or repr(again.series) == repr(reading.series)


@named(WHOLE + DATABASES)
@given(st.data())
@QUICK
def test_a_file_with_bytes_overwritten(tmp_path: Path, reader: type[Reader], name: str, data: st.DataObject) -> None:
    raw = bytearray((FIXTURES / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at_byte = data.draw(st.integers(0, len(raw) - 1))
        raw[at_byte : at_byte + 4] = data.draw(st.binary(min_size=1, max_size=4))
    place = tmp_path / Path(name).name
    place.write_bytes(raw)
    reader().claim(head_of(place))
    at(reader(), place).look()
    assert place.read_bytes() == raw
    assert list(tmp_path.iterdir()) == [place]


@named(LINES)
@given(st.data())
@QUICK
def test_lines_of_anything_cut_anywhere(reader: type[Reader], name: str, data: st.DataObject) -> None:
    place = FIXTURES / name
    lines = place.read_bytes().splitlines()[:12]
    for _ in range(data.draw(st.integers(0, 4))):
        position = data.draw(st.integers(0, len(lines) - 1))
        try:
            changed = json.dumps(mutated(json.loads(lines[position]), data)).encode()
        except ValueError:
            changed = data.draw(st.binary(max_size=30))
        lines[position] = changed
    text = b"\n".join(lines) + b"\n"
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6))
    assert at(reader(), place).feed(text, cuts).told == at(reader(), place).feed(text).told


@named(DATABASES)
@given(st.data())
@QUICK
def test_columns_that_hold_anything(tmp_path: Path, reader: type[Reader], name: str, data: st.DataObject) -> None:
    place = tmp_path / Path(name).name
    place.write_bytes((FIXTURES / name).read_bytes())
    cells = (
        st.none()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats()
        | st.text(st.characters(codec="utf-8"), max_size=6)
        | st.binary(max_size=6)
    )
    writer = sqlite3.connect(place)
    writer.execute("PRAGMA ignore_check_constraints = ON")
    tables = [row[0] for row in writer.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    for _ in range(data.draw(st.integers(1, 4))):
        table = data.draw(st.sampled_from(tables))
        columns = [row[1] for row in writer.execute(f"PRAGMA table_info({table})")]
        try:
            writer.execute(f'UPDATE {table} SET "{data.draw(st.sampled_from(columns))}" = ?', (data.draw(cells),))
        except sqlite3.Error:
            continue
    writer.commit()
    writer.close()
    reader().claim(head_of(place))
    at(reader(), place).look()
