"""Event files, checked against what protocol buffers' own decoder makes of the same bytes."""

from __future__ import annotations

import importlib.util
import json
import math
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboardX.proto.summary_pb2 import HistogramProto, Summary
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

from workbench.core.batch import Batch, Chunk, Fact, Head
from workbench.readers.tensorboard import TensorBoardReader, run_folder
from workbench.readers.tfevent_columns import gather_columns
from workbench.readers.tfrecord import frame

_MAKER = Path(__file__).parent.parent / "fixtures" / "make_tensorboard.py"
_spec = importlib.util.spec_from_file_location("make_tensorboard", _MAKER)
make = importlib.util.module_from_spec(_spec)
sys.modules["make_tensorboard"] = make
_spec.loader.exec_module(make)

FIXTURES = make.FOLDER
PATH = PurePath("events.out.tfevents.1.host.1.0")
Point = tuple[str, int, float, bytes, int]


def read(data: bytes, start: int = 0, state: dict | None = None, *, final: bool = False) -> Batch:
    batch = TensorBoardReader().read(Chunk(PATH, data, start, state or {}, final))
    json.dumps(batch.state)
    return batch


def points(batch: Batch) -> list[Point]:
    """(key, step, wall, bits of the value, offset): bits, since NaN and -0.0 count."""
    p = batch.points
    rows = zip(p.key, p.step, p.wall, p.value, p.offset, strict=True)
    return [(p.keys[k], int(s), float(w), bits(v), int(o)) for k, s, w, v, o in rows]


def bits(value: float) -> bytes:
    return b"nan" if math.isnan(value) else struct.pack("<d", value)


def records(data: bytes) -> Iterator[tuple[int, Event]]:
    """The oracle: records by their lengths, decoded by protobuf."""
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        yield at, Event.FromString(data[at + 12 : at + 12 + length])
        at += 16 + length


def expected_points(data: bytes) -> list[Point]:
    rows = []
    for at, event in records(data):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                number = value.simple_value
            elif value.HasField("tensor") and not value.tensor.tensor_shape.dim and value.tensor.dtype != 7:
                number = tensor_number(value.tensor)
            else:
                continue
            rows.append((value.tag, event.step, event.wall_time, bits(number), at))
    return rows


def tensor_number(tensor: TensorProto) -> float:
    if tensor.tensor_content:
        kind = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}[tensor.dtype]
        return float(np.frombuffer(tensor.tensor_content, kind)[0])
    if tensor.half_val:
        return float(np.array(tensor.half_val[0], np.uint16).view(np.float16))
    listed = [*tensor.float_val, *tensor.double_val, *tensor.int_val, *tensor.int64_val]
    return float(listed[0])


def scalar(tag: str, value: float) -> Summary.Value:
    return Summary.Value(tag=tag, simple_value=value)


def loop(tags: Sequence[str], steps: Sequence[int]) -> bytes:
    """What a training loop writes."""
    return make.event_file(make.value_event(s, scalar(t, s / 7)) for s in steps for t in tags)


def in_pieces(data: bytes, cuts: Sequence[int]) -> tuple[list[Point], list[Batch]]:
    """Read a file that grows to each cut in turn, as the ingester does."""
    at, state, seen, batches = 0, {}, [], []
    for cut in [*cuts, len(data)]:
        batch = read(data[at:cut], at, json.loads(json.dumps(state)))
        seen += points(batch)
        at, state = at + batch.consumed, batch.state
        batches.append(batch)
    assert at == len(data)
    return seen, batches


# What real loggers write


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*tfevents*")), ids=lambda p: str(p.relative_to(FIXTURES)))
def test_real_files_read_as_protobuf_reads_them(path):
    data = path.read_bytes()
    batch = read(data)
    assert points(batch) == expected_points(data)
    assert (batch.consumed, batch.rejects) == (len(data), ())
    assert batch.accepted == len(list(records(data)))


def test_a_torch_run_has_its_note_and_counts_what_is_not_read():
    batch = read(next(FIXTURES.glob("torch/*tfevents*")).read_bytes())
    assert [(f.kind, f.key, f.value) for f in batch.facts] == [("note", "setup", "two layers, [red]no dropout[/]")]
    assert batch.message == "not read yet: histograms 1"
    assert {"train/loss", "lr"} <= set(batch.points.keys)


def test_hyperparameters_come_from_the_session_folder_and_belong_to_the_run_above():
    path = next(FIXTURES.glob("torch/*/*tfevents*"))
    facts = {(f.kind, f.key): f.value for f in read(path.read_bytes()).facts}
    assert {k[1]: v for k, v in facts.items() if k[0] == "param"} == {
        "lr": 0.1, "layers": 2, "optimizer": "sgd", "amp": True,
    }  # fmt: skip
    assert facts["status", "hparams session ended: success"] == "finished"
    assert run_folder(path) == (FIXTURES / "torch", "")


def test_a_file_that_takes_a_run_up_again_says_from_which_step():
    first, second = (read(p.read_bytes()) for p in sorted((FIXTURES / "resumed").iterdir()))
    assert first.purges == ()
    assert [p.step for p in second.purges] == [6]
    assert second.points.step.min() == 6


def test_values_whose_step_goes_back_are_all_kept():
    data = loop(["loss"], [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6])
    assert read(data).points.step.tolist() == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6]


# Encodings


