"""W&B run files of any content, cut anywhere, damaged anywhere: the result is that of one read."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import wandb_files as make
from tests.support.wandb_files import facts, field, framed, in_pieces, item, points, read, record, row
from workbench.core.batch import Batch
from workbench.readers.wandb import columns as wandb_columns
from workbench.readers.wandb.log import BLOCK, frame

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "wandb").rglob("*.wandb"))
BIG = framed([make.run(), *(row(i, **{f"m{k}": i * k / 7 for k in range(12)}) for i in range(400))])
GOOD = set(points(read(BIG)))


def result(batches: list[Batch]) -> tuple:
    """Everything that reaches the store."""
    console = [(line.text, line.stream, line.wall, line.offset) for batch in batches for line in batch.console]
    drawn = [(h.key, h.step, h.edges.tolist(), h.counts.tolist()) for batch in batches for h in batch.histograms]
    rejects = [(r.offset, r.length, r.reason[:4]) for batch in batches for r in batch.rejects]
    accepted = sum(batch.accepted for batch in batches)
    return points(*batches), facts(*batches), console, drawn, rejects, accepted, batches[-1].message


# Growing files


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(3))
def test_a_file_that_grows_by_any_pieces_is_read_as_at_once(path, seed):
    data = path.read_bytes()
    cuts = sorted(random.Random(seed).choices(range(len(data)), k=12))
    assert result(in_pieces(data, cuts)) == result([read(data)])


def test_a_record_cut_at_every_byte_waits_and_loses_nothing():
    data = framed([make.run(), row(0, loss=1.0), row(1, loss=2.0), record(18, b"")])
    whole = result([read(data)])
    for cut in range(len(data) + 1):
        batches = in_pieces(data, [cut])
        assert result(batches) == whole, cut
        assert batches[0].consumed <= cut


def test_records_longer_than_blocks():
    words = "x" * (3 * BLOCK)
    data = framed([make.run(), row(0, loss=1.0, word=words), row(1, loss=2.0)])
    cuts = list(range(0, len(data), 5000))
    assert result(in_pieces(data, cuts)) == result([read(data)])
    assert len(facts(read(data))["summary", "word"]) == 4096


@pytest.mark.parametrize("lengths", [range(32740, 32775), range(65480, 65510)], ids=["first block", "second"])
def test_records_that_end_at_a_border(lengths):
    for length in lengths:
        data = framed([record(2, bytes(length - 40)), row(1, loss=2.0)])
        batch = read(data)
        assert [key for key, *_ in points(batch)] == ["loss"], length
        assert batch.consumed == len(data)


# The quick way and the slow one

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, -0.0, 1e-310, 1e308, 0.1 + 0.2, 123456789.123456789])
)
VALUES = st.one_of(
    NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.none(), st.text(max_size=8), st.lists(NUMBERS, max_size=3),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "I", "-"]), st.just({"_type": "image-file", "size": 1}),
    st.dictionaries(st.sampled_from("ab"), NUMBERS, max_size=2),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(["loss", "acc", "epoch", "_step", "_timestamp", "_runtime", "train/loss", "x" * 130, "é"]),
    st.text(max_size=12),
)
RAW = st.sampled_from(
    [b"1 2", b"1,2", b"01", b"-", b"", b"1e999", b"-1e-999", b"1_0", b"\xff", b"[1", b'"\\ud800"', b"1" * 90]
)


@st.composite
def rows(draw: st.DrawFn) -> list[bytes]:
    """Rows of a few shapes, some of which repeat often enough to be read by columns."""
    out: list[bytes] = []
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(st.lists(st.tuples(st.lists(KEYS, min_size=1, max_size=3), VALUES), max_size=5))
        raw = draw(st.one_of(st.none(), st.none(), RAW))
        typed = draw(st.booleans())
        for i in range(draw(st.sampled_from([1, 30]))):
            items = [
                item(path, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) for path, value in shape
            ]
            items += [] if raw is None else [item(["raw"], raw)]
            items += [field(2, "typed") + field(6, i / 7) + field(16, "7")] if typed else []
            items += [item(["_step"], str(i)), item(["loss"], repr(i / 3))]
            if i % 3 == 0:
                items.reverse()
            out.append(record(2, b"".join(field(1, each) for each in items) + field(2, field(1, i))))
    return out


@settings(max_examples=50, deadline=None, derandomize=True)
@given(rows(), st.booleans())
def test_columns_read_what_single_rows_do(found, defined):
    definition = [record(12, field(1, "loss") + field(4, "epoch"))] if defined else []
    data = framed([make.run(), *definition, *found])
    quick = result([read(data)])
    fewest, wandb_columns._FEWEST = wandb_columns._FEWEST, 10**9
    try:
        slow = result([read(data)])
    finally:
        wandb_columns._FEWEST = fewest
    assert quick == slow
    assert quick == result(in_pieces(data, sorted({len(data) // 3, len(data) // 2})))


def test_of_a_key_twice_in_a_row_the_last_value_holds():
    spelled = [("null", "0.5"), ("0.5", "null"), ("1.5", "0.5"), ('"x"', "0.5"), ("0.5", '"x"')]
    rows = [
        record(2, b"".join(field(1, item(["loss"], value)) for value in spelled[i % 5]) + field(2, field(1, i)))
        for i in range(50)
    ]
    batch = read(framed([make.run(), *rows]))
    assert make.values(batch, "loss") == [(i, 0.5) for i in range(50) if i % 5 in (0, 2, 3)]


def test_usual_rows_come_by_columns():
    data = framed([row(i, loss=i / 7, acc=-i, word="w", flag=True) for i in range(60)])
    found = frame(data[7:], 7)
    padded = found.data + bytes(wandb_columns.PAD)
    lo, hi = wandb_columns.bodies(padded, np.array(found.lo), np.array(found.hi), 2)
    items, step, odd = wandb_columns.gather(padded, lo, hi)
    assert not odd.any()
    assert step.tolist() == list(range(60))
    assert len(items.value) == 60 * 5


# Damage


def offsets_of_blocks(data: bytes) -> range:
    return range(BLOCK, len(data), BLOCK)


@pytest.mark.parametrize("at", [100, BLOCK - 3, BLOCK + 5000, 2 * BLOCK + 7])
def test_a_damaged_block_costs_what_is_left_of_it_and_no_more(at):
    broken = bytearray(BIG)
    broken[at] ^= 0x55
    batch = read(bytes(broken))
    lost = set(points(read(BIG))) - set(points(batch))
    next_block = (at // BLOCK + 1) * BLOCK
    assert lost
    assert {o for *_, o in lost if o > at} <= set(range(at, next_block))
    assert len(batch.rejects) >= 1
    assert all(r.reason.startswith("E201 damaged block") and r.offset <= at for r in batch.rejects)
    assert batch.consumed == len(BIG)
    cuts = [at + 3, at + 1000, next_block, next_block + 50]
    assert result(in_pieces(bytes(broken), cuts)) == result([batch])


def test_damage_in_the_last_block_waits_for_the_next_and_says_so():
    data = BIG[: 2 * BLOCK + 4000]
    broken = bytearray(BIG)
    broken[2 * BLOCK + 2500] ^= 1
    before = read(bytes(broken[: len(data)]))
    assert before.rejects == ()
    assert before.consumed <= 2 * BLOCK + 2500
    assert "damaged" in before.message


@pytest.mark.parametrize("arrived", [0, 3, 7, 30, 400])
def test_a_tail_of_nuls_is_not_data_yet(arrived):
    cut = points(read(BIG))[700][4]
    tail = BIG[: cut + arrived] + bytes(5000)
    before = read(tail[: len(BIG)])
    assert before.rejects == ()
    after = make.read(BIG, before.consumed, dict(before.state))
    assert points(before, after) == points(read(BIG))


def test_parts_without_their_beginning_or_end_are_named():
    data = bytearray(framed([make.run()]))
    data += (
        make.chunk(2, b"lost")
        + make.chunk(1, row(1, loss=1.0))
        + make.chunk(4, b"orphan")
        + make.chunk(1, row(2, loss=2.0))
    )
    batch = read(bytes(data))
    assert [r.reason[:4] for r in batch.rejects] == ["E203", "E203"]
    assert [s for _, s, *_ in points(batch)] == [1, 2]
    assert batch.accepted == 3


# Nonsense


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_nonsense_never_raises_and_every_record_is_counted(draw):
    numbers = [2, 3, 4, 5, 7, 10, 12, 13, 17, 18, 23, 26, 27, 99]
    body = st.one_of(
        st.binary(max_size=60),
        st.lists(
            st.builds(
                field, st.integers(1, 30), st.one_of(st.binary(max_size=30), st.integers(0, 2**64 - 1), st.floats())
            ),
            max_size=6,
        ).map(b"".join),
        st.builds(lambda raw: field(1, item("k", raw)), st.binary(max_size=20)),
        st.just(field(1, item("k", "[" * 5000))),
    )
    bodies = draw.draw(st.lists(st.tuples(st.sampled_from(numbers), body), min_size=1, max_size=6))
    repeats = draw.draw(st.sampled_from([1, 30]))
    tail = draw.draw(st.binary(max_size=40))
    records = [record(number, raw) for number, raw in bodies] * repeats
    data = framed(records)
    batch = read(data + tail)
    assert batch.consumed >= len(data)
    assert batch.accepted + len([r for r in batch.rejects if r.offset < len(data)]) == len(records)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, len(BIG) - 1), st.binary(min_size=1, max_size=200))
def test_overwritten_bytes_never_raise_and_never_stop_the_reading(at, junk):
    data = BIG[:at] + junk + BIG[at + len(junk) :]
    batch = read(data)
    good = GOOD
    assert set(points(batch)) <= good
    assert {p for p in good if p[4] >= (max(at + len(junk), 7) // BLOCK + 1) * BLOCK} <= set(points(batch))
