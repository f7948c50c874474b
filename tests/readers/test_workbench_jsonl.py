"""What the tracking API wrote comes back, and whatever else stands in its files is accounted for."""

from __future__ import annotations

import json
import math
from pathlib import Path, PurePath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import tracking
from workbench.plugin.api import Batch, Chunk
from workbench.readers.lines import UTF8_BOM
from workbench.readers.own.reader import WorkbenchReader

START = b'{"v":1,"t":"start","run":"r1","name":"first","ts":100.0,"params":{"lr":0.1}}\n'
PATH = PurePath("runs/first-r1/r1.wb.jsonl")
READER = WorkbenchReader()


def log(step: int, ts: float = 100.0, **metrics: object) -> bytes:
    return json.dumps({"t": "log", "step": step, "ts": ts, "m": metrics}).encode() + b"\n"


def read(data: bytes, *, start: int = 0, final: bool = False, state: dict | None = None) -> Batch:
    return READER.read(Chunk(PATH, data, start, state or {}, final=final, modified=7.0))


def points(batch: Batch) -> list[tuple[str, int, float, float, int]]:
    columns = batch.points
    keys = [columns.keys[code] for code in columns.key.tolist()]
    rest = (columns.step.tolist(), columns.wall.tolist(), columns.value.tolist(), columns.offset.tolist())
    return list(zip(keys, *rest, strict=True))


def facts(batch: Batch) -> dict[tuple[str, str], object]:
    return {(fact.kind, fact.key): fact.value for fact in batch.facts}


def reasons(batch: Batch) -> list[str]:
    return [reject.reason.split()[0] for reject in batch.rejects]


@pytest.fixture(autouse=True)
def outside_of_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WORKBENCH_DIR", raising=False)
    monkeypatch.chdir(tmp_path)


# Round trips -----------------------------------------------------------------------------------------------------

KEYS = st.text(min_size=1, max_size=12).map(lambda text: text.encode("utf-8", "replace").decode())
NUMBERS = st.floats(width=64) | st.integers(-(2**53), 2**53)
STEPS = st.integers(-(2**63), 2**63 - 1)


def comparable(value: float) -> str:
    return repr(float(value))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(STEPS, st.dictionaries(KEYS, NUMBERS, max_size=4)), max_size=12),
    cut=st.integers(0, 10_000),
    numpy=st.booleans(),
)
def test_what_was_logged_is_read_back_wherever_the_chunks_are_cut(tmp_path_factory, rows, cut, numpy):
    with tracking.init(dir=tmp_path_factory.mktemp("runs")) as run:
        for step, values in rows:
            run.log({key: np.float64(value) for key, value in values.items()} if numpy else values, step=step)
    data = Path(run.path).read_bytes()
    middle = data.rfind(b"\n", 0, cut % len(data)) + 1
    first = read(data[:middle])
    second = read(data[middle:], start=middle, state=dict(first.state))
    expected = [(key, step, comparable(value)) for step, values in rows for key, value in values.items()]
    got = points(first) + points(second)
    assert [(key, step, comparable(value)) for key, step, _, value, _ in got] == expected
    assert first.accepted + second.accepted == data.count(b"\n") and not first.rejects and not second.rejects
    assert all(data[offset : offset + 10] == b'{"t":"log"' for *_, offset in got)


def test_everything_a_run_said_comes_back_as_facts(tmp_path):
    (tmp_path / "train.csv").write_bytes(b"abc")
    params = {"lr": 0.1, "model": {"depth": 3}, "betas": [0.9, 0.99]}
    with tracking.init(
        project="p", name="n", params=params, tags=["keep"], total_steps=9, dir=tmp_path, baseline=True
    ) as run:
        with run.stage("training", rows=5):
            run.log({"loss": 0.5, "phase": "warmup", "ok": True})
        run.log({"loss": 0.4, "phase": "main"})
        run.data(tmp_path / "train.csv", rows=1)
        run.artifact(tmp_path / "train.csv", name="model")
        run.summary(best=0.9)
        run.note("fine")
        run.config["lr"] = 0.2
        run.heartbeat(60)
    batch = read(Path(run.path).read_bytes())
    got = facts(batch)
    assert got["native_id", ""] == run.id and got["name", ""] == "n" and got["total_steps", ""] == 9
    assert got["baseline", ""] is True and got["tag", "keep"] == ""
    assert (got["param", "lr"], got["param", "model/depth"], got["param", "betas"]) == (0.2, 3, "[0.9, 0.99]")
    assert (got["summary", "phase"], got["summary", "ok"], got["summary", "best"]) == ("main", True, 0.9)
    stage = got["stage", "training"]
    assert isinstance(stage, dict) and stage["rows"] == 5 and stage["status"] == "finished"
    assert stage["start"] <= stage["end"]
    file = {"path": str(tmp_path / "train.csv"), "bytes": 3, "sha256": got["artifact", "model"]["sha256"]}  # type: ignore[index]
    assert got["artifact", "model"] == file and got["data", "train"] == {**file, "rows": 1}
    assert [value for (kind, _), value in got.items() if kind == "note"] == ["fine"]
    beat = next(fact for fact in batch.facts if fact.kind == "heartbeat")
    assert beat.wall is not None and beat.value == pytest.approx(beat.wall + 60)
    assert got["status", "the with block ended"] == "finished"
    assert got["started", ""] <= got["ended", ""]  # type: ignore[operator]
    assert got["environment", "project"] == "p" and got["environment", "packages/numpy"] == np.__version__
    assert isinstance(got["environment", "argv"], str) and isinstance(got["environment", "pid"], int)
    assert all(value is not None for (kind, _), value in got.items() if kind == "environment")


