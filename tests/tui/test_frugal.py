"""Only the cells that changed are sent: what stands on the terminal is still what one whole repaint would draw."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.tools.tour import Sitting, write_project
from workbench.tui.changes import changed_regions

WIDTH = 24
STYLES = [Style.parse(words) for words in ("none", "red", "bold on blue")]
pieces = st.lists(
    st.tuples(st.text("ab▌⣿ 漢", min_size=1, max_size=4), st.sampled_from(STYLES)), min_size=1, max_size=8
)


def line(drawn: list[tuple[str, Style]]) -> Strip:
    return Strip([Segment(*each) for each in drawn]).adjust_cell_length(WIDTH, STYLES[0])


def cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """What stands in each cell; the second half of a wide letter is nothing."""
    found: list[tuple[str, Style | None]] = []
    for segment in strip:
        for letter in segment.text:
            found += [(letter, segment.style), *[("", segment.style)] * (Segment(letter).cell_length - 1)]
    return found


@given(pieces, pieces)
def test_outside_the_regions_nothing_differs(before: list[tuple[str, Style]], now: list[tuple[str, Style]]) -> None:
    old, new = line(before), line(now)
    regions = changed_regions(old, new, 3, WIDTH)
    sent = {x for region in regions for x in range(region.x, region.right)}
    assert all(region.y == 3 and region.height == 1 for region in regions)
    shown = [now if x in sent else was for x, (was, now) in enumerate(zip(cells(old), cells(new), strict=True))]
    assert shown == cells(new)
    if old == new:
        assert not sent


def test_a_line_of_another_width_is_sent_whole() -> None:
    assert [tuple(each) for each in changed_regions(None, Strip([Segment("ab")]), 0, 9)] == [(0, 0, 9, 1)]


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_the_terminal_shows_what_a_whole_repaint_draws(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    write_project(root)
    subprocess.run([sys.executable, "-m", "workbench.cli.main", "watch", "--once", root], check=True)
    sitting = Sitting(root, 120, 40)
    try:
        sitting.see("run-49", "live")
        for keys, seen in (
            ("Down Down Space Down Space S", "b━ run-45"), ("c", "Charts"), ("x Left Left <", "step"),
            ("2", "Compare"), ("6", "Scoreboard"), ("3 Down Down", "Drift"), ("7 Down", "Findings"),
        ):  # fmt: skip
            for key in keys.split():
                sitting.press(key)
            sitting.see(seen)
            shown = still(sitting)
            sitting.resize(121, 40)
            until = time.monotonic() + 30
            while sitting.screen == shown:
                assert time.monotonic() < until, "never drawn for the larger terminal"
            sitting.resize(120, 40)
            sitting.see(shown)
    finally:
        sitting.close()


def still(sitting: Sitting) -> str:
    """The screen once it comes to rest."""
    before, until = "", time.monotonic() + 30
    while (now := sitting.screen) != before:
        assert time.monotonic() < until, now
        before = now
        time.sleep(1.0)  # longer than any load takes
    return now
