"""The bench judges by its budgets, and dates a line by the first sight of it or of a later one."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from tests.bench.figures import Budget, Figure, as_markdown, as_text
from tests.bench.live import RATE, RUNS, SETTLING, delays
from tests.bench.screen import Screen
from tests.bench.terminal import Terminal


@pytest.mark.parametrize(
    ("budget", "ours", "peer", "passed"),
    [
        (Budget("ratio", 1.3), 12.0, 10.0, True),
        (Budget("ratio", 1.3), 14.0, 10.0, False),
        (Budget("speedup", 20), 1.0, 25.0, True),
        (Budget("speedup", 20), 1.0, 15.0, False),
        (Budget("extra", 100), 120.0, 20.0, True),
        (Budget("extra", 100), 121.0, 20.0, False),
        (Budget("most", 400), 401.0, 10_000.0, False),
        (Budget("ratio", 1.0), 1.0, None, None),
        (Budget("most", 400), None, None, None),
    ],
)
def test_a_figure_is_judged_by_its_budget(
    budget: Budget, ours: float | None, peer: float | None, passed: bool | None
) -> None:
    assert Figure("x", "ms", ours, peer, "peer", budget).passed is passed


def test_a_missed_budget_stands_in_both_tables() -> None:
    figures = [Figure("slow | thing", "ms", 90.0, 30.0, "peer", Budget("ratio", 2), "because")]
    assert "3.00 x" in as_text(figures)
    assert "MISSED" in as_text(figures)
    assert r"| slow \| thing | 90 ms | 30 ms peer | 3.00 x | ≤ 2 x | MISSED |" in as_markdown(figures)


def test_a_line_counts_as_seen_with_a_later_line_of_its_run(tmp_path: Path) -> None:
    first = int(SETTLING * RATE) * RUNS
    stamps = tmp_path / "stamps"
    stamps.write_bytes(array("d", [float(number) for number in range(first + 2 * RUNS)]).tobytes())
    both = [(first + RUNS + run + 0.5, first + RUNS + run) for run in range(RUNS)]
    found = delays(stamps, both)
    assert found == [500.0] * RUNS + [(RUNS + 0.5) * 1000] * RUNS


def test_a_line_never_seen_is_late_without_end_and_a_sight_before_its_writing_is_none(tmp_path: Path) -> None:
    first = int(SETTLING * RATE) * RUNS
    stamps = tmp_path / "stamps"
    stamps.write_bytes(array("d", [100.0] * (first + RUNS)).tobytes())
    assert delays(stamps, [(99.0, first + 3), (100.25, first + 4)]) == [250.0] + [float("inf")] * (RUNS - 1)


def test_words_drawn_in_colours_are_found_on_the_terminal() -> None:
    with Terminal(["printf", r"\033[1;3\061mrun-\033[0m00042\033]0;title\007."]) as terminal:
        terminal.until(lambda text: "run-00042." in text, seconds=5)


def test_a_row_of_which_only_some_cells_are_drawn_again_is_seen_whole() -> None:
    screen = Screen(20, 3)
    screen.feed(b"\x1b[2J\x1b[1;1Hrun-1 \xe6\x97\xa5 1.234\x1b[2;1Hrun-2 1.5")
    assert screen.take() == "run-1 日 1.234\nrun-2 1.5"
    screen.feed(b"\x1b[1;14H\x1b[1;3")
    assert screen.take() == ""
    screen.feed(b"1m5\x1b[0m\x1b]0;title\x07")
    assert screen.take() == "run-1 日 1.235"
    screen.feed("\x1b[2;1H日".encode()[:-1])
    assert screen.take() == ""
    screen.feed("日".encode()[-1:] + b"\r\n\x1b[3;5Hx\x1b[2D..\x1b[K")
    assert screen.take() == "日n-2 1.5\n   .."