def test_a_failed_run_says_why(tmp_path):
    with pytest.raises(ValueError), tracking.init(dir=tmp_path) as run:
        raise ValueError("boom")
    batch = read(Path(run.path).read_bytes())
    [status] = [fact for fact in batch.facts if fact.kind == "status"]
    assert status.value == "failed" and status.key.startswith("ValueError: boom at test_workbench_jsonl.py:")
    assert facts(batch)["environment", "exception/type"] == "ValueError"


def test_the_latest_of_a_kind_and_key_holds():
    ends = b'{"t":"end","status":"failed","reason":"a","ts":1}\n{"t":"end","status":"finished","reason":"b","ts":2}\n'
    batch = read(START + b'{"t":"params","params":{"lr":0.3}}\n' + ends)
    assert [(fact.value, fact.key) for fact in batch.facts if fact.kind == "status"] == [("finished", "b")]
    assert facts(batch)["param", "lr"] == 0.3 and facts(batch)["ended", ""] == 2


def test_secrets_of_another_writer_are_hidden_on_reading():
    start = {
        "v": 1, "t": "start", "run": "r",
        "params": {"hf_token": "hunter2", "db": {"password": "hunter2"}, "max_tokens": 5},
        "tags": {"auth": "hunter2"}, "env": {"argv": ["train.py", "--token", "hunter2"], "remote": "https://u:hunter2@h"},
    }  # fmt: skip
    rest = [
        {"t": "log", "step": 1, "m": {}, "a": {"cookie": "hunter2"}},
        {"t": "note", "id": "1", "text": "https://u:hunter2@h"},
        {"t": "data", "key": "train", "path": "https://u:hunter2@h/x"},
        {
            "t": "end",
            "status": "failed",
            "reason": "cannot reach https://u:hunter2@h",
            "exc": {"message": "password: x"},
        },
    ]
    batch = read(b"".join(json.dumps(line).encode() + b"\n" for line in [start, *rest]))
    assert batch.accepted == 5 and "hunter2" not in repr(batch.facts)
    assert facts(batch)["param", "max_tokens"] == 5


# Lines as they should not be -------------------------------------------------------------------------------------


