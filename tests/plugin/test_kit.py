"""`plugins new` and `plugins check`: what is written passes, and what breaks the contract is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.plugin.conftest import Site
from workbench.plugin.api import NO, Batch, Cell, Claim, Column, Empty, Line, Lines, Note, Panel, Points, Reader, Table
from workbench.plugin.scaffold import PARTS, ScaffoldError, write_file, write_package
from workbench.plugin.testing import problems, project, read


def test_every_part_has_a_module_a_test_and_an_entry_point(tmp_path: Path) -> None:
    files = {path.relative_to(tmp_path / "workbench-two-words").as_posix() for path in
             write_package(tmp_path, "two-words", list(PARTS))}  # fmt: skip
    for part in PARTS.values():
        assert f"workbench_two_words/{part.module}.py" in files
        assert f"tests/test_workbench_two_words_{part.module}.py" in files
    text = (tmp_path / "workbench-two-words" / "pyproject.toml").read_text()
    assert 'two-words = "workbench_two_words.panel:TwoWordsPanel"' in text
    assert all(f'"workbench.{part.group}"' in text for part in PARTS.values())


@pytest.mark.parametrize("part", PARTS)
def test_the_battery_finds_nothing_in_what_is_written(tmp_path: Path, part: str) -> None:
    write_package(tmp_path, "lab", [part])
    made = PARTS[part]
    code = (tmp_path / "workbench-lab" / "workbench_lab" / f"{made.module}.py").read_text()
    module: dict[str, Any] = {"__name__": f"written_{made.module}"}
    import sys

    sys.modules[module["__name__"]] = SimpleNamespace(**module)  # type: ignore[assignment]
    exec(compile(code, made.module, "exec"), module)
    target = module[made.target.replace("${camel}", "Lab")]
    thing = target() if isinstance(target, type) else target
    assert problems(thing, b"step=1 loss=0.5\nstep=2 loss=0.4\n", "train.lab.log") == []


def test_a_name_that_is_none_or_taken_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="lower case letters and digits"):
        write_package(tmp_path, "My Lab", ["panel"])
    write_package(tmp_path, "lab", ["panel"])
    with pytest.raises(ScaffoldError, match="is there already"):
        write_package(tmp_path, "lab", ["panel"])
    write_file(tmp_path, "lab")
    with pytest.raises(ScaffoldError, match="is there already"):
        write_file(tmp_path, "lab")


def test_a_file_is_written_trusted_and_checked(make_site: Callable[[], Site], tmp_path: Path) -> None:
    site = make_site()
    site.add_panel("broken", view="return 3")
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    made = site.run("plugins", "new", "lab", "--file", cwd=tmp_path, env=env)
    assert made.stdout.strip() == ".workbench/plugins/lab.py"
    ran = site.run("plugins", "check", "lab", cwd=tmp_path, env=env)
    assert (ran.returncode, ran.stdout.count("✓"), ran.stdout.count("✗")) == (0, 2, 0)
    ran = site.run("plugins", "check", "wb-broken", cwd=tmp_path, env=env)
    assert ran.returncode == 1
    assert (
        "✗ panel broken of wb-broken 1.2\n    view() with 0 runs at 20x5: view() gave a int; a block is" in ran.stdout
    )
    ran = site.run("plugins", "check", "lav", cwd=tmp_path, env=env)
    assert ran.returncode == 2
    assert "no plugin 'lav' – did you mean 'lab'?" in ran.stderr


def panel(load: Any = lambda query: None, view: Any = lambda data, fit: Note("x"), **more: Any) -> Panel:
    class Tried(Panel):
        name: ClassVar[str] = "tried"
        title: ClassVar[str] = "Tried"

        def load(self, query, focus):
            return load(query)

        def view(self, data, fit):
            return view(data, fit)

    made = Tried()
    vars(made).update(more)
    return made


@dataclass
class Thawed:
    top: int = 1


calls: list[int] = []


def impure(data: Any, fit: Any) -> Note:
    calls.append(1)
    return Note(str(len(calls)))


def first_value(query: Any) -> Any:
    return [run.metrics["loss"].last for run in query.runs()]


BAD = {
    "it prints 'hello'": panel(lambda query: print("hello")),
    "load() asked query.series() 1,0": panel(
        lambda query: [query.series(run.id, "val/loss").value for run in query.runs() if run.metrics]
    ),
    "view() gives other blocks for the same data": panel(view=impure),
    "view() with 0 runs at 20x5: ZeroDivisionError": panel(
        lambda query: len(query.runs()), lambda data, fit: Note(str(1 / data))
    ),
    "load() with 1,000 runs: KeyError: 'loss'": panel(first_value),
    "view() with 0 runs at 20x5, no colour, ASCII: KeyError: 'box'": panel(
        view=lambda data, fit: Note("x" if fit.unicode else {}["box"])
    ),
    "to_json() with 0 runs": panel(to_json=lambda data: data["rows"]),
    "`options` is Thawed(top=1); it is an instance of a frozen dataclass": panel(options=Thawed()),
    "`deadline` is 0": panel(deadline=0),
    "no answer within 0.05 s": panel(lambda query: __import__("threading").Event().wait(20), deadline=0.05),
}


@pytest.mark.parametrize(("words", "made"), BAD.items(), ids=BAD.keys())
def test_the_battery_names_what_a_panel_does_wrong(words: str, made: Panel) -> None:
    assert any(words in each for each in problems(made)), problems(made)


GOOD = {
    "curves": panel(
        lambda query: [query.series(run.id, "loss", 100) for run in query.runs()[:8]],
        lambda data, fit: Lines([Line("l", each.step.astype(np.float64), each.value) for each in data]),
    ),
    "a table of all runs": panel(
        lambda query: query.runs(), lambda data, fit: Table([Column("n")], [[Cell(each.name)] for each in data])
    ),
    "one that makes do without a store": panel(
        lambda query: __import__("contextlib").suppress(Exception), lambda data, fit: Empty("nothing")
    ),
}


@pytest.mark.parametrize("made", GOOD.values(), ids=GOOD.keys())
def test_the_battery_lets_good_panels_pass(made: Panel) -> None:
    assert problems(made) == []


class Broken(Reader):
    name: ClassVar[str] = "broken"
    wrong = ""

    def claim(self, head):
        return NO if self.wrong == "claim" else Claim(0.5, "always")

    def read(self, chunk):
        if self.wrong == "utf8":
            chunk.data.decode()
        lines = chunk.data.splitlines(keepends=True)
        numbers = np.arange(len(lines)) + (0 if self.wrong == "state" else 1)
        if self.wrong == "state":
            numbers = numbers * 0
        nothing = np.full(len(lines), np.nan)
        start = chunk.start if self.wrong == "value" else 0
        points = Points(["n"], np.zeros(len(lines), np.int32), numbers, nothing, nothing + start, numbers)
        return Batch(points, accepted=len(lines) - (self.wrong == "count"), consumed=0 if self.wrong == "stuck" else
                     len(chunk.data))  # fmt: skip


READERS = {
    "claim() does not want train.log": "claim",
    "of 2 from byte 0 on": "count",
    "read() consumed 0 of": "stuck",
    "reading damaged lines: UnicodeDecodeError": "utf8",
    "finds something else where train.log comes 1 bytes at a time": "steps",
}


@pytest.mark.parametrize(("words", "wrong"), READERS.items(), ids=READERS.values())
def test_the_battery_names_what_a_reader_does_wrong(words: str, wrong: str) -> None:
    reader = Broken()
    vars(reader)["wrong"] = wrong
    found = problems(reader, b"1\n2\n")
    assert any(words in each for each in found), found


def test_a_project_made_for_a_test_is_a_real_one(tmp_path: Path) -> None:
    query = project(tmp_path, {"a": {"loss": [0.5, float("nan")]}, "b": {"acc": [1.0]}}, {"a": {"lr": 0.1}})
    assert [run.name for run in query.runs()] == ["a", "b"]
    assert query.runs("lr>0.01")[0].metrics["loss"].n == 2
    assert query.sql("SELECT count(*) FROM point").rows == [(3,)]
    whole = query.series_of([run.id for run in query.runs()], ["loss", "acc"])
    assert {key for _, key in whole} == {"loss", "acc"}


def test_a_reader_is_driven_as_the_ingester_does() -> None:
    found = read(Broken(), b"1\n2\n3\n", at_once=2)
    assert found.lines == 3
    assert [step for step, _ in found.points["n"]] == [1, 1, 1]
