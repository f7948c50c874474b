"""Event files of any content, cut anywhere, damaged anywhere: what is read is what protocol buffers' decoder reads."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import HistogramProto, Summary

from tests.fixtures import make_tensorboard as make
from tests.support.event_files import expected_points, in_pieces, loop, points, read, records, scalar
from workbench.readers.tensorboard.columns import gather_columns
from workbench.readers.tensorboard.records import frame

# The property: any file, cut anywhere, reads as protobuf reads it

TAGS = st.one_of(
    st.sampled_from(["loss", "val/loss", "lr", "a", "", "_hparams_/experiment"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(1, 400).map(lambda n: "layer/" * (n // 6) + "x" * (n % 6 + 1)),
)
STEPS = st.one_of(st.integers(0, 300), st.integers(-(2**63), 2**63 - 1), st.sampled_from([127, 128, 2**31, 2**32]))
VALUES = st.one_of(st.floats(width=32), st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 0.0]))
WALLS = st.floats(allow_nan=False)


@st.composite
def summary_values(draw: st.DrawFn) -> Summary.Value:
    tag, value = draw(TAGS), draw(VALUES)
    match draw(st.integers(0, 5)):
        case 0:
            return Summary.Value(tag=tag, tensor=make.scalar_tensor(value, content=draw(st.booleans())))
        case 1:
            return Summary.Value(tag=tag, tensor=make.scalar_tensor(value, 2), metadata=make.metadata("scalars"))
        case 2:
            return Summary.Value(tag=tag, histo=HistogramProto(num=3.0, bucket=[1.0]))
        case _:
            return scalar(tag, value)


@st.composite
def event_files(draw: st.DrawFn) -> bytes:
    """Loops that repeat a few events with new numbers, between events that come once."""
    events: list[Event] = []
    for _ in range(draw(st.integers(1, 3))):
        cycle = draw(st.lists(st.lists(summary_values(), min_size=1, max_size=3), min_size=1, max_size=4))
        first, every = draw(STEPS), draw(st.sampled_from([0, 1, 50]))
        for turn in range(draw(st.sampled_from([1, 3, 40, 90]))):
            step = (first + turn * every + 2**63) % 2**64 - 2**63
            for values in cycle:
                wall = draw(WALLS) if turn < 2 else 1.7e9 + turn / 7
                event = make.value_event(step, *values, wall=wall)
                for value in event.summary.value:
                    if value.WhichOneof("value") == "simple_value":
                        value.simple_value = draw(VALUES) if turn < 2 else np.float32(turn / 3)
                events.append(event)
    return make.event_file(events)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(event_files(), st.data())
def test_any_file_cut_anywhere_reads_as_protobuf_reads_it(data, draw):
    expected = expected_points(data)
    assert points(read(data)) == expected
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=4)))
    seen, batches = in_pieces(data, cuts)
    assert seen == expected
    assert not any(batch.rejects for batch in batches)
    assert sum(batch.accepted for batch in batches) == len(list(records(data)))


def test_a_file_cut_at_every_byte():
    data = loop(["loss", "val/loss"], range(15))
    expected = expected_points(data)
    for cut in range(len(data) + 1):
        seen, batches = in_pieces(data, [cut])
        assert seen == expected, cut
        assert batches[0].consumed <= cut
        assert batches[0].message == ""


def test_every_point_of_a_usual_loop_comes_by_columns():
    tags = [f"group{i % 3}/metric_{'x' * i}" for i in range(20)]
    data = loop(tags, range(1, 400))
    frames = frame(data)
    columns, singles = gather_columns(data, frames)
    assert singles.tolist() == [0]
    assert sum(len(part.record) for part in columns) == 20 * 399
    assert points(read(data)) == expected_points(data)


def test_tags_that_come_in_no_order_at_all():
    order = np.random.default_rng(7).integers(0, 5, 2000)
    data = make.event_file(make.value_event(i, scalar("m" * (k + 1), i)) for i, k in enumerate(order.tolist()))
    assert points(read(data)) == expected_points(data)


# Damage


def test_any_one_byte_changed_loses_that_record_and_no_other_and_never_raises():
    data = loop(["loss", "acc"], range(14))
    offsets = [at for at, _ in records(data)]
    clean = expected_points(data)
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x10
        batch = read(bytes(broken))
        hit = max(o for o in offsets if o <= at)
        if at - hit < 12:
            assert batch.consumed == hit
            assert f"damaged at byte {hit}" in batch.message
            assert points(batch) == [p for p in clean if p[4] < hit]
        else:
            assert [r.offset for r in batch.rejects] == [hit]
            assert batch.rejects[0].reason.startswith("E201")
            assert points(batch) == [p for p in clean if p[4] != hit]
            assert batch.accepted + len(batch.rejects) == len(offsets)


def test_a_byte_changed_in_a_long_loop_loses_that_record_and_no_other():
    data = loop(["loss", "val/loss", "lr"], range(100, 200))
    offsets = [at for at, _ in records(data)]
    clean = expected_points(data)
    assert len(frame(data).cycles) == 2
    for at in np.random.default_rng(5).integers(0, len(data), 250).tolist():
        broken = bytearray(data)
        broken[at] ^= 0x81
        hit = max(o for o in offsets if o <= at)
        batch = read(bytes(broken))
        if at - hit < 12:
            assert (batch.consumed, points(batch)) == (hit, [p for p in clean if p[4] < hit])
        else:
            assert [r.offset for r in batch.rejects] == [hit]
            assert points(batch) == [p for p in clean if p[4] != hit]


def test_a_loop_whose_tag_changes_keeps_its_lengths_and_is_read_right():
    tags = [["aa", "bb"], ["aa", "cc"], ["dd", "bb"]]
    events = [make.value_event(200 + i, scalar(t, i / 3)) for i in range(120) for t in tags[i // 50]]
    data = make.event_file(events)
    assert points(read(data)) == expected_points(data)


def test_what_waited_behind_a_damaged_length_is_read_once_it_heals():
    data = loop(["loss"], range(30))
    cut = [at for at, _ in records(data)][10]
    hole = data[:cut] + bytes(100) + data[cut + 100 :]
    before = read(hole)
    assert before.consumed == cut
    assert not before.rejects
    after = read(data[cut:], cut, dict(before.state))
    assert points(before) + points(after) == expected_points(data)
    assert after.message == ""


@pytest.mark.parametrize("arrived", [0, 5, 12, 30, 38])
def test_a_tail_of_nuls_is_not_data_yet(arrived):
    data = loop(["loss"], range(30))
    cut = [at for at, _ in records(data)][20]
    tail = data[: cut + arrived] + bytes(4096)
    before = read(tail[: len(data)])
    assert before.consumed == cut
    assert not before.rejects
    assert "not arrived" in before.message
    assert points(before) + points(read(data[cut:], cut, dict(before.state))) == expected_points(data)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.sampled_from([1, 30]), st.binary(max_size=40))
def test_nonsense_with_right_checksums_never_raises_and_is_counted(bodies, repeats, tail):
    event = make.value_event(300, scalar("loss", 1.0)).SerializeToString()
    bodies = [event[: 10 + len(body)] + body if i % 2 else body for i, body in enumerate(bodies)]
    batch = read(b"".join(make.record(body) for body in bodies * repeats) + tail)
    assert batch.accepted + len(batch.rejects) == len(bodies) * repeats


def test_a_record_that_is_no_event_is_kept_among_the_rejects():
    data = loop(["loss"], range(3))
    batch = read(data + make.record(b"\xff\xff\xff\xff") + data)
    assert [(r.offset, r.length) for r in batch.rejects] == [(len(data), 20)]
    assert batch.rejects[0].reason.startswith("E202")
    assert batch.rejects[0].excerpt == make.record(b"\xff\xff\xff\xff")
    assert len(batch.points) == 6


def test_a_record_longer_than_64_mib_is_refused_and_what_follows_is_read():
    length = struct.pack("<Q", (64 << 20) + 1)
    header = length + struct.pack("<I", make.masked_crc32c(length))
    before, after = loop(["loss"], range(3)), loop(["acc"], range(3))
    body = (64 << 20) + 5
    one = read(before + header + bytes(100))
    assert [(r.offset, r.length) for r in one.rejects] == [(len(before), body + 12)]
    assert one.rejects[0].reason.startswith("E200")
    assert one.consumed == len(before) + 112
    rest = bytes(body - 100) + after
    two = read(rest[: 1 << 20], one.consumed, dict(one.state))
    assert (two.consumed, len(two.points)) == (1 << 20, 0)
    three = read(rest[1 << 20 :], one.consumed + two.consumed, dict(two.state))
    assert points(three) == [(k, s, w, v, o + len(before) + 12 + body) for k, s, w, v, o in expected_points(after)]
