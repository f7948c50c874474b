"""Stories of fast hands and slow lines: keys that come in one burst do what they do when typed one by one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.widget import Widget

from tests.support.terminal import Terminal
from tests.tui.stories import tell, workbench
from workbench.tui import key_order
from workbench.tui.prompt import Prompt


def burst(sitting, keys):
    """Hand all keys to the interface before it has done the first; `⏎` is enter, `⎋` escape, arrows are arrows."""
    named = {"⏎": "enter", "⎋": "escape", "⇥": "tab", "↑": "up", "↓": "down"}
    for char in keys:
        key = named.get(char) or _character_to_key(char)
        sitting.app.post_message(events.Key(key, None if char in named else char))


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (":compare gbm", "compare gbm"),
        ("/lr>1 tag:sweep", "lr>1 tag:sweep"),
        ("/q⎋:sort name", "sort name"),
        (":ru⇥--s⇥", "runs --sort "),
        ("t:q", ":q"),
    ],
)
def test_every_key_of_a_burst_lands_on_the_line_it_opened(tmp_path, keys, line):
    async def story():
        async with workbench(tmp_path) as sitting:
            burst(sitting, keys)
            await sitting.settle()
            assert sitting.app.screen.query_one(Prompt).typed == line

    tell(story)


def test_a_whole_command_in_one_burst_is_done_and_the_keys_behind_it_work(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            burst(sitting, ":sort name⏎:mark gbm-deep logistic⏎2")
            await sitting.settle()
            assert sitting.app.view.sort == "name"
            assert sitting.app.view.marks == ("r03", "r01")
            assert sitting.app.current_mode == "compare"

    tell(story)


def test_a_list_that_is_opened_and_narrowed_in_one_burst_gives_what_was_typed(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            burst(sitting, "strain⏎:q")
            await sitting.settle()
            assert sitting.app.view.sort == "metric:train/loss"
            assert sitting.app.screen.query_one(Prompt).typed == "q"

    tell(story)


@pytest.mark.parametrize("moves", ["↓", "↓↓", "↓↑"])
def test_a_list_opened_in_a_burst_is_moved_through_from_what_holds_now(tmp_path, moves):
    async def story():
        async with workbench(tmp_path) as sitting:
            app = sitting.app
            choices = [choice.key for choice in app.rows.choices()]
            now = choices.index(app.view.sort)
            burst(sitting, f"s{moves}⏎")
            await sitting.settle()
            assert app.view.sort == choices[now + moves.count("↓") - moves.count("↑")]

    tell(story)


def test_keys_typed_before_the_panels_are_known_are_done_in_their_order(tmp_path):
    async def story():
        async with workbench(tmp_path, settle=False) as sitting:
            burst(sitting, "2:q")
            await sitting.settle()
            assert sitting.app.current_mode == "compare"
            assert sitting.app.screen.query_one(Prompt).typed == "q"

    tell(story)


def test_who_leaves_does_not_wait_for_the_panels(tmp_path, monkeypatch):
    monkeypatch.setattr(key_order, "LONGEST_HELD", 1000.0)
    may_open = threading.Event()

    async def story():
        async with workbench(tmp_path, opening=lambda: may_open.wait(60), settle=False) as sitting:
            await sitting.pilot.pause()
            burst(sitting, "2q")
            while not sitting.app._exit:
                await asyncio.sleep(0.002)
            may_open.set()

    tell(story)


def test_what_is_pasted_behind_a_colon_lands_behind_it(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            burst(sitting, ":")
            sitting.app.post_message(events.Paste("sort name"))
            burst(sitting, "⏎")
            await sitting.settle()
            assert sitting.app.view.sort == "name"

    tell(story)


def test_a_widget_that_never_comes_back_does_not_silence_the_keyboard(tmp_path, monkeypatch):
    class Stuck(Widget, can_focus=True):
        async def on_key(self, event):
            event.stop()
            self.screen.set_focus(None)
            await asyncio.Event().wait()

    monkeypatch.setattr(key_order, "PATIENCE", 0.1)

    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.app.screen.mount(stuck := Stuck())
            stuck.focus()
            await sitting.pilot.pause()
            burst(sitting, "x/a whole filter")
            while not sitting.app._deaf or sitting.app.keys_under_way or sitting.app._keys_waiting:
                await asyncio.sleep(0.002)
            typed, deaf = sitting.app.screen.query_one(Prompt).typed, set(sitting.app._deaf)
            stuck._task.cancel()
            assert typed == "a whole filter"
            assert deaf == {stuck}, "it is waited for once"

    tell(story)


# Real terminals

PROGRAM = [sys.executable, "-m", "workbench.cli.main", "tui"]


@pytest.fixture
def logged(tmp_path):
    """A project with two runs, read once."""
    for name, level in (("gbm", 0.5), ("mlp", 0.7)):
        (tmp_path / "runs" / name).mkdir(parents=True)
        lines = [json.dumps({"step": step, "loss": level / (step + 1)}) + "\n" for step in range(5)]
        (tmp_path / "runs" / name / "metrics.jsonl").write_text("".join(lines))
    subprocess.run([*PROGRAM[:-1], "runs", str(tmp_path)], check=True, capture_output=True, timeout=60)
    return tmp_path


def test_on_a_real_terminal_one_write_of_many_keys_is_a_whole_command(logged):
    with Terminal([*PROGRAM, str(logged)], logged, 100, 30) as terminal:
        terminal.wait_for(lambda output: b"Compare" in output)
        terminal.keys(":compare gbm mlp\r:export points --out points.csv\r")
        terminal.wait_for(lambda output: b": done" in output)
        assert (logged / "points.csv").read_text().count("\n") == 11
        terminal.keys("q")
        assert terminal.leave() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_a_real_tmux_send_keys_of_a_whole_command_and_enter_is_done(logged):
    socket = f"workbench-typing-{os.getpid()}"

    def tmux(*words):
        done = subprocess.run(["tmux", "-L", socket, *words], capture_output=True, text=True, timeout=10)
        return done.stdout if done.returncode == 0 else ""

    def seen(words):
        until = time.monotonic() + 60
        while words not in tmux("capture-pane", "-p"):
            assert time.monotonic() < until, tmux("capture-pane", "-p")
            time.sleep(0.05)

    command = " ".join(f"'{word}'" for word in [*PROGRAM, str(logged)])
    tmux("new-session", "-d", "-x", "100", "-y", "30", f"cd '{logged}' && PYTHONPATH='{os.getcwd()}' {command}")
    try:
        seen("Compare")
        tmux("send-keys", ":sort name --desc", "Enter")
        seen("name▼")
        tmux("send-keys", "/gbm", "Enter", ":sort name", "Enter")
        seen("name▲")
        seen("filter: gbm")
    finally:
        tmux("kill-server")
