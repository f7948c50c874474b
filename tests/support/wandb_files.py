"""W&B run files for tests: records built field by field, framed as W&B frames them."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

from workbench.core.batch import Batch, Chunk
from workbench.readers.wandb.log import BLOCK, MAGIC
from workbench.readers.wandb.reader import WandbReader

PATH = PurePath("wandb/run-20260101_000000-abc/run-abc.wandb")
START = 1_790_000_000.0
HIDDEN = {"_step", "_timestamp", "_runtime"}
SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | float | bytes | str) -> bytes:
    """One field of a message; text and messages by length, floats as doubles."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def item(path: str | Sequence[str], value_json: str | bytes) -> bytes:
    keys = field(1, path) if isinstance(path, str) else b"".join(field(2, part) for part in path)
    return keys + field(16, value_json)


def history(step: int | None, **values: Any) -> bytes:
    """A HistoryRecord as W&B's core writes it, with its step and time."""
    if step is not None:
        values = {"_step": step, "_timestamp": START + step, "_runtime": step, **values}
    items = b"".join(field(1, item([key], json.dumps(value))) for key, value in values.items())
    return items + (b"" if step is None else field(2, field(1, step) if step else b""))


def record(number: int, body: bytes, num: int = 1) -> bytes:
    return field(1, num) + field(number, body) + field(200, field(1, "stream"))


def row(step: int, **values: Any) -> bytes:
    return record(2, history(step, **values), step + 1)


def time(seconds: float) -> bytes:
    return field(1, int(seconds)) + field(2, int(seconds % 1 * 1e9))


def run(run_id: str = "abc", *more: bytes, start: float = START) -> bytes:
    return record(17, field(1, run_id) + b"".join(more) + field(17, time(start)))


def chunk(kind: int, data: bytes) -> bytes:
    return struct.pack("<IHB", zlib.crc32(bytes([kind]) + data), len(data), kind) + data


def framed(records: Iterable[bytes]) -> bytes:
    """The bytes of a run file."""
    out = bytearray(MAGIC)
    for data in records:
        at, first = 0, True
        while first or at < len(data):
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                left = BLOCK
            part = data[at : at + left - 7]
            last = at + len(part) == len(data)
            out += chunk({(1, 1): 1, (1, 0): 2, (0, 0): 3, (0, 1): 4}[first, last], part)
            at, first = at + len(part), False
    return bytes(out)


def read(data: bytes, start: int = 0, state: dict | None = None, *, final: bool = False) -> Batch:
    batch = WandbReader().read(Chunk(PATH, data[start:], start, state or {}, final))
    json.dumps(batch.state, allow_nan=False)
    return batch


def points(*batches: Batch) -> list[tuple[str, int, float, str, int]]:
    """(key, step, wall, value, offset) of all points, sorted: within a row W&B keeps no order."""
    rows = []
    for batch in batches:
        p = batch.points
        rows += [
            (p.keys[k], int(s), float(w) if math.isfinite(w) else -1.0, repr(float(v)), int(o))
            for k, s, w, v, o in zip(p.key, p.step, p.wall, p.value, p.offset, strict=True)
        ]
    return sorted(rows)


def values(batch: Batch, key: str) -> list[tuple[int, float]]:
    """(step, value) of one key, in order."""
    p = batch.points
    return [(int(s), float(v)) for k, s, v in zip(p.key, p.step, p.value, strict=True) if p.keys[k] == key]


def facts(*batches: Batch) -> dict[tuple[str, str], Any]:
    """The last value of each (kind, key)."""
    return {(fact.kind, fact.key): fact.value for batch in batches for fact in batch.facts}


def in_pieces(data: bytes, cuts: Sequence[int]) -> list[Batch]:
    """Read a file that grows to each cut in turn, as the ingester does."""
    at, state, batches = 0, {}, []
    for cut in [*cuts, len(data)]:
        batch = read(data[:cut], at, json.loads(json.dumps(state)))
        at, state = at + batch.consumed, dict(batch.state)
        batches.append(batch)
    return batches


def history_points(expected: dict) -> list[tuple[str, int, str]]:
    """(key, step, value) of history as W&B's own reader prints it."""
    rows = []
    for each in expected["records"]:
        if each["type"] != "history":
            continue
        found = each["history"]["item"]
        media = {key.rpartition(".")[0] for key in found if key.endswith("._type")}
        for key, value in found.items():
            number = SPELLED.get(value, value) if isinstance(value, str) else value
            plain = isinstance(number, (int, float)) and not isinstance(number, bool)
            if plain and key not in HIDDEN and key.rpartition(".")[0] not in media:
                rows.append((key, found["_step"], repr(float(number))))
    return sorted(rows)
