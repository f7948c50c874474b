"""Event files, checked against what protocol buffers' own decoder makes of the same bytes."""

from __future__ import annotations

import math
from pathlib import PurePath

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboardX.proto.summary_pb2 import HistogramProto, Summary
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

from tests.fixtures import make_tensorboard as make
from tests.support.event_files import PATH, expected_points, loop, points, read, records, scalar
from workbench.core.batch import Fact, Head
from workbench.readers.tensorboard.reader import TensorBoardReader, run_folder

FIXTURES = make.FOLDER


# What real loggers write


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*tfevents*")), ids=lambda p: str(p.relative_to(FIXTURES)))
def test_real_files_read_as_protobuf_reads_them(path):
    data = path.read_bytes()
    batch = read(data)
    assert points(batch) == expected_points(data)
    assert (batch.consumed, batch.rejects) == (len(data), ())
    assert batch.accepted == len(list(records(data)))


def test_a_torch_run_has_its_note_and_its_histogram():
    batch = read(next(FIXTURES.glob("torch/*tfevents*")).read_bytes())
    assert [(f.kind, f.key, f.value) for f in batch.facts] == [("note", "setup", "two layers, [red]no dropout[/]")]
    (drawn,) = batch.histograms
    assert (drawn.key, drawn.step, drawn.counts.sum()) == ("weights", 1, 10)
    assert (drawn.edges[0], drawn.edges[-1], len(drawn.counts) <= 64) == (0.0, 9.0, True)
    assert batch.message == ""
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


def test_a_restart_marked_by_its_session_log():
    start = Event(wall_time=1.0, step=100, session_log=SessionLog(status=SessionLog.START))
    stop = Event(wall_time=2.0, step=200, session_log=SessionLog(status=SessionLog.STOP))
    batch = read(make.event_file([start, stop]))
    assert [p.step for p in batch.purges] == [100]
    assert batch.accepted == 3


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


def test_parameters_of_every_kind_are_json_scalars():
    info = SessionStartInfo()
    info.hparams["lr"].number_value = math.inf
    info.hparams["units"].number_value = 64.0
    info.hparams["shape"].list_value.extend([2, "x", None])
    info.hparams["note"].string_value = "[red]\x1b]0;x\x07"
    content = HParamsPluginData(session_start_info=info).SerializeToString()
    value = Summary.Value(tag="_hparams_/session_start_info", metadata=make.metadata("hparams", content))
    facts = {f.key: f.value for f in read(make.event_file([make.value_event(0, value)])).facts}
    assert facts == {"lr": "Infinity", "units": 64, "shape": '[2, "x", null]', "note": "[red]\x1b]0;x\x07"}


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


# Histograms


def histo(values: np.ndarray, bins: int) -> Summary.Value:
    counts, edges = np.histogram(values, bins)
    proto = HistogramProto(min=values.min(), max=values.max(), num=len(values), bucket_limit=edges[1:], bucket=counts)
    return Summary.Value(tag="w", histo=proto)


def matrix(values: np.ndarray, bins: int, plugin: str = "histograms") -> Summary.Value:
    counts, edges = np.histogram(values, bins)
    rows = np.stack([edges[:-1], edges[1:], counts], axis=1)
    dims = [TensorShapeProto.Dim(size=n) for n in rows.shape]
    tensor = TensorProto(dtype=2, tensor_shape=TensorShapeProto(dim=dims), tensor_content=rows.tobytes())
    return Summary.Value(tag="w", tensor=tensor, metadata=make.metadata(plugin))


@pytest.mark.parametrize("bins", [1, 30, 64, 65, 1000])
@pytest.mark.parametrize("kind", [histo, matrix])
def test_a_histogram_keeps_every_count_its_ends_and_its_shape(kind, bins):
    values = np.random.default_rng(bins).standard_t(3, 5000)
    (drawn,) = read(make.event_file([make.value_event(7, kind(values, bins))])).histograms
    assert drawn.step == 7
    assert drawn.counts.sum() == 5000
    assert (drawn.edges[0], drawn.edges[-1]) == pytest.approx((values.min(), values.max()))
    assert len(drawn.counts) <= 64
    assert (np.diff(drawn.edges) > 0).all()
    below = np.concatenate([[0.0], np.cumsum(drawn.counts)]) / 5000
    true = np.searchsorted(np.sort(values), drawn.edges[1:-1]) / 5000
    assert below[1:-1] == pytest.approx(true, abs=0.001)
    assert drawn.counts.max() < 5000 / 16 or bins < 64 or np.diff(drawn.edges)[drawn.counts.argmax()] < 1


