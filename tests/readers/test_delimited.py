"""Tables that trainers write: sparse, padded, resumed, cut off; every line is accounted for."""

import json
import math
import random
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.plugin.api import Batch, Chunk, Head
from workbench.readers.csv import blocks as csv_blocks
from workbench.readers.csv import reader as csv_table
from workbench.readers.csv.delimited import DelimitedReader

READER = DelimitedReader()
PATH = PurePath("lightning_logs/version_0/metrics.csv")


def read(data, start=0, state=None, final=False):
    data = data if isinstance(data, bytes) else data.encode()
    return READER.read(Chunk(PATH, data, start, state or {}, final=final))


def points(batch: Batch):
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
    return READER.claim(Head(PurePath(name), text.encode(), len(text.encode()), frozenset(siblings)))


# The trainers' own formats -------------------------------------------------------------------------------------

LIGHTNING = "epoch,step,train_loss,val_loss\n0,49,1.5,\n0,99,1.25,\n0,99,,1.75\n"
KERAS = "epoch,accuracy,loss,val_loss\n0,0.5,1.5,NA\n1,0.75,1.25,1.5\n"
ULTRALYTICS = "                  epoch,      time, train/box_loss\n   1,    12.5,    1.5\n   2,    25.0,    1.25\n"


def test_lightnings_sparse_rows_have_points_only_where_there_is_a_value():
    assert values(read(LIGHTNING)) == [
        ("epoch", 49, 0.0), ("train_loss", 49, 1.5), ("epoch", 99, 0.0), ("train_loss", 99, 1.25), ("epoch", 99, 0.0),
        ("val_loss", 99, 1.75),
    ]  # fmt: skip


def test_a_head_rewritten_with_a_new_key_is_read_by_its_new_header():
    """The engine notices that the file was rewritten and starts again at byte 0, without a state."""
    again = read("epoch,lr,step,train_loss\n0,,49,1.5\n1,0.01,99,1.25\n")
    assert values(again) == [
        ("epoch", 49, 0.0), ("train_loss", 49, 1.5), ("epoch", 99, 1.0), ("lr", 99, 0.01), ("train_loss", 99, 1.25),
    ]  # fmt: skip


def test_keras_writes_na_where_there_is_nothing():
    assert values(read(KERAS)) == [
        ("accuracy", 0, 0.5), ("loss", 0, 1.5), ("accuracy", 1, 0.75), ("loss", 1, 1.25), ("val_loss", 1, 1.5),
    ]  # fmt: skip


def test_a_resumed_keras_run_repeats_epochs_and_both_are_kept():
    batch = read("epoch,loss\n0,3\n1,2\n1,1.5\n2,1\n")
    assert values(batch) == [("loss", 0, 3.0), ("loss", 1, 2.0), ("loss", 1, 1.5), ("loss", 2, 1.0)]


def test_ultralytics_pads_names_and_its_time_is_a_duration():
    batch = read(ULTRALYTICS)
    assert values(batch) == [
        ("time", 1, 12.5), ("train/box_loss", 1, 1.5), ("time", 2, 25.0), ("train/box_loss", 2, 1.25),
    ]  # fmt: skip
    assert np.isnan(batch.points.wall).all()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_and_remembered(delimiter):
    text = "step,loss,acc\n1,0.5,0.25\n2,0.25,0.5\n".replace(",", delimiter)
    cut = text.index("\n") + 1
    head = read(text[:cut])
    assert (len(head.points), head.accepted) == (0, 1)
    tail = read(text[cut:], cut, json.loads(json.dumps(head.state)))
    assert points(tail) == points(read(text))
    assert values(tail) == [("loss", 1, 0.5), ("acc", 1, 0.25), ("loss", 2, 0.25), ("acc", 2, 0.5)]


def test_a_second_header_in_the_middle_starts_a_section_with_its_own_columns():
    text = "step,loss\n1,3\nstep,loss\n2,2\nstep,lr,loss\n3,0.1,1\n4,2\n"
    batch = read(text)
    assert values(batch) == [("loss", 1, 3.0), ("loss", 2, 2.0), ("lr", 3, 0.1), ("loss", 3, 1.0)]
    assert (batch.accepted, len(batch.rejects)) == (6, 1)
    later = read("5,0.2,0.5\n", len(text), batch.state)
    assert values(later) == [("lr", 5, 0.2), ("loss", 5, 0.5)]


