"""Every view's command on the command line: it is run, and prints what was seen."""

from __future__ import annotations

import json
import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cli.conftest import write_runs
from tests.support.command_line import workbench as command
from tests.support.ingest import Project
from tests.support.production import MONITOR, write_exports
from tests.tui.project import run
from tests.tui.stories import tell, workbench
from workbench.core.prose import keyed
from workbench.core.query import Fit, Focus
from workbench.panels.registry import all_panels
from workbench.render.json import to_json
from workbench.render.text import render_text
from workbench.tui.charts_screen import ChartsScreen
from workbench.tui.logs_screen import LogsScreen
from workbench.tui.panel_screen import PanelScreen
from workbench.tui.spoken import Names, line, panel_words
from workbench.tui.sql_screen import SqlScreen

AGE = re.compile(r"\b\d+ ?(s|min|h|d)\b")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of training, a monitor over production, and a line that was refused; read by the real engine."""
    root = tmp_path_factory.mktemp("spoken") / "shop"
    root.mkdir()
    writer = Project.__new__(Project)
    writer.root, writer.now = root, 1_700_000_000.0
    write_runs(writer)
    write_exports(root)
    (root / "loud").mkdir()
    (root / "loud" / "metrics.jsonl").write_text('{"step": 0, "loss": 1.0}\n')
    (root / "loud" / "train.log").write_text("INFO begins\nWARNING the disk is slow\nINFO ends\n")
    (root / "workbench.toml").write_text(MONITOR)
    command("watch", root, "--once")
    command("baseline", "named", "--root", root)
    return root


@dataclass(frozen=True)
class Seen:
    """A view as it was on the screen, and the command it gave."""

    view: str
    words: list[str]
    text: str
    data: Any


def seen_on(sitting: Any, screen: Any) -> Seen:
    """The open view in the room that a pipe gives the command line."""
    spoken = sitting.app.spoken_lines()
    words = shlex.split(spoken[0][1])
    assert words[0] == "workbench"
    if isinstance(screen, ChartsScreen):
        return Seen("charts", words[1:], "", [run.id for run in screen.runs])
    if isinstance(screen, LogsScreen):
        return Seen("logs", words[1:], "", [row.text for row in screen.view.page.rows])
    if isinstance(screen, SqlScreen):
        return Seen("sql", words[1:], "", [list(row) for row in screen.grid.rows.rows])
    if not isinstance(screen, PanelScreen):
        return Seen("runs", words[1:], "", list(screen.grid.ids))
    block = keyed(screen.panel.view(screen._data, Fit(120)))
    own = screen.panel.to_json(screen._data)
    data = to_json(block) if own is None else own
    return Seen(screen.panel.name, words[1:], render_text(block, Fit(120)), json.loads(json.dumps(data)))


def steady(data: Any) -> Any:
    """Data without what the clock alone changes: how long nothing has come."""
    if isinstance(data, dict):
        return {name: steady(value) for name, value in data.items()}
    if isinstance(data, list):
        return [steady(each) for each in data if not (isinstance(each, dict) and each.get("kind") == "freshness")]
    return data


async def tour(sitting: Any) -> list[Seen]:
    """Every view there is, some of them opened further, with filter, order, columns, marks and options."""
    seen = [seen_on(sitting, sitting.app.screen)]

    async def typed(*lines: str) -> None:
        for each in lines:
            await sitting.press("colon")
            await sitting.type(each)
            await sitting.press("enter")
        seen.append(seen_on(sitting, sitting.app.screen))

    await typed("runs --all --sort val/accuracy --desc")
    await typed("filter val/accuracy>0.7", "sort p95", "columns param:lr tag:best")
    await typed("filter", "sort state", "columns")
    await typed("show named")
    await sitting.press("escape")
    for name, _, _ in sitting.app.tabs:
        await typed(f"open {name}")
    await typed("mark named dense", "open compare")
    await sitting.press("y")
    seen.append(seen_on(sitting, sitting.app.screen))
    await typed("show dense")
    await sitting.press("y", "escape")
    await sitting.press("semicolon")
    await sitting.type("select key, n from series order by key, n limit 3")
    await sitting.press("enter")
    seen.append(seen_on(sitting, sitting.app.screen))
    await sitting.press("escape")
    await typed("show loud")
    await sitting.press("l", "e")
    seen.append(seen_on(sitting, sitting.app.screen))
    await sitting.press("escape", "escape", "escape")
    for name, key in (("drift", "enter"), ("windows", "enter"), ("sources", "enter")):
        await sitting.press("colon")
        await sitting.type(f"open {name}")
        await sitting.press("enter", key)
        seen.append(seen_on(sitting, sitting.app.screen))
        await sitting.press("escape")
    return seen


def test_the_command_of_every_view_prints_what_is_seen(shop, monkeypatch):
    from workbench.cli.project import open_project

    monkeypatch.chdir(shop)
    project = open_project(shop)
    found: list[Seen] = []

    async def story():
        panels = list(all_panels())
        async with workbench(shop.parent, (120, 40), project.query, with_panels=panels, clock=time.time) as sitting:
            sitting.app._config = project.config
            await sitting.settle()
            found.extend(await tour(sitting))

    tell(story)
    project.store.close()
    assert {each.view for each in found} >= {panel.name for panel in all_panels()} | {"source", "sql", "logs"}
    read: set[str] = set()
    for each in found:
        if each.view == "logs":
            assert command(*each.words).out.splitlines() == each.data
            continue
        printed = command(*each.words, "--format", "json").json
        if each.view == "charts":
            assert [run["id"] for run in printed["runs"]] == each.data, each.words
        elif each.view == "sql":
            assert [list(row.values()) for row in printed] == each.data
        elif each.view == "runs":
            assert [run["id"] for run in printed] == each.data, each.words
        else:
            assert steady(printed) == steady(each.data), each.words
            if each.view not in read:
                shown = command(*each.words).out
                assert AGE.sub("", shown).split() == AGE.sub("", each.text).split(), each.words
        read.add(each.view)
    chosen = next(each.words for each in found if "--columns" in each.words)
    assert {"lr", "best", "yes"} <= set(command(*chosen).out.split())


def test_a_run_is_named_so_that_it_is_found_again():
    two = [run(1), run(2)]
    same = {each.id: each for each in (*two, replace(run(3), name=two[0].name))}
    names = Names(same)
    assert [names(run_id) for run_id in same] == ["r01", two[1].name, "r03"]
    odd = {each.id: replace(each, name=name) for each, name in zip(two, ("-x", "a\x1b]0;"), strict=True)}
    assert [Names(odd)(run_id) for run_id in odd] == ["r01", "r02"]


def test_a_command_is_one_line_whatever_stands_in_a_filter():
    focus = Focus(run="r1", metric="val/loss; rm -rf /", options={"log_y": True, "source": "12e4", "x": "step"})
    words = panel_words("other", focus, Names({}))
    shown = line(words, "/a b")
    assert "\n" not in shown
    assert shlex.split(shown) == [
        "workbench", "panel", "other", "--run", "r1", "--metric", "val/loss; rm -rf /",
        "--option", "log_y=true", "--option", 'source="12e4"', "--root", "/a b",
    ]  # fmt: skip
    assert line(["runs", "--where", "a\x1b]52;c;x\x07"]).isprintable()