def test_every_refused_line_is_kept_with_its_offset_and_the_others_are_read():
    bad = [
        (b'{"t":"log","step":1,"m":{"a":1.0\n', "E102"),
        (b"not json\n", "E104"),
        (b"[1, 2]\n", "E107"),
        (b'{"t":"log","step":1.5,"m":{}}\n', "E107"),
        (b'{"t":"log","step":99999999999999999999,"m":{"a":1}}\n', "E107"),
        (b'{"t":"log","step":1,"m":{"a":"high"}}\n', "E107"),
        (b'{"t":"log","step":1,"m":{"a":[1]}}\n', "E107"),
        (b'{"t":"log","step":1,"m":{"a":1}}{"t":"log","step":2,"m":{"a":1}}\n', "E104"),
        (b'{"t":"log","step":1,"m":{"a":\0}}\n', "E122"),
        (b'{"t":"log","step":1,"m":' + b"[" * 5000 + b"]" * 5000 + b"}\n", "E106"),
        (b'{"t":"params","params":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}\n", ""),
    ]
    data, offsets = START, []
    for line, _ in bad:
        data += log(1, good=1.0)
        offsets.append(len(data))
        data += line
    batch = read(data)
    refused = [(offset, code) for offset, (_, code) in zip(offsets, bad, strict=True) if code]
    assert [
        (reject.offset, reject.reason.split()[0]) for reject in batch.rejects if reject.offset != offsets[-1]
    ] == refused
    assert all(data[r.offset :].startswith(r.excerpt) and r.length >= len(r.excerpt) for r in batch.rejects)
    assert batch.accepted + len(batch.rejects) == data.count(b"\n")
    assert len(batch.points) == len(bad)


def test_two_objects_on_a_line_beside_a_blank_line_do_not_pass_for_two_lines():
    glued = log(1, a=1.0).strip() + log(2, a=2.0)
    batch = read(START + glued + b"\n" + log(3, a=3.0))
    assert [step for _, step, *_ in points(batch)] == [3]
    assert reasons(batch) == ["E104"] and batch.accepted == 3


def test_an_object_over_two_lines_is_no_line():
    batch = read(START + b'{"t":"log","step":1,\n"m":{"a":1}}\n' + log(2, a=2.0))
    assert [step for _, step, *_ in points(batch)] == [2] and len(batch.rejects) == 2


def test_blank_lines_carriage_returns_and_a_byte_order_mark_are_fine():
    batch = read(b"\xef\xbb\xbf" + START + b"\n \r\n" + log(1, a=1.0).replace(b"\n", b"\r\n"))
    assert not batch.rejects and batch.accepted == 4 and len(batch.points) == 1


def test_tokens_of_other_writers_are_numbers_too():
    batch = read(b'{"t":"log","step":1,"m":{"a":NaN,"b":-Infinity,"c":1e999,"d":"Infinity","e":"0.5"}}\n')
    values = {key: value for key, _, _, value, _ in points(batch)}
    assert math.isnan(values["a"]) and values["b"] == -math.inf and values["c"] == math.inf == values["d"]
    assert values["e"] == 0.5


def test_bytes_that_are_not_utf8_and_lone_surrogates_become_replacement_characters():
    batch = read(b'{"t":"log","step":1,"m":{"a\xff":1,"b\\ud800":2}}\n')
    assert [key.encode("utf-8")[:1] for key, *_ in points(batch)] == [b"a", b"b"]


def test_a_line_without_its_end_waits_unless_nothing_more_comes():
    complete, torn = START + log(1, a=1.0), b'{"t":"log","step":2,"m":{"a":'
    assert read(complete + torn).consumed == len(complete)
    final = read(complete + torn, final=True)
    assert final.consumed == len(complete + torn) and reasons(final) == ["E101"]
    assert len(read(complete + log(2, a=2.0).rstrip(), final=True).points) == 2


def test_lines_of_a_newer_version_are_accepted_and_named():
    batch = read(b'{"v":2,"t":"start","run":"r"}\n{"t":"image","path":"x"}\n')
    assert batch.accepted == 2 and not batch.rejects and "image" in batch.message
    assert "format 2" in read(b'{"v":2,"t":"start","run":"r"}\n').message


def test_points_without_a_time_have_none():
    [(_, _, wall, _, _)] = points(read(b'{"t":"log","step":1,"m":{"a":1}}\n'))
    assert math.isnan(wall)


def test_a_counter_in_a_keys_name_is_stopped_at_the_limit_also_across_chunks():
    per_line = 1000
    rows = [log(i, **{f"loss_{i}_{j}": 1.0 for j in range(per_line)}) for i in range(25)]
    first = read(b"".join(rows[:15]))
    second = read(b"".join(rows[15:]) + rows[0], state=json.loads(json.dumps(first.state)))
    assert len(first.points) == 15_000 and len(second.points) == 6_000
    assert reasons(second) == ["E180"] * 5


@settings(max_examples=80, deadline=None)
@given(
    lines=st.lists(
        st.binary(max_size=40).filter(lambda b: b"\n" not in b and not b.startswith(UTF8_BOM))
        | st.builds(log, st.integers(0, 9), a=st.floats(0, 1)).map(bytes.strip)
        | st.builds(lambda line, cut: line[:cut], st.just(START + log(1, a=1.0)), st.integers(0, 60)).filter(
            lambda b: b"\n" not in b
        ),
        max_size=12,
    )
)
def test_accepted_and_refused_lines_are_all_lines(lines):
    data = b"".join(line + b"\n" for line in lines)
    whole = read(data)
    assert whole.accepted + len(whole.rejects) == len(lines) and whole.consumed == len(data)
    one_by_one = [read(line + b"\n") for line in lines]
    assert [r.reason for r in whole.rejects] == [r.reason for batch in one_by_one for r in batch.rejects]
    assert [p[:4] for p in points(whole)] == [p[:4] for batch in one_by_one for p in points(batch)]


def test_a_run_that_is_taken_up_again_started_when_it_first_did():
    again = START.replace(b'"ts":100.0', b'"ts":500.0')
    got = facts(read(START + log(1, loss=2.0) + again + log(2, loss=1.0)))
    assert got["started", ""] == 100.0
    assert got["name", ""] == "first"
