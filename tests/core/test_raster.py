"""A chart says what is in the data at any size: spikes, gaps, NaN, hidden points, and which line is which."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.core.blocks import Line, Lines
from workbench.core.palette import DARK, LIGHT, stable_color
from workbench.core.raster import FAINT, draw
from workbench.core.text import width
from workbench.core.ticks import log_ticks, ticks

NOON = 1_763_812_800  # 2025-11-22 12:00 UTC
SIZES = [(20, 5), (24, 6), (40, 10), (80, 20), (120, 40), (200, 60)]
MARKERS = ["braille", "block", "dot", "ascii"]
INK = re.compile(r"[\u2800-\u28ff▖-▟▀▄▌▐█•*+o#x@%&●]")


def line(y, name="loss", color=0, x=None, raw=None):
    y = np.asarray(y, float)
    return Line(name, np.arange(len(y), dtype=float) if x is None else np.asarray(x, float), y, raw, color)


def plotted(frame):
    """The plot's rectangle alone, row by row."""
    return [row[frame.left : frame.left + frame.width] for row in frame.chars[frame.top : frame.top + frame.height]]


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_frame_fills_exactly_the_room_it_was_given(columns, rows, marker):
    chart = Lines(
        (line(np.sin(np.arange(300) / 20)), line([1, 2, np.nan, 3], "日本", 1)), "train/loss", marks=((100, "lr"),)
    )
    frame = draw(chart, columns, rows, marker=marker, crosshair=150)
    assert len(frame.chars) == rows and {width(row) for row in frame.chars} == {columns}
    assert frame.colors.shape == (rows, columns)
    assert INK.search("".join(plotted(frame)))


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("columns", [20, 60, 120])
@pytest.mark.parametrize("at", [1, 250_000, 499_998])
def test_a_spike_of_one_point_among_500_000_reaches_the_top(at, columns, marker):
    values = np.ones(500_000)
    values[at] = 9.0
    frame = draw(Lines((line(values),)), columns, 12, marker=marker, legend=False)
    top, *between, bottom = plotted(frame)
    column = INK.search(top).start()
    assert len(INK.findall(top)) == 1
    assert all(INK.match(row[column]) for row in between)
    assert abs(column - at / 499_999 * frame.width) <= 1
    assert len(INK.findall(bottom)) == frame.width


def test_nan_and_inf_break_the_line_are_marked_and_counted():
    values = np.ones(100)
    values[40:60] = np.nan
    values[50] = np.inf
    frame = draw(Lines((line(values),)), 60, 10, legend=False)
    gap = slice(int(frame.width * 0.42), int(frame.width * 0.58))
    rows = plotted(frame)
    assert set(rows[0][gap]) == {"×"}
    assert not INK.search("".join(row[gap] for row in rows[1:]))
    assert frame.notes == ("loss: 20 NaN or inf ×",)


def test_a_logarithmic_axis_hides_what_it_cannot_show_and_says_how_much():
    values = 10.0 ** -np.linspace(0, 5, 200)
    values[[10, 20]] = [0.0, -3.0]
    frame = draw(Lines((line(values),), log_y=True), 60, 16)
    assert frame.notes == ("loss: 2 points ≤ 0 hidden",)
    labels = [row[: frame.left - 1].strip() for row in frame.chars[frame.top :]]
    assert [label for label in labels if label][:2] == ["1", "0.1"]
    assert frame.y_low < 1e-5 < 1 < frame.y_high


