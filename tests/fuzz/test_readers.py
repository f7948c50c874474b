"""Whatever stands in a file: no reader raises, hangs, asks for ever more, or takes memory out of proportion."""

from __future__ import annotations

import tracemalloc
from pathlib import PurePath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.driving import Seed, claims, placed, read, seeds
from tests.fuzz.mutations import CHANGES, ODD, damaged
from workbench.ingest.readers import all_readers

FREE = settings(deadline=None, suppress_health_check=list(HealthCheck))
SHORT = settings(FREE, max_examples=12, derandomize=True)
KEPT, TIMES = 24 * 1024 * 1024, 60
"""Bytes that reading may take at once, whatever the file's size, and for each byte of the file."""
CUTS = st.lists(st.integers(0, 100_000), max_size=4)
each = pytest.mark.parametrize("seed", seeds(), ids=str)


def survives(seed: Seed, data: bytes, cuts: list[int]) -> None:
    with placed(seed, data) as place:
        siblings = frozenset(item.name for item in place.parent.iterdir())
        bids = claims(seed.path, data, str(place), siblings)
        many = any(bid.many_runs for bid in bids if bid.score == max(each.score for each in bids))
        read(seed.reader, seed.path, data, cuts, str(place), many_runs=many and seed.reader.name in _MANY)


_MANY = {"optuna", "optuna-journal", "trackio", "trackio-inbox", "mlflow-sqlite", "sklearn"}


@each
def test_the_seed_itself_is_read(seed: Seed) -> None:
    survives(seed, seed.data, [])


@each
@given(data=st.data())
@SHORT
def test_a_damaged_file(seed: Seed, data: st.DataObject) -> None:
    survives(seed, data.draw(damaged(seed.reader.name, seed.data)), data.draw(CUTS))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@each
@given(data=st.data())
@FREE
def test_a_damaged_file_many_times(seed: Seed, data: st.DataObject) -> None:
    survives(seed, data.draw(damaged(seed.reader.name, seed.data)), data.draw(CUTS))


NAMES = ["metrics.jsonl", "train.log", "out.csv", "history.json", "run.json", "x.wandb", "study.db", "a.wb.jsonl",
         "events.out.tfevents.1.host", "journal.log", "trainer_state.json", "meta.yaml", "metrics.json", "x.tsv",
         "catboost_training.json", "slurm-1.out", "cv_results.json"]  # fmt: skip
ANYTHING = st.one_of(
    st.binary(max_size=3000),
    st.lists(st.sampled_from([*ODD, b"\n", b"\n", b",", b"{", b"}", b'"loss": 1', b"step 1 loss 2"]), max_size=40).map(
        b"".join
    ),
)


@pytest.mark.parametrize("reader", all_readers(), ids=lambda reader: reader.name)
@given(name=st.sampled_from(NAMES), data=ANYTHING, cuts=CUTS)
@SHORT
def test_bytes_of_any_kind(reader: object, name: str, data: bytes, cuts: list[int]) -> None:
    survives(Seed(reader, PurePath(name), data), data, cuts)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("reader", all_readers(), ids=lambda reader: reader.name)
@given(name=st.sampled_from(NAMES), data=ANYTHING, cuts=CUTS)
@FREE
def test_bytes_of_any_kind_many_times(reader: object, name: str, data: bytes, cuts: list[int]) -> None:
    survives(Seed(reader, PurePath(name), data), data, cuts)


@each
@given(data=st.data())
@settings(FREE, max_examples=2, derandomize=True)
def test_memory_stays_in_proportion(seed: Seed, data: st.DataObject) -> None:
    file = data.draw(st.one_of(damaged(seed.reader.name, seed.data), st.builds(_many_times(seed.data), CHANGES)))
    survives(seed, seed.data, [])  # what is loaded and compiled once is not the file's doing
    tracemalloc.start()
    try:
        survives(seed, file, [])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < KEPT + TIMES * len(file), f"{peak:,} bytes for a file of {len(file):,}"


def _many_times(data: bytes):
    return lambda change: change(data * max(1, 300_000 // max(len(data), 1)))