@pytest.mark.parametrize("repeats", [1, 60], ids=["one by one", "by columns"])
@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize(("dtype", "value"), [(1, 0.1), (2, 0.1), (3, -7), (9, -(2**40)), (19, 0.1)])
def test_scalars_written_as_tensors(dtype, value, content, repeats):
    tensor = (
        TensorProto(dtype=19, tensor_shape=TensorShapeProto(), half_val=[int(np.float16(value).view(np.uint16))])
        if dtype == 19 and not content
        else make.scalar_tensor(value, dtype, content=content)
    )
    one = Summary.Value(tag="loss", tensor=tensor, metadata=make.metadata("scalars"))
    data = make.event_file(make.value_event(s, one) for s in range(repeats))
    assert points(read(data)) == expected_points(data)
    assert len(read(data).points) == repeats


def test_curves_are_no_scalars_although_they_are_tensors_of_floats():
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    curve = TensorProto(dtype=1, tensor_shape=shape, float_val=[0.5])
    value = Summary.Value(tag="pr", tensor=curve, metadata=make.metadata("pr_curves"))
    batch = read(make.event_file(make.value_event(s, value) for s in range(40)))
    assert len(batch.points) == 0
    assert batch.message == "not read yet: pr_curves 40"


def test_a_float32_comes_back_as_the_double_of_the_same_value():
    batch = read(make.event_file([make.value_event(0, scalar("loss", 0.1))]))
    assert batch.points.value.tolist() == [float(np.float32(0.1))]


def test_the_zero_that_keras_hangs_on_hyperparameters_is_no_metric():
    start = HParamsPluginData(session_start_info=SessionStartInfo(start_time_secs=5.0, group_name="g"))
    meta = make.metadata("hparams", start.SerializeToString())
    value = Summary.Value(tag="_hparams_/session_start_info", tensor=make.scalar_tensor(0.0), metadata=meta)
    batch = read(make.event_file([make.value_event(0, value)]))
    assert len(batch.points) == 0
    assert [(f.kind, f.key, f.value) for f in batch.facts] == [("tag", "group", "g"), ("started", "", 5.0)]


@pytest.mark.parametrize(("status", "told"), [(1, "finished"), (2, "failed"), (3, None), (0, None)])
def test_how_a_session_ended(status, told):
    end = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=9.0))
    value = Summary.Value(tag="_hparams_/session_end_info", metadata=make.metadata("hparams", end.SerializeToString()))
    facts = {f.kind: f.value for f in read(make.event_file([make.value_event(0, value)])).facts}
    assert facts.get("status") == told
    assert facts["ended"] == 9.0


def test_a_note_is_known_as_one_although_only_its_first_value_says_so():
    def note(words: str, **more: object) -> Event:
        tensor = TensorProto(dtype=7, tensor_shape=TensorShapeProto(), string_val=[words.encode()])
        return make.value_event(0, Summary.Value(tag="plan", tensor=tensor, **more))

    first = make.event_file([note("one", metadata=make.metadata("text"))])
    second = make.record(note("two").SerializeToString())
    before = read(first)
    after = read(second, len(first), dict(before.state))
    assert after.facts == (Fact("note", "two", "plan", make.START, len(first)),)


# The property: any file, cut anywhere, reads as protobuf reads it

TAGS = st.one_of(
    st.sampled_from(["loss", "val/loss", "lr", "a", ""]),
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


@settings(max_examples=60, deadline=None)
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
    data = loop(["loss", "val/loss"], range(15)) + make.record(b"\x08")[:0]
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


def test_a_restart_marked_by_its_session_log():
    start = Event(wall_time=1.0, step=100, session_log=SessionLog(status=SessionLog.START))
    stop = Event(wall_time=2.0, step=200, session_log=SessionLog(status=SessionLog.STOP))
    batch = read(make.event_file([start, stop]))
    assert [p.step for p in batch.purges] == [100]
    assert batch.accepted == 3


# Which files, and which runs

GOOD = loop(["loss"], [1])


@pytest.mark.parametrize(
    ("name", "head", "score"),
    [
        ("events.out.tfevents.1.host.1.0", GOOD, 1.0),
        ("events.out.tfevents", GOOD, 1.0),
        ("events.out.tfevents.1.host.1.0.v2", GOOD[:12], 1.0),
        ("events.out.tfevents.1.host", b"", 0.5),
        ("events.out.tfevents.1.host", GOOD[:7], 0.5),
        ("events.out.tfevents.1.host", bytes(50), 0.5),
        ("events.out.tfevents.1.host", b"not a record at all", 0.0),
        ("metrics.jsonl", GOOD, 0.0),
    ],
)
def test_which_files_it_claims(name, head, score):
    assert TensorBoardReader().claim(Head(PurePath("run") / name, head, len(head))).score == score


@pytest.mark.parametrize(
    ("folder", "run", "prefix"),
    [
        ("runs/exp1", "runs/exp1", ""),
        ("runs/exp1/1763791234.123456", "runs/exp1", ""),
        ("logs/train", "logs", "train/"),
        ("logs/validation", "logs", "validation/"),
        ("train", ".", "train/"),
        ("logs/train/1763791234.5", "logs", "train/"),
        ("runs/detect/train", "runs/detect/train", ""),
        ("runs/exp1/loss_train", "runs/exp1/loss_train", ""),
        ("runs/training", "runs/training", ""),
        ("runs/2024.5", "runs/2024.5", ""),
    ],
)
def test_which_run_a_file_belongs_to(folder, run, prefix):
    path = PurePath(folder) / PATH
    assert run_folder(path) == (PurePath(run), prefix)
    assert TensorBoardReader().run_folder(path) == run_folder(path)
