"""A panel in a process of its own: it works like any other, and whatever ends that process ends nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.memory_query import MemoryQuery, series, with_points
from workbench.core.config import ConfigError
from workbench.plugin import isolated
from workbench.plugin.api import Action, Bars, Fit, Focus, Heat, Lines, Note, Query, Run, Stack
from workbench.plugin.box import PluginError, PluginTimeoutError, reason_of
from workbench.plugin.isolated import IsolatedPanel
from workbench.plugin.wire import ANSWERS

MODULE = """
import os, sys, time
from dataclasses import dataclass, replace
import numpy as np
from workbench.plugin.api import Action, Bars, Cell, Column, Heat, Line, Lines, Note, Panel, Stack, Table

@dataclass(frozen=True)
class Options:
    do: str = "work"

class Apart(Panel):
    name = "apart"
    title = "Apart"
    key = "8"
    options = Options()
    actions = (Action("again", "z", "again"),)

    def load(self, query, focus):
        do = self.options.do
        if do == "work":
            runs = query.runs(focus.where)
            sums = query.percentiles([run.id for run in runs], ["loss"], [50])
            whole = query.series_of([run.id for run in runs], ["loss"])
            assert list(whole) == list(sums)
            return [(run.name, query.series(run.id, "loss"), sums[run.id, "loss"], query.roles("loss")) for run in runs]
        if do == "exit": os._exit(7)
        if do == "leave": sys.exit("goodbye")
        if do == "crash": os.abort()
        if do == "hang": time.sleep(60)
        if do == "print": print("LOUD"); os.write(1, b"RAW"); return []
        if do == "flood": return list(range(10_000_000))
        if do == "raise": raise KeyError("nothing there")
        if do == "ask": return query.delete_everything()
        if do == "wrong": return query.runs("((")
        return do

    def view(self, data, fit):
        if data == "object": return object()
        if data == "exit in view": os._exit(9)
        if self.options.do == "flood": return Table([Column("a")], [[Cell(1)]] * len(data))
        return Stack([
            Lines([Line(name, s.step.astype(float), s.value) for name, s, *_ in data], marks=((1.0, "here"),)),
            Bars([name for name, *_ in data], [("median", [p[0] for _, _, p, _ in data])]),
            Heat(["r"], ["c"], [[None]], flags=[[True]]),
            Note(f"{fit.columns} wide, {os.getpid()}"),
        ])

    def act(self, action, query, focus):
        self.options = replace(self.options, do="raise")
        return f"{action} of {len(query.runs())}"
