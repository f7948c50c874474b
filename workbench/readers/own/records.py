"""The lines that the tracking API writes, as typed records, and the facts each of them states."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from workbench.core.batch import Fact, FactKind
from workbench.readers.json.refusal import MAX_DEPTH, Refused, parsing, text_of
from workbench.tracking import FORMAT, redact, redact_argv

Attributes = dict[str, Any]


class Log(msgspec.Struct, tag_field="t", tag="log", gc=False):
    """Values of one step: `m` numbers, with NaN and infinities as words, `a` everything else."""

    step: int
    m: dict[str, float | str]
    ts: float = math.nan
    a: Attributes | None = None


class Start(msgspec.Struct, tag_field="t", tag="start"):
    """The first line of a run."""

    run: str
    v: int = FORMAT
    ts: float | None = None
    name: str | None = None
    project: str | None = None
    params: Attributes = {}
    tags: dict[str, str] = {}
    baseline: bool = False
    total_steps: int | None = None
    env: Attributes = {}


class Fork(msgspec.Struct, tag_field="t", tag="fork"):
    """The first line of the file of a process that was forked off a run."""

    run: str
    v: int = FORMAT
    ts: float | None = None


class Params(msgspec.Struct, tag_field="t", tag="params"):
    """Parameters set after the start."""

    params: Attributes
    ts: float | None = None


class Summary(msgspec.Struct, tag_field="t", tag="summary"):
    """Results that are no series."""

    summary: Attributes
    ts: float | None = None


class Tags(msgspec.Struct, tag_field="t", tag="tags"):
    """Tags set after the start."""

    tags: dict[str, str]
    ts: float | None = None


class Note(msgspec.Struct, tag_field="t", tag="note"):
    """A remark."""

    id: str
    text: str
    ts: float | None = None


class Beat(msgspec.Struct, tag_field="t", tag="beat"):
    """A promise to be back within `next` seconds."""

    next: float
    ts: float


class Stage(msgspec.Struct, tag_field="t", tag="stage"):
    """A step of the pipeline that begins or ends."""

    name: str
    start: float | None
    end: float | None = None
    rows: int | None = None
    status: str = ""
    ts: float | None = None


class Data(msgspec.Struct, tag_field="t", tag="data"):
    """A data set the run used; `key` is its role."""

    key: str
    path: str
    bytes: int | None = None
    sha256: str | None = None
    rows: int | None = None
    ts: float | None = None


class Artifact(msgspec.Struct, tag_field="t", tag="artifact"):
    """A file the run made; `key` is its name."""

    key: str
    path: str
    bytes: int | None = None
    sha256: str | None = None
    ts: float | None = None


class End(msgspec.Struct, tag_field="t", tag="end"):
    """How the run ended."""

    status: str
    ts: float | None = None
    reason: str = ""
    code: int | None = None
    exc: Attributes | None = None


Record = Log | Start | Fork | Params | Summary | Tags | Note | Beat | Stage | Data | Artifact | End

_DECODER = msgspec.json.Decoder(Record)
decode_line: Callable[[bytes], Record] = _DECODER.decode
decode_lines: Callable[[bytes], list[Record]] = _DECODER.decode_lines
KINDS = frozenset(kind.__struct_config__.tag for kind in Record.__args__)
"""What `t` may be; a line of any other kind was written by a newer tracking API."""


def parse(raw: bytes) -> Record | str:
    """The record of one line, or the name of a kind that is not known here.

    Takes what strict JSON does not: NaN and Infinity tokens, numbers beyond float64, bytes that are not UTF-8, lone
    surrogates.

    Raises:
        Refused: not JSON, cut off, or not a line of this format.
    """
    try:
        return decode_line(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        record = _lenient(raw)
    kind = record.get("t") if isinstance(record, dict) else None
    if isinstance(kind, str) and kind not in KINDS:
        return kind
    try:
        return decode_line(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
    except msgspec.MsgspecError as error:
        raise Refused(f"E107 not a line of the tracking API: {error}") from None
    except RecursionError:
        raise Refused(f"E106 nested deeper than {MAX_DEPTH} levels") from None


def _lenient(raw: bytes) -> Any:
    text = text_of(raw)
    with parsing(text):
        return json.loads(text, strict=False, parse_constant=str, parse_float=_float)


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def facts_of(record: Record, offset: int) -> Iterator[Fact]:
    """What a line states about its run, secrets replaced once more: the file may come from another writer."""

    def fact(kind: FactKind, value: Any, key: str = "") -> Fact:
        return Fact(kind, value, key, record.ts, offset)

    match record:
        case Log():
            yield from attributes("summary", record.a or {}, record.ts, offset)
        case Start():
            yield from _started(record, offset)
        case Fork():
            yield fact("native_id", record.run)
        case Params():
            yield from attributes("param", record.params, record.ts, offset)
        case Summary():
            yield from attributes("summary", record.summary, record.ts, offset)
        case Tags():
            yield from attributes("tag", record.tags, record.ts, offset)
        case Note():
            yield fact("note", redact("", record.text), record.id)
        case Beat():
            yield fact("heartbeat", record.ts + record.next)
        case Stage():
            ends = {"start": record.start, "end": record.end}
            yield fact("stage", {**ends, "rows": record.rows, "status": record.status}, record.name)
        case Data():
            yield fact("data", {**_file(record), "rows": record.rows}, record.key)
        case Artifact():
            yield fact("artifact", _file(record), record.key)
        case End():
            yield from _ended(record, offset)


def attributes(kind: FactKind, values: Mapping[str, Any], wall: float | None, offset: int) -> Iterator[Fact]:
    """One fact for each key, its value a JSON scalar; lists and objects become their JSON text."""
    wall = None if wall is None or math.isnan(wall) else wall
    for key, value in redact("", dict(values)).items():
        yield Fact(kind, scalar(value), key, wall, offset)


def scalar(value: Any) -> Any:
    """The value itself, or the JSON text of a list or object."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _started(record: Start, offset: int) -> Iterator[Fact]:
    wall = record.ts
    yield Fact("native_id", record.run, "", wall, offset)
    if record.name:
        yield Fact("name", record.name, "", wall, offset)
    if wall is not None:
        yield Fact("started", wall, "", wall, offset)
    if record.total_steps is not None:
        yield Fact("total_steps", record.total_steps, "", wall, offset)
    if record.baseline:
        yield Fact("baseline", True, "", wall, offset)
    yield from attributes("param", record.params, wall, offset)
    yield from attributes("tag", record.tags, wall, offset)
    yield from attributes("environment", _environment(record), wall, offset)


def _environment(record: Start) -> dict[str, Any]:
    """Where and how the run was started, one level deep; what is unknown is left out."""
    found: dict[str, Any] = {"project": record.project}
    for key, value in record.env.items():
        if key == "argv" and isinstance(value, list):
            found[key] = shlex.join(redact_argv(map(str, value)))
        elif isinstance(value, dict):
            found |= {f"{key}/{name}": item for name, item in value.items()}
        else:
            found[key] = value
    return {key: value for key, value in found.items() if value is not None}


def _file(record: Data | Artifact) -> dict[str, Any]:
    return {"path": redact("path", record.path), "bytes": record.bytes, "sha256": record.sha256}


def _ended(record: End, offset: int) -> Iterator[Fact]:
    status = record.status if record.status in ("finished", "failed", "killed") else "failed"
    yield Fact("status", status, redact("", record.reason), record.ts, offset)
    if record.ts is not None:
        yield Fact("ended", record.ts, "", record.ts, offset)
    more: dict[str, Any] = {} if record.code is None else {"exit_code": record.code}
    if record.exc:
        more |= {f"exception/{key}": value for key, value in record.exc.items()}
    yield from attributes("environment", more, record.ts, offset)
