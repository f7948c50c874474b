"""Stories of jumping: letters on what can be gone to, and the letter goes there."""

from __future__ import annotations

import pytest
from textual import events

from tests.tui.stories import tell, workbench
from workbench.tui.jump import LETTERS, labels_for


@pytest.mark.parametrize("count", [1, 26, 27, 300])
def test_no_label_is_the_beginning_of_another(count):
    labels = labels_for(count)
    assert len(set(labels)) == count
    assert not [a for a in labels for b in labels if a != b and b.startswith(a)]


def label_of(sitting, words, column=None):
    """The letters that stand on a line, or where a word stood."""
    places = sitting.app.screen._by_label
    line = next(y for y, text in enumerate(sitting.before) if words in text)
    x = sitting.before[line].index(words) if column is None else column
    return next(label for label, place in places.items() if place.y == line and abs(place.x - x) <= 2)


async def jump(sitting):
    sitting.before = sitting.screen
    await sitting.press("apostrophe")


def test_a_letter_puts_the_cursor_on_a_run_and_a_capital_opens_it(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            await jump(sitting)
            golden("jump-80x24", sitting.text)
            await sitting.press(*label_of(sitting, "gbm-small", 0))
            assert "gbm-small" in sitting.row("▌")
            await jump(sitting)
            await sitting.press(*label_of(sitting, "logistic", 0).upper())
            assert type(sitting.app.screen).__name__ == "RunScreen"
            assert sitting.app.screen.current_run().name == "logistic"

    tell(story)


def test_titles_sort_and_tabs_open(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await jump(sitting)
            await sitting.press(*label_of(sitting, "name"))
            assert sitting.app.view.sort == "name"
            await jump(sitting)
            await sitting.press(*label_of(sitting, "4 Windows"))
            assert sitting.screen[1].startswith(" Windows")

    tell(story)


def test_a_cell_of_a_heat_map_is_gone_to(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("3")
            await jump(sitting)
            place = next(place for place in sitting.app.screen._by_label.values() if place.go == "go_to('temp', 2)")
            label = next(each for each, found in sitting.app.screen._by_label.items() if found is place)
            assert len(label) == 2, "more places than letters are told apart by two"
            await sitting.press(*label)
            target = sitting.app.screen.page.target
            assert (target.row, target.column) == ("temp", 2)

    tell(story)


def test_another_key_leaves_everything_as_it_was_and_a_click_goes_too(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            before = sitting.text
            await jump(sitting)
            assert sitting.text != before
            await sitting.press("escape")
            assert sitting.text == before
            await jump(sitting)
            place = next(p for p in sitting.app.screen._by_label.values() if p.go == "go_to('r03')")
            await sitting.pilot.click(offset=(place.x, place.y))
            await sitting.settle()
            assert "gbm-deep" in sitting.row("▌")

    tell(story)


def test_the_first_letters_are_those_under_the_fingers():
    assert LETTERS.startswith("asdfghjkl")
    assert len(set(LETTERS)) == 26


def test_keys_typed_after_the_jump_is_over_end_nothing_else(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await jump(sitting)
            for key in ("escape", "escape", "escape"):  # as they come in one burst, before the first one is done
                sitting.app.post_message(events.Key(key, None))
            await sitting.settle()
            assert len(sitting.app.screen_stack) == 1
            assert "gbm-deep" in sitting.text

    tell(story)
