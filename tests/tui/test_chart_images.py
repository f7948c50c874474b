"""Images among the charts: only where the library is there, and a file that is no image is said to be none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.project import LiveQuery, project
from tests.tui.stories import tell
from tests.tui.test_charts_screen import charts, shown
from workbench.core.model import Artifact
from workbench.tui import chart_images, chart_points


def with_images(*places: str) -> LiveQuery:
    """A run that made these files, and one that is gone."""
    base = project()
    found = [Artifact(place.rpartition("/")[2], place, place) for place in places]
    points = {("r07", "loss"): base.points["r07", "train/loss"]}
    gone = Artifact("gone.png", "gone.png", "")
    return LiveQuery(replace(base, points=points, all_artifacts={"r07": [*found, gone]}))


def test_without_the_library_images_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(chart_points, "installed", lambda: False)

    async def story():
        async with charts(tmp_path, query=with_images("/a/plot.png")) as sitting:
            await sitting.press("c")
            assert shown(sitting) == ["loss"] and "artifacts" not in sitting.query.asked

    tell(story)


def test_images_stand_behind_the_charts_and_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(chart_points, "installed", lambda: True)
    monkeypatch.setattr(chart_images, "widget_class", lambda: None)
    broken = tmp_path / "plot.png"
    broken.write_bytes(b"no image at all")

    async def story():
        async with charts(tmp_path, query=with_images(str(broken), "/a/model.bin")) as sitting:
            await sitting.press("c")
            assert shown(sitting) == ["loss", "images/plot.png"]
            await sitting.press("G", "down", "down", "down", "enter")
            assert "images/plot.png cannot be shown" in sitting.said

    tell(story)


def test_an_image_opens_full_screen_and_esc_goes_back(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("textual_image")
    place = tmp_path / "plot.png"
    image.new("RGB", (40, 20), (200, 30, 30)).save(place)

    async def story():
        async with charts(tmp_path, query=with_images(str(place))) as sitting:
            await sitting.press("c", "G", "down", "down", "down", "enter")
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
