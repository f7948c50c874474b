"""Event files for tests, and what protocol buffers' own decoder makes of them."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Sequence
from pathlib import PurePath

import numpy as np
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.proto.tensor_pb2 import TensorProto

from tests.fixtures import make_tensorboard as make
from workbench.core.batch import Batch, Chunk
from workbench.readers.tensorboard.reader import TensorBoardReader

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
            if value.tag.startswith("_hparams_/"):
                continue
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
