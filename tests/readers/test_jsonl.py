"""Any training script's JSON lines become points, and every line is accounted for."""

import json
import math
import random
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.plugin.api import Batch, Chunk, Head
from workbench.readers.json import lines as jsonl
from workbench.readers.json.lines import JsonlReader
from workbench.readers.key_index import MAX_KEYS

READER = JsonlReader()
PATH = PurePath("runs/a/metrics.jsonl")


def read(data, start=0, state=None, final=False):
    data = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    return READER.read(Chunk(PATH, data, start, state or {}, final=final))


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def points(batch: Batch):
    """Readable points: (key, step, value, offset), NaN as text so that they compare."""
    p = batch.points
    return [
        (p.keys[k], int(s), "nan" if math.isnan(v) else float(v), int(o))
        for k, s, v, o in zip(p.key, p.step, p.value, p.offset, strict=True)
    ]


def values(batch: Batch):
    return [(key, step, value) for key, step, value, _ in points(batch)]


def facts(batch: Batch):
    return {fact.key: fact.value for fact in batch.facts}


def claim(name, text, siblings=()):
    data = text if isinstance(text, bytes) else text.encode()
    return READER.claim(Head(PurePath(name), data, len(data), frozenset(siblings)))


# What a point is ---------------------------------------------------------------------------------------------


def test_step_and_time_give_the_axes_and_the_other_numbers_are_points():
    batch = read(lines({"step": 7, "timestamp": 1_700_000_000.5, "loss": 0.5, "epoch": 1}))
    assert values(batch) == [("loss", 7, 0.5), ("epoch", 7, 1.0)]
    assert batch.points.wall.tolist() == [1_700_000_000.5, 1_700_000_000.5]
    assert (batch.accepted, batch.rejects, batch.message) == (1, [], "")


@pytest.mark.parametrize("name", ["_step", "global_step", "iteration", "iter", "it", "Step", "trainer/global_step"])
def test_the_step_goes_by_many_names(name):
    assert values(read(lines({name: 3, "loss": 1.0}))) == [("loss", 3, 1.0)]


def test_an_epoch_is_the_axis_where_there_is_no_step():
    assert values(read(lines({"epoch": 2, "acc": 0.5}))) == [("acc", 2, 0.5)]


def test_a_fractional_epoch_is_a_series_over_line_numbers():
    batch = read(lines({"epoch": 0.5, "loss": 3}, {"epoch": 1.0, "loss": 2}))
    assert values(batch) == [("epoch", 0, 0.5), ("loss", 0, 3.0), ("epoch", 1, 1.0), ("loss", 1, 2.0)]


def test_a_step_beyond_int64_is_a_series_over_line_numbers():
    batch = read('{"step": 9223372036854775808, "loss": 1}\n')
    assert values(batch) == [("step", 0, 9.223372036854776e18), ("loss", 0, 1.0)]


def test_lines_without_an_axis_are_counted_on_in_the_next_chunk():
    first = lines({"loss": 3.0}, {"loss": 2.0})
    batch = read(first)
    again = read(lines({"loss": 1.0}), start=len(first), state=json.loads(json.dumps(batch.state)))
    assert values(batch) + values(again) == [("loss", 0, 3.0), ("loss", 1, 2.0), ("loss", 2, 1.0)]
    assert points(again)[0][3] == len(first)


def test_an_evaluation_row_without_a_step_stands_at_the_last_step():
    batch = read(lines({"step": 100, "loss": 2.0}, {"epoch": 1, "val_loss": 3.0}))
    assert values(batch) == [("loss", 100, 2.0), ("epoch", 100, 1.0), ("val_loss", 100, 3.0)]


def test_a_batch_number_is_no_axis_beside_an_epoch():
    batch = read(lines({"epoch": 0, "batch": 0, "loss": 3.0}, {"epoch": 1, "batch": 0, "loss": 2.0}))
    assert [(k, s) for k, s, _ in values(batch) if k == "loss"] == [("loss", 0), ("loss", 1)]
    assert values(read(lines({"batch": 4, "loss": 1.0}))) == [("loss", 4, 1.0)]