def test_a_timestamp_column_gives_the_wall_time():
    batch = read("step,timestamp,loss\n1,1700000000.5,3\n2,,2\n")
    assert batch.points.wall[0] == 1_700_000_000.5 and math.isnan(batch.points.wall[1])
    assert batch.points.keys == ("loss",)


def test_texts_are_attributes_told_when_they_change():
    batch = read("step,stage,loss\n1,warmup,3\n2,train,2\n")
    assert facts(batch) == {"stage": "train"}
    assert read("3,train,1\n", 99, batch.state).facts == []


def test_nan_and_inf_are_values():
    assert values(read("step,a,b\n1,nan,-inf\n")) == [("a", 1, "nan"), ("b", 1, -math.inf)]


def test_a_table_without_an_axis_counts_its_rows():
    assert values(read("loss,acc\n3,1\n2,2\n")) == [
        ("loss", 0, 3.0),
        ("acc", 0, 1.0),
        ("loss", 1, 2.0),
        ("acc", 1, 2.0),
    ]


# What is odd, and what is refused --------------------------------------------------------------------------------


def test_lines_with_other_than_the_headers_fields_are_kept_as_rejects():
    batch = read("step,loss\n1,3\n2\n3,2,1\n4,1\n5,1,\n")
    assert values(batch) == [("loss", 1, 3.0), ("loss", 4, 1.0), ("loss", 5, 1.0)]
    assert [(r.offset, r.length, r.excerpt) for r in batch.rejects] == [(14, 1, b"2"), (16, 5, b"3,2,1")]
    assert batch.rejects[1].reason == "E171 3 fields where the header has 2"


def test_a_quoted_newline_may_be_cut_by_a_chunk():
    text = 'step,note,loss\n1,"two\nlines, quoted ""so""",3\n2,,2\n'
    whole = read(text)
    assert values(whole) == [("loss", 1, 3.0), ("loss", 2, 2.0)]
    assert facts(whole) == {"note": 'two\nlines, quoted "so"'}
    assert (whole.accepted, whole.rejects) == (4, [])
    cut = text.index("lines")
    head = read(text[:cut])
    assert head.consumed == text.index("1,")
    tail = read(text[head.consumed :], head.consumed, head.state)
    assert points(head) + points(tail) == points(whole)
    assert head.accepted + tail.accepted == 4


def test_a_quote_that_never_closes_costs_one_line(monkeypatch):
    monkeypatch.setattr(csv_table, "MAX_RECORD", 100)
    batch = read('step,note,loss\n1,"open,3\n' + "".join(f"{i},x,1\n" for i in range(2, 30)))
    assert [(r.offset, r.reason) for r in batch.rejects] == [(15, "E172 a quote that is not closed within 1 MiB")]
    assert (len(batch.points), batch.accepted) == (28, 29)


def test_a_quote_open_at_the_very_end_is_refused_there():
    batch = read('step,note\n1,"open\n2,x\n', final=True)
    assert [r.reason for r in batch.rejects] == ["E101 the file ends within a quoted field"]
    assert (batch.accepted, batch.consumed) == (2, 22)


def test_a_ragged_record_of_two_lines_is_two_rejects():
    batch = read('step,note,loss\n1,"a\nb"\n2,,1\n')
    assert (batch.accepted, [r.offset for r in batch.rejects]) == (2, [15, 20])


def test_blank_and_repeated_names():
    batch = read(",epoch,loss,loss,loss_1\n0,1,3,2,1\n")
    assert values(batch) == [("loss", 1, 3.0), ("loss_2", 1, 2.0), ("loss_1", 1, 1.0)]
    assert batch.message == "column 1 has no name and is not read; W170 column 4 repeats a name: read as loss_2"


@pytest.mark.parametrize(("text", "accepted"), [("", 0), ("step,loss\n", 1), ("\n\n", 2), ("step,lo", 0)])
def test_no_data_is_no_error(text, accepted):
    batch = read(text)
    assert (len(batch.points), batch.accepted, batch.rejects, batch.message) == (0, accepted, [], "")


def test_a_byte_order_mark_carriage_returns_blank_lines_and_comments():
    batch = read(b"\xef\xbb\xbfstep,loss\r\n1,2\r\n\r\n2,1\r\n")
    assert values(batch) == [("loss", 1, 2.0), ("loss", 2, 1.0)]
    assert (batch.accepted, batch.rejects) == (4, [])
    assert values(read("# made by a script\n# step,loss\n1,2\n")) == [("loss", 1, 2.0)]


