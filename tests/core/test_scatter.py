"""Scatters as characters: what a person sees of named points."""

from __future__ import annotations

import math

import pytest

from workbench.core.blocks import Axis, Point, Scatter
from workbench.core.scatter import draw_scatter, scale_of

POINTS = [
    Point("tree-1", 1e-4, 0.80), Point("tree-2", 1e-3, 0.90, "good"), Point("tree-3", 1e-2, 0.85, "accent"),
    Point("lost", 1e-2, math.nan),
]  # fmt: skip


def drawn(block: Scatter, columns: int = 60, rows: int = 14, *, ascii_only: bool = False) -> list[str]:
    frame = draw_scatter(block, columns, rows, ascii_only=ascii_only)
    assert [len(line) for line in frame.chars] == [columns] * rows
    return [line.rstrip() for line in frame.chars]


def test_points_stand_with_their_names_on_a_logarithmic_axis() -> None:
    lines = drawn(Scatter(POINTS, Axis("lr", log=True), Axis("accuracy"), "accuracy over lr"))
    best, low = next(line for line in lines if "★" in line), next(line for line in lines if "● tree-1" in line)
    assert "★ tree-2" in best
    assert lines.index(best) < lines.index(low), "higher is higher up"
    middle = best.index("★") - low.index("●")
    right = next(line for line in lines if "◆" in line).index("◆") - best.index("★")
    assert abs(middle - right) <= 1, "decades are equally wide"
    assert lines[0] == "accuracy over lr"
    assert "1e-4" in lines[-1] or "0.0001" in lines[-1]


def test_a_point_without_a_place_is_counted() -> None:
    frame = draw_scatter(Scatter(POINTS), 60, 12)
    assert frame.notes == ("1 of 4 points have no place on these axes",)
    assert not any("lost" in line for line in frame.chars)


def test_names_of_categories_stand_along_the_axis() -> None:
    points = [Point("a", 0.0, 1.0), Point("b", 1.0, 2.0)]
    foot = drawn(Scatter(points, Axis("optimizer", names=("adam", "sgd"))))[-1]
    assert foot.index("adam") < foot.index("sgd") < foot.index("optimizer")


def test_points_in_one_place_are_a_number_and_names_never_cover_points() -> None:
    points = [Point(f"run-{at}", 1.0, 1.0) for at in range(3)] + [Point("far", 2.0, 2.0)]
    text = "\n".join(drawn(Scatter(points)))
    assert "3" in text and text.count("●") == 1
    crowded = [Point(f"a-rather-long-name-{at}", at % 10, at // 10) for at in range(40)]
    assert sum(line.count("●") for line in drawn(Scatter(crowded), 80, 24)) == 40


@pytest.mark.parametrize("size", [(20, 6), (60, 9), (200, 50)])
def test_every_size_is_drawn_within_its_bounds(size: tuple[int, int]) -> None:
    drawn(Scatter(POINTS, Axis("lr", log=True), Axis("y"), "t" * 300), *size)
    drawn(Scatter((), Axis("x")), *size)
    drawn(Scatter([Point("one", 5.0, 5.0)]), *size)


def test_ascii_has_its_own_marks() -> None:
    text = "\n".join(drawn(Scatter(POINTS, Axis("lr", log=True), Axis("y")), ascii_only=True))
    assert text.isascii() and all(mark in text for mark in ("* tree-2", "tree-3 #", "o tree-1"))


def test_one_value_alone_has_room_around_it() -> None:
    scale = scale_of(Axis(), [3.0])
    assert 0 < scale.share(3.0) < 1