def test_nested_objects_are_joined_by_a_slash():
    batch = read(lines({"step": 1, "val": {"loss": 0.5, "by": {"cls": 2}}}))
    assert values(batch) == [("val/loss", 1, 0.5), ("val/by/cls", 1, 2.0)]


def test_nan_and_infinity_are_values_however_they_are_spelled():
    batch = read('{"step":1,"a":NaN,"b":-Infinity,"c":"nan","d":"Infinity","e":1e999,"f":null}\n')
    found = {key: value for key, _, value in values(batch)}
    assert found == {"a": "nan", "b": -math.inf, "c": "nan", "d": math.inf, "e": math.inf}


def test_strings_that_are_numbers_are_read_and_said_once_a_key():
    first = lines({"step": 1, "lr": "0.5"}, {"step": 2, "lr": "1e-3"})
    batch = read(first)
    assert values(batch) == [("lr", 1, 0.5), ("lr", 2, 0.001)]
    assert batch.message == "strings read as numbers: lr"
    again = read(lines({"step": 3, "lr": "0.1"}), len(first), batch.state)
    assert again.message == ""


def test_texts_and_booleans_are_attributes_told_when_they_change():
    first = lines({"step": 1, "phase": "train", "amp": True}, {"step": 2, "phase": "val", "amp": True})
    batch = read(first)
    assert facts(batch) == {"phase": "val", "amp": True}
    same = read(lines({"step": 3, "phase": "val"}), len(first), batch.state)
    assert same.facts == []
    other = read(lines({"step": 4, "phase": "test"}), len(first), same.state)
    assert facts(other) == {"phase": "test"}


def test_a_text_that_always_changes_is_forgotten_rather_than_kept_stale():
    state = {}
    for i in range(70):
        batch = read(lines({"step": i, "message": f"line {i}"}), i, state)
        state = batch.state
        if any(fact.value is None for fact in batch.facts):
            break
    assert facts(batch) == {"message": None}
    assert read(lines({"step": 99, "message": "more"}), 99, state).facts == []


def test_short_lists_are_kept_as_text_and_long_ones_are_not():
    batch = read(lines({"step": 1, "betas": [0.9, 0.999], "grid": list(range(500))}))
    assert facts(batch) == {"betas": "[0.9, 0.999]"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000_250, 1_700_000_000.25),
        (1_700_000_000_250_000, 1_700_000_000.25),
        (1_700_000_000_250_000_000, 1_700_000_000.25),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14 23:13:20+01:00", 1_700_000_000.0),
    ],
)
def test_a_moment_is_read_in_its_unit(value, seconds):
    batch = read(lines({"step": 1, "ts": value, "loss": 1.0}))
    assert batch.points.wall.tolist() == pytest.approx([seconds], abs=1e-6)
    assert batch.points.keys == ("loss",)


def test_a_time_that_is_a_duration_stays_a_series():
    batch = read(lines({"epoch": 1, "time": 12.5, "loss": 1.0}, {"epoch": 2, "time": 25.0, "loss": 0.5}))
    assert ("time", 2, 25.0) in values(batch)
    assert np.isnan(batch.points.wall).all()


def test_a_duplicate_key_has_its_last_value():
    assert values(read('{"step":1,"loss":1,"loss":2}\n')) == [("loss", 1, 2.0)]


# What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"loss: 0.5", "E104 not JSON"),
        (b"[1, 2]", "E104 a JSON list, not an object"),
        (b"3", "E104 a JSON number, not an object"),
        (b'{"step": 1, "lo', "E102 cut off"),
        (b'{"step": 1, "loss": ', "E102 cut off"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "E106 nested deeper"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "E106 nested deeper"),
        (b'{"a": ' + b"[" * 100_000, "E106 nested deeper"),
        (b'{"step": 1, "x": "\0"}', "E122 NUL"),
        (b"\0\0\0", "E122 NUL"),
        (b'{"a": ' + b"9" * 5000 + b"}", "E104 not JSON"),
        (b'{"a": "' + b"x" * (16 * 1024 * 1024) + b'"}', "E103 line longer"),
    ],
)
def test_a_line_that_is_no_record_is_kept_with_its_offset_and_the_next_is_read(line, reason):
    before = b'{"step": 0, "loss": 1}\n'
    batch = read(before + line + b"\n" + b'{"step": 2, "loss": 3}\n')
    assert values(batch) == [("loss", 0, 1.0), ("loss", 2, 3.0)]
    [reject] = batch.rejects
    assert (reject.offset, reject.length, reject.excerpt) == (len(before), len(line), line[:4096])
    assert reject.reason.startswith(reason)
    assert batch.accepted == 2