def test_nul_bytes_are_refused():
    assert [r.reason[:4] for r in read(b"step,loss\n1,\0\0\n2,1\n").rejects] == ["E122"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_wherever_its_bytes_are_cut(encoding):
    text = "\ufeffstep,loss,\u010a\n1,2,3\n2,1.5,ਅ\n30,1,\n"
    data = text.encode(encoding)
    whole = read(data, final=True)
    assert values(whole) == [("loss", 1, 2.0), ("\u010a", 1, 3.0), ("loss", 2, 1.5), ("loss", 30, 1.0)]
    assert facts(whole) == {"\u010a": "ਅ"}
    assert [data[o : o + 2].decode(encoding) for _, _, _, o in points(whole)] == ["1", "1", "2", "3"]
    for cut in (i + 1 for i, byte in enumerate(data) if byte == 10):
        head = read(data[:cut])
        tail = read(data[head.consumed :], head.consumed, json.loads(json.dumps(head.state)), final=True)
        torn = data[cut : cut + 1] not in (b"\0", b"") and encoding.endswith("le") and cut % 2 == 1
        assert tail.restart is torn
        assert torn or points(head) + points(tail) == points(whole)
        assert torn or head.accepted + tail.accepted == 4


def test_a_step_beyond_2_to_the_53_stays_exact():
    rows = "".join(f"{2**53 + 1 + i},{i}\n" for i in range(200))
    assert read("step,loss\n" + rows).points.step.tolist() == [2**53 + 1 + i for i in range(200)]


# Fast and slow are the same ----------------------------------------------------------------------------------------


def columns(batch: Batch):
    """All columns, bit for bit except which NaN it is; the order of the keys within a line is nobody's concern."""
    p = batch.points
    value, wall = (np.where(np.isnan(x), np.nan, x).view(np.uint64).tolist() for x in (p.value, p.wall))
    assert p.offset.tolist() == sorted(p.offset.tolist())
    return sorted(zip(p.offset.tolist(), p.step.tolist(), [p.keys[k] for k in p.key], value, wall, strict=True))


CELLS = st.one_of(
    st.floats().map(repr), st.integers(-(2**70), 2**70).map(str), st.floats(0, 1).map(lambda x: f"{x:.17g}"),
    st.sampled_from(["", "NA", "nan", "-inf", "train", " 0.5 ", "+1", ".5", "5.", "1e999", "1_0", "-0", "null", "0x1",
                     "1700000000", "2023-11-14T22:13:20Z", "é", "x" * 300, " NA ", "\t", "1d5", "True"]),
)  # fmt: skip


@st.composite
def tables(draw):
    """A table of regular rows with some odd cells and lines."""
    columns = draw(st.lists(
        st.sampled_from(["step", "epoch", "batch", "loss", "acc", "time", "timestamp", "stage", "", " lr ", "loss"]),
        min_size=2, max_size=6,
    ))  # fmt: skip
    kinds = [draw(st.sampled_from(["count", "float", "float", "text", "time"])) for _ in columns]
    rng = draw(st.randoms(use_true_random=False))
    spell = {
        "count": str, "float": lambda i: repr(rng.random()), "text": lambda i: rng.choice(["train", "val"]),
        "time": lambda i: str(1_700_000_000 + i),
    }  # fmt: skip
    rows = [[spell[kind](i) for kind in kinds] for i in range(draw(st.integers(4, 25)))]
    for _ in range(draw(st.integers(0, 3))):
        draw(st.sampled_from(rows))[draw(st.integers(0, len(columns) - 1))] = draw(CELLS)
    text = [",".join(row) for row in rows]
    for odd in draw(st.lists(st.sampled_from(["", "1", '"a', '1,"x\ny"', ",".join(columns), "\0"]), max_size=2)):
        text.insert(draw(st.integers(0, len(text))), odd)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join([",".join(columns), *text, ""]).encode()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([4, 8, 16_384]))
def test_blocks_and_single_records_give_the_same_batch(data, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "BLOCK", block)
        patch.setattr(csv_blocks, "_SMALLEST", 2)
        fast = read(data)
        patch.setattr(csv_table, "read_block", lambda *_: False)
        slow = read(data)
    assert columns(fast) == columns(slow)
    assert (fast.accepted, fast.consumed, fast.rejects) == (slow.accepted, slow.consumed, slow.rejects)
    assert (fast.message, sorted(map(repr, fast.facts))) == (slow.message, sorted(map(repr, slow.facts)))
    assert fast.accepted + len(fast.rejects) == data[: fast.consumed].count(b"\n")


