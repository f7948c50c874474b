"""Images among the charts: only where the library is there, and a file that is no image is said to be none."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from msgspec.structs import replace

from tests.fixtures.make_tensorboard import SummaryWriter
from tests.support.graphics_terminal import GraphicsTerminal, kitty_images, sixels
from tests.support.ingest import Project
from tests.tui.project import LiveQuery, project
from tests.tui.stories import tell
from tests.tui.test_charts_screen import charts, shown
from workbench.core.model import Artifact
from workbench.tui import chart_choosing, chart_grid, chart_images, terminal_answers
from workbench.tui.terminal_answers import TerminalAnswers


def with_images(*places: str) -> LiveQuery:
    """A run that made these files, and one that is gone."""
    base = project()
    found = [Artifact(place.rpartition("/")[2], place, place) for place in places]
    points = {("r07", "loss"): base.points["r07", "train/loss"]}
    gone = Artifact("gone.png", "gone.png", "")
    return LiveQuery(replace(base, points=points, all_artifacts={"r07": [*found, gone]}))


def test_without_the_library_an_image_says_what_to_install(tmp_path, monkeypatch):
    for module in (chart_grid, chart_choosing):
        monkeypatch.setattr(module, "installed", lambda: False)

    async def story():
        async with charts(tmp_path, query=with_images("/a/plot.png")) as sitting:
            await sitting.press("c")
            assert shown(sitting) == ["loss", "images/plot.png"]
            assert "images need the package textual-image: pip install textual-image" in sitting.text
            await sitting.press("G", "enter")
            assert sitting.said == "images need the package textual-image: pip install textual-image"

    tell(story)


def test_images_stand_behind_the_charts_and_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    for module in (chart_grid, chart_choosing):
        monkeypatch.setattr(module, "installed", lambda: True)
    monkeypatch.setattr(chart_images, "widget_class", lambda: None)
    broken = tmp_path / "plot.png"
    broken.write_bytes(b"no image at all")

    async def story():
        async with charts(tmp_path, query=with_images(str(broken), "/a/model.bin")) as sitting:
            await sitting.press("c")
            assert shown(sitting) == ["loss", "images/plot.png"]
            await sitting.press("G", "enter")
            assert "images/plot.png cannot be shown" in sitting.said

    tell(story)


@pytest.mark.filterwarnings("ignore:Image.Image.getdata is deprecated")
def test_an_image_opens_full_screen_and_esc_goes_back(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("textual_image")
    place = tmp_path / "plot.png"
    image.new("RGB", (40, 20), (200, 30, 30)).save(place)

    async def story():
        async with charts(tmp_path, query=with_images(str(place))) as sitting:
            await sitting.press("c", "G", "enter")
            await sitting.until("esc close")
            assert "▄" in sitting.text or "▀" in sitting.text
            await sitting.press("escape")
            assert sitting.app.current_mode == "charts" and shown(sitting) == ["loss", "images/plot.png"]

    tell(story)


@pytest.mark.parametrize(
    ("environment", "kitty"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, True),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, False),
        ({"TERM": "xterm-256color"}, False),
    ],
)
def test_kittys_protocol_is_spoken_only_where_nothing_stands_between(environment, kitty):
    assert chart_images.speaks_kitty(environment) is kitty


# Real terminals

PROGRAM = [sys.executable, "-m", "workbench.cli.main"]
LOGGED = """
import workbench
from PIL import Image
image = Image.new("RGB", (120, 60), (200, 30, 30))
image.paste((30, 30, 200), (60, 0, 120, 60))
image.save("plot.png")
with workbench.init(project="shop", name="cnn") as run:
    for step in range(5):
        run.log({"loss": 1 / (step + 1)}, step=step)
    run.artifact("plot.png")