"""


@pytest.fixture(scope="module", autouse=True)
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("apart")
    (folder / "wb_apart.py").write_text(MODULE)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def shared() -> Iterator[IsolatedPanel]:
    panel = IsolatedPanel.of_target("wb_apart:Apart")
    yield panel
    panel.close()


@pytest.fixture
def panel(shared: IsolatedPanel) -> IsolatedPanel:
    shared.configure({"do": "work"}, "test")
    return shared


RUN = Run("1", "tree", "csv", "tree", "finished", "", started_at=1.0)
QUERY = MemoryQuery([RUN], with_points(series("1", "loss", [0.5, float("nan"), 0.25])))


def load(panel: IsolatedPanel, **options: Any) -> Any:
    panel.configure(options, "workbench.toml: panel.apart")
    return panel.load(QUERY, Focus(where="name:tree"))


def test_it_says_of_itself_what_the_panel_says(panel: IsolatedPanel) -> None:
    assert (panel.name, panel.title, panel.key, panel.every) == ("apart", "Apart", "8", None)
    assert panel.actions == (Action("again", "z", "again"),)
    assert "wb_apart" not in sys.modules, "nothing of it was imported here"


def test_its_questions_are_answered_and_its_blocks_come_back(panel: IsolatedPanel) -> None:
    data = load(panel, do="work")
    block = panel.view(data, Fit(100))
    assert isinstance(block, Stack)
    lines, bars, heat, note = block.blocks
    assert isinstance(lines, Lines) and isinstance(bars, Bars) and isinstance(heat, Heat) and isinstance(note, Note)
    assert np.array_equal(lines.lines[0].y, [0.5, np.nan, 0.25], equal_nan=True)
    assert lines.marks == ((1.0, "here"),)
    assert list(bars.series[0][1]) == [0.375]
    assert note.text.startswith("100 wide, ") and not note.text.endswith(f" {os.getpid()}")


@pytest.mark.parametrize(
    ("do", "words"),
    [
        ("exit", "its process ended with exit code 7"),
        ("crash", "its process was ended by SIGABRT"),
        ("leave", "SystemExit: goodbye"),
        ("raise", "KeyError: 'nothing there'"),
        ("object", "view() gave a object; a block is one of"),
        ("exit in view", "its process ended with exit code 9"),
        ("ask", "RuntimeError: PluginError: a query cannot be asked for delete_everything"),
        ("wrong", "RuntimeError: WhereError"),
        ("flood", "10,000,000 cells, more than 300,000"),
    ],
)
def test_whatever_it_does_is_told_and_the_next_load_works(panel: IsolatedPanel, do: str, words: str) -> None:
    with pytest.raises(PluginError) as raised:
        load(panel, do=do)
    assert words in reason_of(raised.value)[0]
    assert isinstance(panel.view(load(panel, do="work"), Fit()), Stack)


def test_what_it_raises_comes_with_place_and_traceback(panel: IsolatedPanel) -> None:
    with pytest.raises(PluginError) as raised:
        load(panel, do="raise")
    assert reason_of(raised.value)[1].partition(":")[0].endswith("wb_apart.py")
    assert 'raise KeyError("nothing there")' in "".join(raised.value.__notes__)


def test_one_that_hangs_is_ended(panel: IsolatedPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    load(panel, do="work")
    process = panel._process
    assert process is not None
    monkeypatch.setattr(panel, "_limit", 0.2)
    with pytest.raises(PluginTimeoutError, match=r"no answer within 0\.2 s; its process was ended"):
        load(panel, do="hang")
    assert process.poll() is not None


def test_what_it_prints_is_named_and_stays_out_of_the_data(
    panel: IsolatedPanel, capfd: pytest.CaptureFixture[str]
) -> None:
    panel.close()
    load(panel, do="print")
    panel.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert "panel apart printed: LOUD" in err and "RAW" in err


def test_it_acts_there(panel: IsolatedPanel) -> None:
    load(panel, do="work")
    assert panel.act("again", QUERY, Focus()) == "again of 1"
    with pytest.raises(PluginError, match="nothing there"):
        panel.load(QUERY, Focus())


def test_its_options_are_checked_there(panel: IsolatedPanel) -> None:
    with pytest.raises(ConfigError, match=r"workbench\.toml: panel\.apart\.doo: unknown key – did you mean 'do'"):
        load(panel, doo="x")


def test_every_question_of_a_query_can_be_asked_from_there() -> None:
    public = {name for name in vars(Query) if not name.startswith("_")}
    assert set(ANSWERS) == public


def test_what_cannot_be_imported_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="No module named 'wb_nowhere'"):
        IsolatedPanel.of_target("wb_nowhere:Apart")
    monkeypatch.setattr(isolated, "START", 0.001)
    with pytest.raises(PluginTimeoutError):
        IsolatedPanel.of_target("wb_apart:Apart")


def test_its_process_ends_with_ours(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from workbench.plugin.isolated import IsolatedPanel\n"
        "panel = IsolatedPanel.of_target('wb_apart:Apart')\n"
        "print(panel._process.pid, flush=True)\n"
        "import os; os._exit(0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    child = int(ran.stdout)
    for _ in range(1000):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        subprocess.run(["sleep", "0.01"], check=True)
    raise AssertionError("it lives on")