def test_a_record_glued_to_a_cut_off_one_is_kept():
    batch = read('{"step": 1, "lo{"step": 2, "loss": 0.5}\n')
    assert values(batch) == [("loss", 2, 0.5)]
    assert (batch.accepted, len(batch.rejects)) == (0, 1)
    assert batch.rejects[0].reason.startswith("E102")


def test_a_nested_object_of_a_cut_off_record_is_not_taken_for_a_record():
    batch = read('{"step": 1, "val": {"loss": 0.5}\n')
    assert (values(batch), batch.accepted, len(batch.rejects)) == ([], 0, 1)


def test_two_records_on_one_line_are_both_read():
    batch = read('{"step":1,"loss":3}{"step":2,"loss":2}\n')
    assert values(batch) == [("loss", 1, 3.0), ("loss", 2, 2.0)]
    assert (batch.accepted, batch.rejects) == (1, [])


def test_bad_utf8_inside_a_record_is_replaced_and_said():
    batch = read(b'{"step": 1, "note": "\xff", "loss": 2}\n')
    assert values(batch) == [("loss", 1, 2.0)]
    assert facts(batch) == {"note": "\ufffd"}
    assert "not UTF-8" in batch.message


def test_lone_surrogates_become_text_that_a_store_can_hold():
    batch = read('{"step": 1, "k\\ud800": 2, "s": "\\udc00", "ok": "\\ud83d\\ude00"}\n')
    for text in (*batch.points.keys, *facts(batch).values()):
        text.encode("utf-8")
    assert facts(batch)["ok"] == "\U0001f600"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_wherever_its_bytes_are_cut(encoding):
    data = "\ufeff".encode(encoding) + lines(*({"step": i, "loss": i / 8} for i in range(20))).encode(encoding)
    whole = read(data, final=True)
    assert values(whole) == [("loss", i, i / 8) for i in range(20)]
    cut = data.index(b"\n", 200) + 1
    head = read(data[:cut])
    tail = read(data[head.consumed :], head.consumed, json.loads(json.dumps(head.state)), final=True)
    assert points(head) + points(tail) == points(whole)
    assert claim("log.jsonl", data).score >= 0.9


def test_a_byte_order_mark_carriage_returns_and_blank_lines_are_fine():
    batch = read(b'\xef\xbb\xbf{"step": 1, "loss": 2}\r\n\r\n  \n{"step": 2, "loss": 1}\r\n')
    assert points(batch) == [("loss", 1, 2.0, 0), ("loss", 2, 1.0, 32)]
    assert (batch.accepted, batch.rejects) == (4, [])


def test_a_key_too_many_is_refused_also_after_a_restart(monkeypatch):
    monkeypatch.setattr("workbench.readers.key_index.MAX_KEYS", 3)
    first = read(lines({"step": 1, "a": 1, "b": 1}, {"step": 2, "c": 1}))
    second = read(lines({"step": 3, "d": 1}, {"step": 4, "a": 2}), 99, json.loads(json.dumps(first.state)))
    assert values(second) == [("a", 4, 2.0)]
    assert [r.offset for r in second.rejects] == [99]
    assert second.rejects[0].reason.startswith("E180")


def test_twenty_thousand_keys_fit():
    batch = read(lines({"step": 1, **{f"k{i}": i for i in range(MAX_KEYS)}}, {"step": 2, "one_more": 1}))
    assert (len(batch.points), batch.accepted, len(batch.rejects)) == (MAX_KEYS, 1, 1)