def test_a_histogram_of_one_value_and_one_of_none():
    one, none = histo(np.full(9, 2.5), 3), Summary.Value(tag="w", histo=HistogramProto())
    batch = read(make.event_file([make.value_event(0, one), make.value_event(1, none)]))
    (drawn,) = batch.histograms
    assert drawn.edges[0] <= 2.5 <= drawn.edges[-1]
    assert drawn.counts.tolist() == [9]
    assert batch.message == "not read yet: histograms 1"


def test_a_matrix_is_a_histogram_only_where_its_plugin_says_so():
    later = matrix(np.arange(5.0), 5)
    later.ClearField("metadata")
    values = [matrix(np.arange(5.0), 5), later, matrix(np.arange(5.0), 5, "pr_curves")]
    batch = read(make.event_file(make.value_event(i, value) for i, value in enumerate(values)))
    assert [drawn.step for drawn in batch.histograms] == [0, 1]
    assert batch.message == "not read yet: pr_curves 1"


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


# Images, which stay where they are


def image_events(data: bytes) -> dict[str, list[bytes]]:
    """The encoded images by tag, as protocol buffers' own decoder finds them."""
    found: dict[str, list[bytes]] = {}
    for _, event in records(data):
        for value in event.summary.value:
            if value.WhichOneof("value") == "image":
                found.setdefault(value.tag, []).append(value.image.encoded_image_string)
            elif value.tensor.dtype == 7 and len(value.tensor.string_val) > 2:
                found.setdefault(value.tag, []).append(value.tensor.string_val[2])
    return found


def test_the_newest_image_of_a_tag_is_told_by_its_place_in_the_file(tmp_path):
    with make.SummaryWriter(str(tmp_path)) as writer:
        for step in range(3):
            writer.add_image("samples", np.full((3, 8, 12), 60 * step, np.uint8), step)
    data = next(tmp_path.glob("*tfevents*")).read_bytes()
    png = image_events(data)["samples"][0]
    sizes = [b"12", b"8", png, png]
    tensor = TensorProto(dtype=7, tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=4)]), string_val=sizes)
    data += make.event_file([make.value_event(4, Summary.Value(tag="of tensors", tensor=tensor))])
    batch = read(data)
    facts = {fact.key: fact.value for fact in batch.facts if fact.kind == "artifact"}
    assert {key: data[at["offset"] :][: at["length"]] for key, at in facts.items()} == {
        tag: images[-1] for tag, images in image_events(data).items()
    }
    assert set(facts) == {"samples", "of tensors"}
    assert batch.message == "" and batch.rejects == ()


def test_the_place_of_an_image_counts_from_the_beginning_of_the_file_however_it_is_cut():
    event = make.value_event(1, Summary.Value(tag="x", image=Summary.Image(encoded_image_string=b"GIF89a and so on")))
    data = make.event_file([make.value_event(0, Summary.Value(tag="loss", simple_value=1.0)), event])
    cut = len(make.event_file([make.value_event(0, Summary.Value(tag="loss", simple_value=1.0))]))
    (fact,) = read(data[cut:], cut).facts
    assert data[fact.value["offset"] :][: fact.value["length"]] == b"GIF89a and so on"


def test_a_note_that_begins_like_an_image_is_a_note(tmp_path):
    with make.SummaryWriter(str(tmp_path)) as writer:
        writer.add_text("setup", "GIF89a is a format")
    batch = read(next(tmp_path.glob("*tfevents*")).read_bytes())
    assert [(fact.kind, fact.key, fact.value) for fact in batch.facts] == [("note", "setup", "GIF89a is a format")]


def test_what_calls_itself_an_image_and_is_none_is_counted():
    event = make.value_event(1, Summary.Value(tag="x", image=Summary.Image(encoded_image_string=b"<svg/>")))
    batch = read(make.event_file([event]))
    assert (batch.facts, batch.message) == ((), "not read yet: images 1")
