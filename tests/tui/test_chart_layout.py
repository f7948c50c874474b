"""Where charts stand: pages that lose none, headings with their charts, and ways through them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.series_charts import Chart, Group
from workbench.tui.chart_layout import HIGHEST, LOWEST, beside, page_of, pages_of, slots_of, turned


def group(id, n):
    return Group(id, tuple(Chart(f"{id}/{at}", (f"{id}/{at}",)) for at in range(n)))


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    folds=st.sets(st.integers(0, 5)),
    width=st.integers(60, 240),
    height=st.integers(10, 80),
)
def test_every_chart_stands_on_exactly_one_page_inside_its_room(counts, folds, width, height):
    groups = [group(f"g{at}", n) for at, n in enumerate(counts)]
    folded = {f"g{at}" for at in folds}
    pages = pages_of(groups, folded, width, height)
    found = [slot for page in pages for slot in slots_of(page)]
    shown = [chart.title for each in groups if each.id not in folded for chart in each.charts]
    assert [slot.chart.title for slot in found if slot.chart is not None] == shown
    assert [slot.group.id for slot in found if slot.chart is None] == [each.id for each in groups]
    for page in pages:
        for slot in slots_of(page):
            assert slot.x >= 0 and slot.x + slot.width <= width
            assert slot.y + slot.height <= height and slot.height >= (LOWEST if slot.chart else 1)
        cells = [(x, y) for slot in slots_of(page) for x in (slot.x, slot.x + slot.width - 1) for y in (slot.y,)]
        assert len(cells) == len(set(cells)) or width < 2
    for page in pages[:-1]:
        last = page[-1][0]
        assert last.chart is not None or last.group.id in folded, "a heading alone at the foot of a page"


@pytest.mark.parametrize(("width", "height", "charts"), [(60, 11, 2), (80, 20, 4), (120, 36, 12), (220, 56, 24)])
def test_the_wider_the_terminal_the_more_charts_on_a_page(width, height, charts):
    first = pages_of([group("", 60)], (), width, height)[0]
    assert len(slots_of(first)) >= charts


def test_one_group_without_a_name_needs_no_heading_and_a_lone_chart_takes_all_the_room():
    (page,) = pages_of([Group("", (Chart("loss", ("loss",)),))], (), 120, 36)
    (slot,) = slots_of(page)
    assert (slot.width, slot.height) == (120, 36)
    many = pages_of([group("", 60)], (), 80, 60)
    assert max(slot.height for page in many for slot in slots_of(page)) <= HIGHEST


def test_down_keeps_the_column_through_headings_and_pages():
    pages = pages_of([group("a", 4), group("b", 4)], (), 80, 20)
    assert beside(pages, "chart:a/1", 1) == "chart:a/3"
    assert beside(pages, "chart:a/0", -1) == "group:a"
    assert beside(pages, "chart:b/3", 1) == "chart:b/3", "the last row stays"
    assert turned(pages, "group:a", 1) == "chart:a/0"
    assert turned(pages, "chart:a/3", 1, charts_only=True) == "chart:b/0"
    assert page_of(pages, "chart:b/3") == len(pages) - 1