def test_an_unfinished_last_line_waits_until_the_source_is_final():
    data = b'{"step": 1, "loss": 2}\n{"step": 2, "lo'
    assert read(data).consumed == data.index(b"\n") + 1
    ended = read(data, final=True)
    assert ended.consumed == len(data)
    assert ended.rejects[0].reason == "E101 the file ends within this line"
    assert values(read(b'{"step": 2, "loss": 1}', final=True)) == [("loss", 2, 1.0)]


# Fast and slow are the same ------------------------------------------------------------------------------------

KEYS = ["step", "epoch", "loss", "lr", "Step", "batch", "time", "timestamp", "phase", "a/b", 'q"\\', "é", "", "n\n"]
NUMBERS = st.one_of(
    st.integers(-5, 5), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([1.7e9, 1.7e12, -0.0, 5.0, 2.0**53])
)
LEAVES = st.one_of(
    NUMBERS, NUMBERS, NUMBERS, st.none(), st.booleans(),
    st.sampled_from(["train", "0.5", "nan", "2023-11-14T22:13:20Z", "", "x" * 300]),
)  # fmt: skip
RECORDS = st.dictionaries(st.sampled_from(KEYS), st.one_of(LEAVES, st.dictionaries(st.sampled_from(KEYS), LEAVES)))


@st.composite
def logs(draw):
    """A log of mostly regular lines with some odd ones between."""
    plain = st.one_of(st.floats(-1e9, 1e9), st.integers(-(2**60), 2**60), st.sampled_from(["train", True, 1.7e9, 5.0]))
    base = draw(st.dictionaries(st.sampled_from(KEYS[:10]), plain, min_size=1))
    rows = []
    for i in range(draw(st.integers(8, 30))):
        row = {k: (i if k in ("step", "epoch") and isinstance(v, int) else v) for k, v in base.items()}
        rows.append(row)
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        rows[draw(st.integers(0, len(rows) - 1))] = draw(RECORDS)
    text = [json.dumps(row).encode() for row in rows]
    strange = st.lists(st.sampled_from([b"", b"{", b'{"step":1', b'{"a":1}{"a":2}', b"\xff"]), max_size=2)
    for odd in draw(st.one_of(st.just([]), st.just([]), strange)):
        text.insert(draw(st.integers(0, len(text))), odd)
    return b"".join(line + b"\n" for line in text)


def columns(batch: Batch):
    """All columns bit for bit, in file order; the order of the keys within a line is nobody's concern."""
    p = batch.points
    assert (p.key.dtype, p.step.dtype, p.offset.dtype) == (np.int32, np.int64, np.int64)
    bits = (p.value.view(np.uint64).tolist(), p.wall.view(np.uint64).tolist())
    assert p.offset.tolist() == sorted(p.offset.tolist())
    return sorted(zip(p.offset.tolist(), p.step.tolist(), [p.keys[k] for k in p.key], *bits, strict=True))


