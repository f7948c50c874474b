"""Copying: what becomes of a row, a table, a command, and the ways they take to a clipboard, on real terminals too."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from tests.support.command_line import PROGRAM
from tests.support.terminal import Terminal
from tests.tui.stories import tell, workbench
from workbench.core.blocks import Cell, Column, Table
from workbench.tui.yank import LONGEST, Copied, deliver, osc52, safe, table_csv, takes_osc52

HERE = {"TERM": "xterm-256color"}
COPIED = Copied("row", "gbm-deep\t0.86")


def delivered(environment, copied=COPIED, file=None, tmux=lambda words: True):
    written = []
    said = deliver(copied, environment, written.append, file, tmux)
    return said, "".join(written)


def test_without_tmux_it_goes_to_the_terminal_and_is_kept_in_a_file(tmp_path):
    file = tmp_path / ".workbench" / "yank.txt"
    said, sent = delivered(HERE, file=file)
    assert said == "row copied, 13 bytes: to the terminal's clipboard (OSC 52) and .workbench/yank.txt"
    assert sent == f"\x1b]52;c;{base64.b64encode(COPIED.text.encode()).decode()}\x07"
    assert file.read_text() == COPIED.text
    assert file.stat().st_mode & 0o777 == 0o600


def test_in_tmux_its_buffer_has_it_and_the_sequence_passes_through(tmp_path):
    taken = []
    environment = {**HERE, "TMUX": "/tmp/tmux-0/default,1,0"}
    said, sent = delivered(environment, file=tmp_path / "yank.txt", tmux=lambda words: not taken.append(words))
    assert said == "row copied, 13 bytes: to tmux's buffer and the terminal's clipboard (OSC 52)"
    assert taken == [COPIED.text]
    assert sent.startswith("\x1bPtmux;\x1b\x1b]52;c;") and sent.endswith("\x07\x1b\\")
    assert not (tmp_path / "yank.txt").exists()


def test_a_tmux_that_answers_not_leaves_it_to_the_file(tmp_path):
    said, _ = delivered({**HERE, "TMUX": "x"}, file=tmp_path / "yank.txt", tmux=lambda words: False)
    assert "tmux's buffer" not in said and "yank.txt" in said


@pytest.mark.parametrize(
    ("environment", "text", "why"),
    [
        ({"TERM": "linux"}, "x", "this terminal has no clipboard"),
        ({**HERE, "TERM_PROGRAM": "Apple_Terminal"}, "x", "this terminal does not take OSC 52"),
        ({**HERE, "VTE_VERSION": "7600"}, "x", "this terminal does not take OSC 52"),
        (HERE, "x" * LONGEST, "too long for OSC 52"),
        ({**HERE, "STY": "1.x"}, "x", ""),
        ({**HERE, "VTE_VERSION": "7600", "TMUX": "x"}, "x", ""),
    ],
)
def test_a_terminal_that_takes_no_osc_52_is_known_and_said(environment, text, why, tmp_path):
    assert takes_osc52(text, environment) == why
    if why:
        said, sent = delivered(environment, Copied("CSV", text), tmp_path / "yank.txt")
        assert sent == "" and said.endswith(f"/yank.txt · {why}")


def test_where_no_way_is_left_it_says_why():
    with pytest.raises(OSError, match="this terminal has no clipboard"):
        deliver(COPIED, {"TERM": "linux"}, lambda sequence: None, None)


def test_screen_takes_it_in_parts_that_it_lets_through():
    sent = osc52("x" * 600, {**HERE, "STY": "1.x"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.S)
    assert max(map(len, parts)) <= 252
    assert base64.b64decode("".join(parts).removeprefix("\x1b]52;c;").removesuffix("\x07")) == b"x" * 600


def test_what_is_pasted_cannot_steer_a_terminal():
    assert safe("a\tb\x1b[31m\r\nc\x9b\u202e\x07") == "a\tb␛[31m\nc\\x9b\\u{202e}␇"


def test_csv_is_what_a_spreadsheet_reads_and_runs_nothing():
    columns = [Column("name", "name"), Column("spark", "trend"), Column("loss", "loss"), Column("delta", "Δ")]
    rows = [
        [Cell("=cmd|' /C calc'!A0"), Cell("", spark=(1.0, 2.0)), Cell(-0.5), Cell(None, delta=-0.25)],
        [Cell('a,"b"'), Cell(""), Cell(None), Cell("baseline", text="◆ base")],
    ]
    read = list(csv.reader(io.StringIO(table_csv([Table(columns, rows)]))))
    assert read == [
        ["name", "loss", "Δ"],
        ["'=cmd|' /C calc'!A0", "-0.5", "-0.25"],
        ['a,"b"', "", "baseline"],
    ]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("i", "r07"),
        ("p", "runs/night-sweep-01"),
        ("exclamation_mark", "workbench runs --root"),
    ],
)
def test_one_letter_copies_of_the_run_under_the_cursor(tmp_path, monkeypatch, key, text):
    monkeypatch.delenv("TMUX", raising=False)

    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("Y", key)
            kept = (tmp_path / "flights" / ".workbench" / "yank.txt").read_text()
            assert kept.startswith(text.split(" --root")[0])
            assert " copied, " in sitting.said and ".workbench/yank.txt" in sitting.said

    tell(story)


def test_the_whole_table_is_copied_as_markdown_and_csv_in_the_order_it_has(tmp_path, monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    kept = tmp_path / "flights" / ".workbench" / "yank.txt"

    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            ids = list(sitting.app.workbench_screens[0].grid.ids)
            names = [sitting.app.name_of(run_id) for run_id in ids]
            await sitting.press("Y", "c")
            rows = list(csv.DictReader(io.StringIO(kept.read_text())))
            assert [row["name"] for row in rows] == names
            assert float(rows[-1]["last"]) == sitting.app.rows.by_id["r00"].metrics["val/accuracy"].last
            await sitting.press("Y", "m")
            table = [line for line in kept.read_text().splitlines() if line.startswith("|")]
            assert [name for name, line in zip(names, table[2:], strict=True) if name in line] == names
            assert "in 10 lines" in sitting.said

    tell(story)


def test_a_value_of_a_row_is_asked_for_by_its_column(tmp_path, monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)

    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("Y", "v")
            await sitting.type("last")
            await sitting.press("enter")
            value = (tmp_path / "flights" / ".workbench" / "yank.txt").read_text()
            assert float(value) == sitting.app.rows.by_id["r07"].metrics["val/accuracy"].last

    tell(story)


def test_a_cell_of_the_heat_map_is_copied_as_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)

    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("3", "Y", "v")
            value = float((tmp_path / "flights" / ".workbench" / "yank.txt").read_text())
            newest = sitting.query.now.all_windows["flights"][-1].columns
            assert value in [column.score / column.threshold for column in newest]

    tell(story)


def test_nothing_to_copy_is_not_offered(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("slash")
            await sitting.type("nothing-is-called-so")
            await sitting.press("enter", "Y")
            assert "the row" not in sitting.text and "the command that prints this" in sitting.text
            await sitting.press("r")
            assert "the command that prints this" in sitting.text, "a letter of what is not there does nothing"

    tell(story)


# Real terminals


@pytest.fixture
def logged(tmp_path):
    """A project with one run, read once."""
    (tmp_path / "runs" / "first").mkdir(parents=True)
    lines = [json.dumps({"step": step, "loss": 1 / (step + 1)}) + "\n" for step in range(5)]
    (tmp_path / "runs" / "first" / "metrics.jsonl").write_text("".join(lines))
    subprocess.run([*PROGRAM, "runs", str(tmp_path)], check=True, capture_output=True, timeout=60)
    return tmp_path


def test_on_a_real_terminal_the_bytes_of_osc_52_come_out(logged):
    environment = {"TMUX": "", "STY": "", "VTE_VERSION": "", "TERM_PROGRAM": ""}
    with Terminal([*PROGRAM, str(logged)], logged, 100, 30, **environment) as terminal:
        terminal.wait_for(lambda output: b"first" in output)
        terminal.wait_for(lambda output: b"Compare" in output)
        terminal.keys("Y")
        terminal.wait_for(lambda output: b"the path" in output)
        terminal.keys("!")
        terminal.wait_for(lambda output: b"\x1b]52;c;" in output)
        sent = re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", terminal.output)
        assert sent is not None
        assert base64.b64decode(sent[1]) == b"workbench runs"
        terminal.wait_for(lambda output: b"14 bytes" in output)
        terminal.keys("q")
        assert terminal.leave() == 0
    assert (logged / ".workbench" / "yank.txt").read_text() == "workbench runs"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_a_real_tmux_its_buffer_has_what_was_copied(logged):
    socket = f"workbench-yank-{os.getpid()}"

    def tmux(*words):
        done = subprocess.run(["tmux", "-L", socket, *words], capture_output=True, text=True, timeout=10)
        return done.stdout if done.returncode == 0 else ""

    def wait(found):
        until = time.monotonic() + 60
        while not found():
            assert time.monotonic() < until, tmux("capture-pane", "-p")
            time.sleep(0.05)

    command = " ".join([*PROGRAM, str(logged)])
    tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", str(logged), command)
    try:
        wait(lambda: "first" in tmux("capture-pane", "-p") and "Compare" in tmux("capture-pane", "-p"))
        tmux("send-keys", "Y")
        wait(lambda: "the path" in tmux("capture-pane", "-p"))
        tmux("send-keys", "p")
        wait(lambda: tmux("show-buffer") == "runs/first")
        wait(lambda: "10 bytes" in tmux("capture-pane", "-p"))
        tmux("send-keys", "q")
    finally:
        tmux("kill-server")