def test_the_last_line_lies_on_top_and_raw_lines_behind_all():
    flat = np.ones(50)
    raw = flat + np.tile([0.5, -0.5], 25)
    frame = draw(Lines((line(flat, "a", 3, raw=raw), line(flat, "b", 7))), 60, 12)
    area = frame.colors[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
    assert {7, 3 + FAINT} <= set(area.flatten().tolist())
    assert 3 not in set(area.flatten().tolist())


def test_lines_are_told_apart_without_colour():
    frame = draw(Lines((line([1, 1], "adam"), line([2, 2], "sgd", 1))), 60, 12)
    assert "a━ adam  b━ sgd" in frame.chars[0]
    ends = [row[-1] for row in frame.chars if row[-1] != " "]
    assert ends[:2] == ["b", "a"]


def test_the_crosshair_reads_every_line_at_its_nearest_point():
    frame = draw(Lines((line([1, 2, 3], "adam"), line([4, np.nan, 6], "sgd", 1))), 60, 12, crosshair=1.2)
    assert [(reading.name, reading.x, reading.y) for reading in frame.readings] == [("adam", 1, 2), ("sgd", 2, 6)]
    assert "adam 2" in frame.chars[0] and "│" in plotted(frame)[-1]
    assert frame.x_at(frame.left + frame.width // 2) == pytest.approx(1, abs=0.05)
    assert frame.x_at(0) is None


def test_zooming_shows_the_part_asked_for():
    values = np.concatenate([np.zeros(500), np.full(500, 100.0)])
    frame = draw(Lines((line(values),)), 60, 12, x_range=(600, 700))
    assert frame.y_low > 80 and (frame.x_low, frame.x_high) == (600, 700)
    assert len(INK.findall("".join(plotted(frame)))) == frame.width
    high = draw(Lines((line(values),)), 60, 12, y_range=(40, 60), legend=False)
    assert len(INK.findall(plotted(high)[5])) == 1


def test_a_steep_line_between_two_points_has_no_holes():
    frame = draw(Lines((line([0, 1], x=[0, 1000]),)), 60, 20, legend=False)
    assert all(INK.search(row) for row in plotted(frame))


@pytest.mark.parametrize(
    ("values", "words"),
    [([], "no values yet"), ([np.nan, np.inf], "no finite values"), ([-1.0, 0.0], "no positive values")],
)
def test_an_empty_chart_says_why(values, words):
    frame = draw(Lines((line(values),), log_y=True), 60, 12)
    assert any(words in row for row in frame.chars)


def test_a_single_point_is_seen():
    assert "●" in "".join(draw(Lines((line([0.5]),)), 40, 10).chars)


def test_hostile_names_are_harmless_in_a_frame():
    name = "\x1b]0;x\x07[/]\u202e\ud800"
    frame = draw(Lines((line([1, 2], name), line([2, 1], "b", 1)), name, x_label=name, marks=((0.5, name),)), 80, 20)
    text = "".join(frame.chars) + "".join(frame.notes)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)


@example([0.0, 1.0, 2.0], [1.7e308, -1.7e308, 5e-324], (80, 20), "braille", False, "number")
@example([-1.7e308, 1.7e308], [1.0, 1.0], (80, 20), "block", True, "time")
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40),
    st.sampled_from([*SIZES, (1, 1), (3, 2), (7, 3)]),
    st.sampled_from(MARKERS),
    st.booleans(),
    st.sampled_from(["number", "time", "duration"]),
)
def test_any_numbers_can_be_drawn_at_any_size(xs, ys, size, marker, log_y, kind):
    n = min(len(xs), len(ys))
    chart = Lines((line(ys[:n], x=xs[:n]), line(ys[:n][::-1], "b", 1, x=xs[:n])), log_y=log_y, x_kind=kind)
    frame = draw(chart, *size, marker=marker)
    assert [width(row) for row in frame.chars] == [size[0]] * size[1]


@pytest.mark.parametrize(
    ("low", "high", "kind", "labels"),
    [
        (0, 200, "number", ["0", "50", "100", "150", "200"]),
        (0, 45_000, "number", ["0", "10k", "20k", "30k", "40k"]),
        (0.1, 0.3, "number", ["0.10", "0.15", "0.20", "0.25", "0.30"]),
        (0, 3600, "duration", ["0", "10m", "20m", "30m", "40m", "50m", "1h"]),
        (NOON, NOON + 6 * 3600, "time", ["12:00", "13:00", "14:00", "15:00", "16:00", "17:00", "18:00"]),
        (NOON, NOON + 3 * 86400, "time", ["12:00", "11-23", "12:00", "11-24", "12:00", "11-25", "12:00"]),
        (NOON, NOON + 150 * 86400, "time", ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]),
    ],
)  # fmt: skip
def test_axes_are_labelled_at_round_values(low, high, kind, labels):
    assert [tick.label for tick in ticks(low, high, 7, kind)] == labels