def same(a: Batch, b: Batch):
    assert columns(a) == columns(b)
    assert (a.accepted, a.consumed, a.rejects, a.message) == (b.accepted, b.consumed, b.rejects, b.message)
    assert sorted(map(repr, a.facts)) == sorted(map(repr, b.facts))
    assert a.state.keys() == b.state.keys()
    assert {k: v for k, v in a.state.items() if k != "attributes"} == {
        k: v for k, v in b.state.items() if k != "attributes"
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(logs(), st.sampled_from([8, 16, 1024]))
def test_blocks_and_single_lines_give_the_same_batch(data, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "BLOCK", block)
        fast = read(data)
        patch.setattr(jsonl, "read_block", lambda *_: False)
        slow = read(data)
    same(fast, slow)
    assert fast.accepted + len(fast.rejects) == data.count(b"\n")


TURNS = {
    "a time that becomes a moment": [{"step": i, "time": 1.5 if i < 5 else 1.7e9 + i, "loss": i} for i in range(16)],
    "a date that becomes one": [{"step": i, "date": "x" if i < 5 else "2024-01-01", "loss": i} for i in range(16)],
    "a clock that loses its time": [{"step": i, "ts": 1.7e9 + i if i < 5 else None, "loss": i} for i in range(16)],
    "epochs after steps": [{"step": i, "loss": i} for i in range(8)] + [{"epoch": i, "val": i} for i in range(8)],
    "steps after epochs": [{"epoch": i, "val": i} for i in range(8)] + [{"step": i + 9, "loss": i} for i in range(8)],
    "batches, then epochs": [{"batch": i, "loss": i} for i in range(8)] + [{"epoch": i, "loss": i} for i in range(8)],
    "both, then batches": [{"epoch": i, "batch": i, "loss": i} for i in range(9)] + [{"batch": i} for i in range(9)],
    "batches, then both by turns": [{"batch": i, "loss": i} for i in range(8)]
    + [{"epoch": i, "loss": i} if i % 2 else {"batch": i, "epoch": i, "loss": 2} for i in range(16)],
    "an epoch that turns fractional": [{"epoch": i if i < 9 else i + 0.5, "loss": i} for i in range(24)],
    "whole epochs spelled as floats": [{"epoch": float(i), "loss": i} for i in range(16)],
    "keys that come later": [{"step": i, "loss": i, **({"val": i} if i % 4 == 3 else {})} for i in range(64)],
    "a key that turns into text": [{"step": i, "lr": i if i < 12 else "auto"} for i in range(32)],
    "a text that turns into a number": [{"step": i, "lr": "auto" if i < 12 else "0.5"} for i in range(32)],
    "both by turns, after batches": [{"batch": i, "loss": i} for i in range(8)]
    + [{"epoch": 5, "batch": 7, "loss": 1} if i % 3 == 0 else {"batch": i, "loss": 2} for i in range(16)],
    "nested objects": [{"step": i, "train": {"loss": i, "by": {"x": 1.5}}, "val": {"acc": 1}} for i in range(20)],
    "nested objects that come and go": [{"step": i, **({"val": {"loss": i}} if i % 3 else {})} for i in range(24)],
    "a leaf that turns into an object": [{"step": i, "loss": 1 if i < 12 else {"ce": 1}} for i in range(24)],
    "a joined key and a nested one": [{"step": i, **({"a/b": i} if i % 2 else {"a": {"b": i}})} for i in range(24)],
    "a nested step": [{"trainer": {"global_step": i}, "loss": i} for i in range(20)],
    "empty and absent objects": [{"step": i, "val": {} if i % 5 == 0 else {"acc": i}} for i in range(20)],
    "null for an object": [{"step": i, "val": None if i % 5 == 4 else {"acc": i}} for i in range(20)],
    "objects deeper than blocks go": [{"step": i, "a": {"b": {"c": {"d": {"e": {"f": i}}}}}} for i in range(20)],
    "one metric a line": [{"name": "ab"[i % 2], "value": i / 2, "step": i // 2} for i in range(40)],
    "one metric a line, one without a value": [{"tag": "a", "value": i if i != 9 else None} for i in range(24)],
    "one metric a line and more": [{"key": "ab"[i % 2], "value": i, "epoch": i, "lr": 0.5} for i in range(24)],
    "lines of structlog": [
        {"event": f"e{i}", "level": "info", "timestamp": "2024-01-01", "loss": i, "lineno": 7} for i in range(24)
    ],
    "words that look like numbers": [{"step": i, "hash": "ab1" if i % 2 else f"{i}e5"} for i in range(24)],
    "numbers spelled as texts": [{"step": i, "hash": f"{i}e5" if i < 20 else "ab1"} for i in range(32)],
    "a constant text": [{"step": i, "model": "resnet", "phase": "a"} for i in range(24)],
    "a text constant for long": [{"step": i, "model": "resnet" if i < 20 else "vit"} for i in range(32)],
    "no axis at all": [{"loss": i} for i in range(20)],
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("block", [8, 1024])
def test_blocks_take_every_turn_as_single_lines_do(turn, block, monkeypatch):
    whole, head, tail = (lines(*rows).encode() for rows in (TURNS[turn], TURNS[turn][:8], TURNS[turn][8:]))

    def batches():
        first = read(head)
        return read(whole), first, read(tail, len(head), first.state)

    monkeypatch.setattr(jsonl, "BLOCK", block)
    fast = batches()
    monkeypatch.setattr(jsonl, "read_block", lambda *_: False)
    for one, other in zip(fast, batches(), strict=True):
        same(one, other)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(logs(), st.data())
def test_where_the_chunks_are_cut_does_not_matter(data, cuts):
    ends = [i + 1 for i, byte in enumerate(data) if byte == 10]
    cut = cuts.draw(st.sampled_from(ends))
    whole = read(data)
    head = read(data[:cut])
    tail = read(data[cut:], cut, json.loads(json.dumps(head.state)))
    assert columns(whole) == sorted(columns(head) + columns(tail))
    assert list(whole.rejects) == [*head.rejects, *tail.rejects]
    assert whole.state["line"] == tail.state["line"]


def test_plain_lines_are_read_in_blocks():
    """The fast way is really taken: otherwise the comparison above would compare the slow way with itself."""
    taken = []
    data = lines(*({"step": i, "timestamp": 1.7e9 + i, "loss": i / 7, "phase": "train", "x": None} for i in range(50)))
    with pytest.MonkeyPatch.context() as patch:
        original = jsonl.read_block
        patch.setattr(jsonl, "read_block", lambda *a: taken.append(original(*a)) or taken[-1])
        batch = read(data)
    assert taken == [True]
    assert (len(batch.points), facts(batch)) == (50, {"phase": "train"})


@pytest.mark.parametrize("turn", ["nested objects", "a nested step", "one metric a line", "lines of structlog"])
def test_nested_and_named_lines_are_read_in_blocks_too(turn, monkeypatch):
    taken = []
    original = jsonl.read_block
    monkeypatch.setattr(jsonl, "read_block", lambda *a: taken.append(original(*a)) or taken[-1])
    read(lines(*TURNS[turn]))
    assert taken == [True]


def test_values_are_the_float_that_python_reads():
    rng = random.Random(4)
    spelled = [f"{rng.random():.17g}e{rng.randint(-300, 300)}" for _ in range(3000)]
    batch = read("".join(f'{{"step":{i},"v":{text}}}\n' for i, text in enumerate(spelled)))
    assert batch.points.value.tolist() == [float(text) for text in spelled]


# Whose file it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "least"),
    [
        ("metrics.jsonl", {"step": 1, "loss": 2}, 0.9),
        ("resnet.jsonl", {"step": 1, "loss": 2}, 0.8),
        ("log.txt", {"epoch": 1, "train_loss": 2}, 0.8),
        ("x.jsonl", {"val": {"accuracy": 0.5}}, 0.5),
    ],
)
def test_logs_are_claimed(name, first, least):
    assert claim(name, lines(first, first)).score >= least


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.wb.jsonl", '{"v":1,"t":"start","run":"x"}\n'),
        ("a.jsonl", "not json\n"),
        ("a.jsonl", "[1]\n"),
        ("a.jsonl", '{"prompt": "2+2", "completion": "4"}\n'),
        ("journal.log", '{"op_code": 0, "worker_id": "x"}\n{"op_code": 4, "worker_id": "x"}\n'),
        ("package.json", '{\n  "version": 1\n}\n'),
        ("config.json", '{"step": 1}\n'),
    ],
)
def test_other_files_are_left_alone(name, text):
    assert claim(name, text).score == 0


@pytest.mark.parametrize(
    "row",
    [
        {"timestamp": "2024-01-01T00:00:00Z", "prediction": 0.3, "latency_ms": 12},
        {"request_id": "a", "y_pred": 1, "y_true": 0},
        {"id": 5, "status": 200, "latency": 0.1},
    ],
)
def test_rows_of_production_are_no_training_log(row):
    bid = claim("serving.jsonl", lines(row, row))
    assert bid.score == 0
    assert "production" in bid.why


@pytest.mark.parametrize(
    ("name", "own"),
    [("metrics.jsonl", False), ("train_log.jsonl", False), ("metrics_rank0.jsonl", False), ("resnet50.jsonl", True),
     ("run1.jsonl", True), ("progress.jsonl", False)],
)  # fmt: skip
def test_a_conventional_name_belongs_to_the_folders_run(name, own):
    assert claim(name, lines({"step": 1, "loss": 1})).per_file_run is own