@settings(max_examples=80, deadline=None, derandomize=True)
@given(tables(), st.data())
def test_where_the_chunks_are_cut_does_not_matter(data, cuts):
    cut = cuts.draw(st.sampled_from([i + 1 for i, byte in enumerate(data) if byte == 10]))
    whole = read(data, final=True)
    head = read(data[:cut])
    tail = read(data[head.consumed :], head.consumed, json.loads(json.dumps(head.state)), final=True)
    assert columns(whole) == sorted(columns(head) + columns(tail))
    assert list(whole.rejects) == [*head.rejects, *tail.rejects]
    assert whole.accepted == head.accepted + tail.accepted


def test_plain_rows_are_read_in_blocks(monkeypatch):
    taken = []
    original = csv_table.read_block
    monkeypatch.setattr(csv_table, "read_block", lambda *a: taken.append(original(*a)) or taken[-1])
    batch = read("step,loss,val\n" + "".join(f"{i},{i / 7},{'' if i % 3 else i}\n" for i in range(300)))
    assert taken == [True]
    assert len(batch.points) == 400


def test_values_are_the_float_that_python_reads():
    rng = random.Random(4)
    spelled = [f"{rng.random():.17g}e{rng.randint(-300, 300)}" for _ in range(3000)]
    batch = read("step,v\n" + "".join(f"{i},{text}\n" for i, text in enumerate(spelled)))
    assert batch.points.value.tolist() == [float(text) for text in spelled]


# Whose file it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "least", "own"),
    [
        ("metrics.csv", LIGHTNING, 0.9, False),
        ("training.log", KERAS, 0.9, False),
        ("results.csv", ULTRALYTICS, 0.9, False),
        ("exp7.csv", KERAS, 0.8, True),
        ("learn_error.tsv", "iter\tLogloss\n0\t0.5\n", 0.8, True),
        ("only_header.csv", "epoch,loss\n", 0.8, True),
    ],
)
def test_tables_with_an_axis_are_claimed(name, text, least, own):
    bid = claim(name, text)
    assert bid.score >= least
    assert bid.per_file_run is own


def test_a_table_without_an_axis_needs_metrics_or_parameters_beside_it():
    assert claim("scores.csv", ",loss,acc\n0,1,2\n").score >= 0.5
    assert claim("scores.csv", "weight,loss,height\n1,2,3\n").score == 0
    assert claim("scores.csv", "weight,height\n1,2\n").score == 0
    assert claim("scores.csv", "weight,height\n1,2\n", siblings=["hparams.yaml"]).score >= 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flights.csv", "year,month,carrier\n2013,1,UA\n"),
        ("notes.txt", "At this step, we stop\nand go on\n"),
        ("notes.txt", "epoch\n1\n"),
        ("x.log", "Epoch 1, loss 0.5\nEpoch 2, loss 0.25\n"),
        ("empty.csv", ""),
        ("train.log", "2024-01-01 10:00:00,123 INFO start\n2024-01-01 10:00:01,456 INFO go on\n"),
        ("games.csv", "year,round,team,points\n2024,1,A,3\n"),
    ],
)
def test_other_files_are_left_alone(name, text):
    assert claim(name, text, siblings=["config.yaml"] if name == "train.log" else ()).score == 0


@pytest.mark.parametrize(
    "header", ["timestamp,prediction,latency_ms", "request_id,y_pred,status", "id,status,latency", "batch,prediction,x"]
)
def test_rows_of_production_are_no_training_log(header):
    bid = claim("week_01.csv", f"{header}\n1,2,3\n", siblings=["config.yaml"])
    assert bid.score == 0
    assert "production" in bid.why


def test_a_carriage_return_within_a_line_is_no_reason_to_fail() -> None:
    for text in ("a\rb,loss\n1,2\n", 'step,"a\rb",loss\n1,2,3\n', "\r\tPassed\n1\t2\n"):
        data = text.encode()
        DelimitedReader().claim(Head(PurePath("metrics.csv"), data, len(data)))
        batch = DelimitedReader().read(Chunk(PurePath("metrics.csv"), data, 0, {}, True))
        assert batch.consumed == len(data)