def test_decades_are_labelled_on_a_logarithmic_axis():
    assert [tick.label for tick in log_ticks(1e-5, 10, 8)] == ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1", "10"]
    assert [tick.label for tick in log_ticks(0.2, 3, 6)] == ["0.2", "0.5", "1", "2"]


def test_a_run_keeps_its_colour_and_shares_it_with_nobody():
    runs = [f"run-{index}" for index in range(25)]
    taken: list[int] = []
    for run in runs:
        taken.append(stable_color(run, taken))
    assert len(set(taken)) == len(runs)
    assert sorted(taken[:10]) == list(range(10))
    assert stable_color("run-0") == taken[0]


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_run_colours_stay_apart_for_colour_blind_eyes(palette):
    for seen in (np.eye(3), PROTANOPIA, DEUTERANOPIA):
        lab = _oklab(np.clip(_linear(palette) @ seen.T, 0, 1))
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 9 * np.eye(len(palette))
        assert apart.min() > 0.07


# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def _linear(palette):
    rgb = np.array([[int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)] for code in palette])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _oklab(rgb):
    cones = rgb @ np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    ).T  # fmt: skip
    return np.cbrt(cones) @ np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    ).T  # fmt: skip


def test_a_logarithmic_x_axis_spreads_decades_evenly_and_says_what_it_cannot_show():
    steps = np.array([0.0, 1, 10, 100, 1000])
    chart = Lines((line([5, 4, 3, 2, 1], x=steps),), log_x=True, marks=((10, "ten"), (0, "never")))
    frame = draw(chart, 64, 14, legend=False)
    assert frame.x_low == pytest.approx(1) and frame.x_high == pytest.approx(1000)
    columns = [frame.column_of(x) for x in (1, 10, 100, 1000)]
    assert np.ptp(np.diff(columns)) <= 1, columns
    assert [frame.x_at(column) for column in columns] == pytest.approx([1, 10, 100, 1000], rel=0.1)
    assert "1 point at x ≤ 0 hidden" in frame.notes
    assert "ten" in frame.chars[frame.top] and "never" not in frame.chars[frame.top]
    assert frame.column_of(0) is None
    zoomed = draw(chart, 64, 14, legend=False, x_range=(10, 100))
    assert zoomed.x_low == pytest.approx(10) and zoomed.x_high == pytest.approx(100)


@pytest.mark.parametrize("marker", MARKERS)
def test_a_rule_laid_over_a_frame_is_the_crosshair_it_would_have_been_drawn_with(marker):
    chart = Lines((line(np.sin(np.arange(300) / 20)), line(np.cos(np.arange(300) / 9), "b", 1)))
    char = ":" if marker == "ascii" else "│"
    for x in (0.0, 77.0, 150.0, 299.0):
        drawn = draw(chart, 60, 14, marker=marker, legend=False, crosshair=x)
        ruled = draw(chart, 60, 14, marker=marker, legend=False).with_rule(x, char)
        assert ruled.chars == drawn.chars and (ruled.colors == drawn.colors).all()
    frame = draw(chart, 60, 14, legend=False)
    assert frame.with_rule(900.0) is frame, "beside the plot there is none"


def test_letters_stand_at_the_ends_of_lines_without_a_legend_where_they_are_asked_for():
    chart = Lines((line([1, 2]), line([2, 1], "b", 1)))
    assert draw(chart, 40, 10, legend=False, letters=True).chars[0].rstrip().endswith("a")
    assert not re.search(r"\ba\b", "".join(draw(chart, 40, 10, legend=False).chars))