"""
PLAIN = {"TMUX": "", "STY": "", "TERM": "xterm-256color", "TERM_PROGRAM": "", "SSH_CONNECTION": ""}


@pytest.fixture
def logged(tmp_path):
    """A project with one run that logged an image."""
    pytest.importorskip("textual_image")
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))}
    subprocess.run([sys.executable, "-c", LOGGED], cwd=tmp_path, env=path, check=True, capture_output=True, timeout=60)
    subprocess.run([*PROGRAM, "runs", str(tmp_path)], check=True, capture_output=True, timeout=60)
    return tmp_path


def open_image(terminal):
    """From the start to the image, full screen."""
    terminal.wait_for(lambda output: b"Compare" in output)
    terminal.keys("c")
    terminal.wait_for(lambda output: b"an image: enter shows it" in output)
    terminal.keys("G\r")


@pytest.mark.parametrize("piecemeal", [False, True])
def test_a_terminal_that_says_it_draws_sixel_gets_sixels(logged, piecemeal):
    with GraphicsTerminal(
        [*PROGRAM, str(logged)], logged, 100, 30, sixel=True, kitty=True, piecemeal=piecemeal, **PLAIN
    ) as terminal:
        open_image(terminal)
        terminal.wait_for(lambda output: bool(sixels(output)))
        (first, *_) = sixels(terminal.output)
        size = re.search(rb'"1;1;(\d+);(\d+)', first)
        assert size is not None
        assert abs(int(size[1]) - 2 * int(size[2])) <= 20, "as the image is, in cells of 10 x 20 pixels"
        terminal.keys("q")
        assert terminal.leave() == 0
        assert len([each for each in terminal.asked if each.endswith(b"c")]) == 1, "it is asked once"


def test_a_terminal_that_speaks_kittys_protocol_gets_the_image_and_its_place(logged):
    with GraphicsTerminal([*PROGRAM, str(logged)], logged, 100, 30, kitty=True, **PLAIN) as terminal:
        open_image(terminal)
        terminal.wait_for(lambda output: "\U0010eeee".encode() in output)
        (image, *_) = kitty_images(terminal.output)
        assert image["f"] == "100" and not image["more"]
        assert base64.b64decode(image["data"]).startswith(b"\x89PNG")
        assert re.search(rb"\x1b_Ga=p,i=" + image["i"].encode() + rb",[^\x1b]*U=1", terminal.output)
        red, green, blue = (int(image["i"]) >> shift & 255 for shift in (16, 8, 0))
        named = f"38;2;{red};{green};{blue}"
        first = terminal.output.index("\U0010eeee".encode())
        assert named in terminal.output[first - 60 : first].decode(), "its number is a colour"
        assert terminal.output.index(b"\x1b_Ga=p") < first
        assert not sixels(terminal.output)
        terminal.keys("\x1b")
        terminal.wait_for(lambda output: b"\x1b_Ga=d,I=" + image["i"].encode() in output)
        terminal.keys("q")
        assert terminal.leave() == 0


@pytest.mark.parametrize(("colours", "drawn"), [("", "▀▄"), ("1", "░▒▓█▂▄▆")])
def test_any_other_terminal_gets_cells_and_not_one_key_of_the_answers(logged, colours, drawn):
    plain = {**PLAIN, "NO_COLOR": colours} if colours else PLAIN
    with GraphicsTerminal([*PROGRAM, str(logged)], logged, 100, 30, **plain) as terminal:
        open_image(terminal)
        terminal.wait_for(lambda output: any(mark.encode() in output[-8000:] for mark in drawn) and b"close" in output)
        assert terminal.asked
        assert not sixels(terminal.output) and not kitty_images(terminal.output)
        assert b"does nothing here" not in terminal.output
        terminal.keys("q")
        assert terminal.leave() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux_without_passthrough_the_image_is_drawn_in_cells(logged):
    socket = f"workbench-images-{os.getpid()}"

    def tmux(*words):
        done = subprocess.run(["tmux", "-L", socket, *words], capture_output=True, text=True, timeout=10)
        return done.stdout if done.returncode == 0 else ""

    def seen(found):
        until = time.monotonic() + 60
        while not found(tmux("capture-pane", "-p")):
            assert time.monotonic() < until, tmux("capture-pane", "-p")
            time.sleep(0.05)

    command = " ".join(f"'{word}'" for word in [*PROGRAM, str(logged)])
    start = f"cd '{logged}' && PYTHONPATH='{os.getcwd()}' {command}"
    tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", start)
    try:
        seen(lambda text: "Compare" in text)
        tmux("send-keys", "c")
        seen(lambda text: "an image: enter shows it" in text)
        tmux("send-keys", "G", "Enter")
        seen(lambda text: "esc close" in text and any(mark in text for mark in "▀▄"))
        assert "\U0010eeee" not in tmux("capture-pane", "-p")
        tmux("send-keys", "Escape")
        seen(lambda text: "plot.png" in text and "esc close" not in text)
    finally:
        tmux("kill-server")


@pytest.mark.parametrize(
    ("name", "value", "asks_kitty"), [("TERM", "xterm-256color", True), ("TMUX", "/tmp/x,1,0", False),
                                      ("STY", "1.pts", False), ("TERM", "tmux-256color", False)],
)  # fmt: skip
def test_a_multiplexer_is_not_asked_for_graphics_that_would_become_its_panes_title(
    monkeypatch, name, value, asks_kitty
):
    for each in ("TERM", "TMUX", "STY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, value)
    heard, sent = TerminalAnswers(), []
    heard.listens = True
    heard.ask(sent.append)
    assert ("\x1b_G" in "".join(sent)) is asks_kitty
    assert "".join(sent).endswith("\x1b[16t\x1b[c")


def test_what_is_typed_while_the_terminal_answers_stays_typed():
    heard = TerminalAnswers()
    heard.listens = True
    heard.ask(lambda _: None)
    parts = ["a\x1b_Gi=31;", "OK\x1b", "\\b\x1b[6;2", "0;10tc\x1b[A\x1b[?6", "2;4c\x1b", "[Bd"]
    assert "".join(map(heard.typed, parts)) == "abc\x1b[A\x1b[Bd"
    assert (heard.graphics, heard.cell, heard.wait()) == ("sixel", (10, 20), True)
    assert heard.typed("\x1b[?62;4c") == "\x1b[?62;4c", "nothing is expected any more"


def test_an_escape_that_is_no_answer_is_a_key_again_soon(monkeypatch):
    monkeypatch.setattr(terminal_answers, "_HELD", 0.0)
    heard = TerminalAnswers()
    heard.listens = True
    heard.ask(lambda _: None)
    assert (heard.typed("\x1b"), heard.kept_back(), heard.kept_back()) == ("", "\x1b", "")


def test_an_image_within_an_event_file_is_read_from_its_place(tmp_path):
    pixels = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    with SummaryWriter(str(tmp_path / "runs" / "a")) as writer:
        writer.add_image("samples", np.zeros_like(pixels), 0, dataformats="HWC")
        writer.add_image("samples", pixels, 1, dataformats="HWC")
    project = Project(tmp_path)
    project.read(final=True)
    (run,) = project.query.runs()
    (image,) = chart_images.images_of(project.query, run.id)
    assert (image.name, image.place) == ("samples", str(next(tmp_path.rglob("*tfevents*"))))
    assert np.array_equal(np.asarray(chart_images.picture(image))[:, :, :3], pixels)
    with pytest.raises(OSError, match="identify"):
        chart_images.picture(replace(image, offset=image.offset + 1))
    with pytest.raises(ValueError, match="bytes"):
        chart_images.picture(replace(image, length=1 << 40))


def test_images_of_one_tag_in_two_parts_of_a_run_stay_apart_and_follow_a_renamed_folder(tmp_path):
    project, part = Project(tmp_path), {"train": 40, "validation": 90}
    for name, grey in part.items():
        with SummaryWriter(str(tmp_path / "k" / name)) as writer:
            writer.add_scalar("epoch_loss", 1.0, 0)
            writer.add_image("samples", np.full((3, 4, 4), grey, np.uint8), 0)
    project.read(final=True)
    (tmp_path / "k").rename(tmp_path / "moved")
    project.read(final=True)
    run = next(run for run in project.query.runs() if chart_images.images_of(project.query, run.id))
    found = {image.name: image for image in chart_images.images_of(project.query, run.id)}
    assert set(found) == {"train/samples", "validation/samples"}
    for name, grey in part.items():
        assert np.asarray(chart_images.picture(found[f"{name}/samples"]))[0, 0, 0] == grey
