"""One bad file, reader or name never stops the others, and what is wrong is said in Sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any, ClassVar

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.ingest import Project, line
from workbench.core.config import load_config
from workbench.ingest.engine import Engine
from workbench.ingest.paths import from_text, to_text
from workbench.ingest.readers import all_readers
from workbench.plugin.api import Batch, Chunk, Claim, Fact, Head, Histogram, Points, Reader
from workbench.store.append import append

pytestmark = pytest.mark.duckdb15


def good(n: int) -> Points:
    """One series of n points."""
    return Points(
        ("x",), np.zeros(n, np.int32), np.arange(n), np.full(n, np.nan), np.arange(n, dtype=np.float64), np.arange(n)
    )


class OddReader(Reader):
    """Answers what a test gives it for files called `*.odd`."""

    name: ClassVar[str] = "odd"
    names: ClassVar[Sequence[str]] = ("*.odd",)

    def __init__(self, answer: Callable[[Chunk], Any]) -> None:
        self.answer = answer
        self.asked = 0

    def claim(self, head: Head) -> Claim:
        return Claim(0.9, "odd", per_file_run=True)

    def read(self, chunk: Chunk) -> Any:
        self.asked += 1
        return self.answer(chunk)


def engine(project: Project, *readers: Reader) -> Engine:
    made = [*readers, *all_readers()]
    return Engine(project.root, load_config(project.root), project.store, made, clock=lambda: project.now)


def read(project: Project, *readers: Reader) -> None:
    made = engine(project, *readers)
    try:
        made.read_all(made.scan())
    finally:
        made.close()


def test_a_row_that_the_store_refuses_marks_its_source_and_stops_no_other(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = OddReader(
        lambda chunk: Batch(replace(good(3), step=np.array([0, 1, 2])), [Fact("name", "x")],
                            accepted=3, consumed=len(chunk.data))
    )  # fmt: skip

    def refusing(con: Any, deltas: Sequence[Any], before: Any = None) -> Any:
        if any(delta.cursor.path == "bad.odd" and delta.facts for delta in deltas):
            con.execute("SELECT 'not a number'::INTEGER").fetchall()
        return append(con, deltas, before)

    project.write("bad.odd", "a\nb\nc\n")
    project.write("good.jsonl", line(0, loss=1.0) + line(1, loss=0.5))
    project.write("other.jsonl", line(0, loss=2.0))
    with monkeypatch.context() as patched:
        patched.setattr("workbench.ingest.committer.append", refusing)
        read(project, poison)
        assert len(project.points()) == 3
        bad = project.source("bad.odd")
        assert (bad.status, bad.offset) == ("damaged", 0)
        assert bad.message.startswith("its rows cannot be stored: Conversion Error")
        asked = poison.asked
        read(project, poison)
        assert poison.asked == asked, "it is not tried again while nothing about it changes"
    project.write("bad.odd", "d\n")
    project.now += 1
    read(project, poison)
    assert len(project.points()) == 6
    assert project.source("bad.odd").status == "live"


FAULTS: dict[str, tuple[Callable[[Chunk], Any], str]] = {
    "no batch": (lambda chunk: None, "read() gave NoneType"),
    "too much consumed": (lambda chunk: Batch(consumed=len(chunk.data) + 1), "consumed is"),
    "negative": (lambda chunk: Batch(consumed=-1), "consumed is -1"),
    "unequal": (lambda chunk: Batch(replace(good(3), step=np.arange(2)), consumed=1), "points.step must be an array"),
    "no array": (lambda chunk: Batch(replace(good(1), value=[1.0]), consumed=1), "points."),
    "texts": (lambda chunk: Batch(replace(good(1), value=np.array(["a"])), consumed=1), "points.value is <U1"),
    "code": (lambda chunk: Batch(replace(good(3), key=np.array([0, 1, 2], np.int32)), consumed=1), "there are 1 keys"),
    "run": (lambda chunk: Batch(replace(good(2), run=np.array([0, 5])), consumed=1), "points.run goes from 0 to 5"),
    "state": (lambda chunk: Batch(consumed=1, state={"x": object()}), "state cannot be kept as JSON"),
    "fact": (lambda chunk: Batch(facts=[Fact("moon", 1)], consumed=1), "Fact.kind is 'moon'"),  # type: ignore[arg-type]
    "edges": (
        lambda chunk: Batch(histograms=[Histogram("w", 0, 0.0, np.arange(3.0), np.arange(3.0))], consumed=1),
        "3 counts need 4 edges",
    ),
    "run id": (lambda chunk: Batch(replace(good(1), runs=("#moon",), run=np.zeros(1, int)), consumed=1), "'#moon'"),
    "restart": (lambda chunk: Batch(restart=True), "asks to start over at the start"),
    "raises": (lambda chunk: 1 / 0, "ZeroDivisionError"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_reader_that_answers_nonsense_is_named_and_the_others_go_on(project: Project, kind: str) -> None:
    answer, words = FAULTS[kind]
    project.write("bad.odd", "a\nb\n")
    project.write("good.jsonl", line(0, loss=1.0))
    read(project, OddReader(answer))
    assert len(project.points()) == 1
    source = project.source("bad.odd")
    assert (source.status, source.offset) == ("damaged", 0)
    assert words in source.message
    assert "reader odd" in source.message


def test_a_reader_that_fails_again_and_again_is_left_alone_for_a_while(project: Project) -> None:
    odd = OddReader(FAULTS["raises"][0])
    made = engine(project, odd)
    for step in range(10):
        project.write("bad.odd", f"{step}\n")
        made.read_all(made.scan())
    assert odd.asked == 3
    project.now += 61
    made.read_all(made.scan())
    assert odd.asked == 4
    made.close()


def test_whole_numbers_of_another_width_are_taken(project: Project) -> None:
    points = replace(good(3), step=np.arange(3, dtype=np.int32), value=np.arange(3, dtype=np.float32))
    project.write("fine.odd", "a\n")
    read(project, OddReader(lambda chunk: Batch(points, accepted=1, consumed=len(chunk.data))))
    assert [step for _, step, _ in project.points()] == [0, 1, 2]


@pytest.mark.parametrize(
    "name",
    [b"caf\xe9.jsonl", b"caf\xe9\xff.jsonl", b"back\\slash.jsonl", b"\\xe9.jsonl", b"\\\\.jsonl", b"plain.jsonl"],
)
def test_any_file_name_survives_the_way_into_the_store_and_back(name: bytes) -> None:
    path = PurePath(os.fsdecode(name))
    text = to_text(path)
    assert text.encode() == text.encode("utf-8", "strict")
    assert from_text(text) == path


def test_names_that_are_no_utf8_are_two_sources_and_stay_two_after_a_restart(project: Project) -> None:
    for name in (b"run\xe9.jsonl", b"run\xff.jsonl", b"run\\xff.jsonl"):
        path = Path(os.fsdecode(os.fsencode(project.root) + b"/" + name))
        path.write_text(line(0, loss=1.0))
        project.touch(path)
    read(project)
    read(project)
    assert sorted(source.path for source in project.query.sources()) == [
        r"run\\xff.jsonl", r"run\xe9.jsonl", r"run\xff.jsonl",
    ]  # fmt: skip
    assert project.stored() == 3
    assert len({run.name for run in project.query.runs()}) == 3


def test_a_folder_that_moves_while_its_new_place_is_met_first_stays_one_run(project: Project) -> None:
    project.write("a/run.jsonl", line(0, loss=1.0))
    made = engine(project)
    made.catch_up()
    (project.root / "b").mkdir()
    (project.root / "a").rename(project.root / "b" / "a")
    project.write("b/a/run.jsonl", line(1, loss=0.5))
    made.live([PurePath("b/a/run.jsonl")])
    made.catch_up()
    made.close()
    assert len(project.query.runs()) == 1
    assert [step for _, step, _ in project.points()] == [0, 1]
    assert project.source("b/a/run.jsonl").message == "was a/run.jsonl"


def test_a_file_that_looks_like_a_log_says_what_was_tried(project: Project) -> None:
    project.write("train.log", "Epoch one went rather well\n" * 3)
    project.write("notes.txt", "buy milk\n")
    read(project)
    source = project.source("train.log")
    assert source.status == "skipped"
    assert "no reader takes it; tried" in source.message
    assert "jsonl: " in source.message
    assert [source.path for source in project.query.sources()] == ["train.log"]
    project.write("train.log", "".join(line(i, loss=1.0) for i in range(3)))
    (project.root / "train.log").write_text("".join(line(i, loss=1.0) for i in range(300)))
    project.touch(project.root / "train.log")
    read(project)
    assert [(source.path, source.format) for source in project.query.sources()] == [("train.log", "jsonl")]


def test_what_was_looked_into_in_vain_is_not_opened_again_by_the_next_process(project: Project) -> None:
    class Curious(OddReader):
        names: ClassVar[Sequence[str]] = ("*.txt",)
        claims = 0

        def claim(self, head: Head) -> Claim:
            Curious.claims += 1
            return Claim(0.0, "")

    project.write("shopping.txt", "buy milk\n" * 1000)
    read(project, Curious(lambda chunk: Batch()))
    read(project, Curious(lambda chunk: Batch()))
    assert Curious.claims == 1


def test_an_unreadable_file_is_one_row_however_often_it_is_tried(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    project.write("log.jsonl", line(0, loss=1.0))
    with monkeypatch.context() as patched:
        patched.setattr("workbench.ingest.discovery.opened", refused)
        for _ in range(3):
            read(project)
            project.write("log.jsonl", line(0, loss=1.0))
            project.now += 60
    [source] = project.query.sources()
    assert (source.status, source.message) == ("unreadable", "Permission denied")
    read(project)
    [source] = project.query.sources()
    assert (source.status, source.format, source.accepted) == ("live", "jsonl", 4)


def test_exports_of_monitors_are_no_runs_not_even_through_a_hint(project: Project) -> None:
    (project.root / "workbench.toml").write_text('[monitor.shop]\npath = "exports/**/*.jsonl"\n')
    made = engine(project)
    made.catch_up()
    project.write("exports/may/day1.jsonl", line(0, loss=1.0))
    made.live([PurePath("exports/may/day1.jsonl"), PurePath("exports/may")])
    made.catch_up()
    made.close()
    assert project.query.runs() == []
