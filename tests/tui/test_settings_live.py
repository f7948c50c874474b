"""Settings while the workbench is open: taken up, shown where they matter, kept; what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.stories import Story, tell, workbench
from workbench.core.settings_file import SettingsFiles


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


async def edited(sitting: Story, path: Path, text: str) -> None:
    """Edit the file, and let the app look at it, as it does every second."""
    written(path, text)
    sitting.app.clear_notifications()
    sitting.app.look_at_settings()
    await sitting.settle()
    await sitting.pilot.pause()


def test_keys_of_ones_own_work_and_are_shown(tmp_path, user):
    written(user, '[keys]\nhelp = "f2"\n[keys.runs]\nmark = ["M", "space"]\n[keys.panels]\ndrift = "d"\n')

    async def story():
        async with workbench(tmp_path, settings=SettingsFiles(user)) as sitting:
            assert "M mark" in sitting.screen[-1]
            assert "f2 help" in sitting.screen[-1]
            assert "d Drift" in sitting.screen[0]
            await sitting.press("M")
            assert "1 marked" in sitting.text
            await sitting.press("space")
            assert "2 marked" in sitting.text
            await sitting.press("question_mark")
            assert sitting.said == "? does nothing here · f2 shows every key that does"
            await sitting.press("f2")
            assert "M space" in sitting.text
            await sitting.press("escape", "d")
            assert sitting.screen[1].startswith(" Drift")

    tell(story)


def test_an_edit_is_taken_up_while_the_workbench_is_open(tmp_path, user):
    async def story():
        async with workbench(tmp_path, settings=SettingsFiles(user)) as sitting:
            await sitting.press("3", "1")
            await edited(sitting, user, 'theme = "workbench-light"\nframes = 30\n[keys.runs]\nmark = "M"\n')
            assert sitting.app.theme == "workbench-light"
            assert sitting.said == "frames: from the next start on"
            await sitting.press("M")
            assert "1 marked" in sitting.text
            await sitting.press("space")
            assert "1 marked" in sitting.text
            await edited(sitting, user, "")
            await sitting.press("space")
            assert "2 marked" in sitting.text
            assert "space mark" in sitting.screen[-1]

    tell(story)


def test_what_is_wrong_is_said_and_shown_and_stops_nothing(tmp_path, user):
    async def story():
        async with workbench(tmp_path, (120, 40), settings=SettingsFiles(user)) as sitting:
            await edited(
                sitting, user, 'theme = "nrod"\nsql_rows = 9\n[keys]\nhelp = "ctrl+h"\n[keys.runs]\nsort = "q"\n'
            )
            assert sitting.said.startswith(f"{user}:1: theme: 'nrod' is none of them – did you mean 'nord'?")
            assert sitting.said.endswith("2 more, O shows them")
            await sitting.press("O")
            assert "keys.help: 'ctrl+h' is refused: terminals send it as backspace" in " ".join(sitting.text.split())
            assert "q is taken by `quit`" in " ".join(sitting.text.split())
            assert "sql_rows" in sitting.text
            await sitting.press("escape", "s")
            assert "Sort by" in sitting.text

    tell(story)


def test_a_mistake_that_was_there_before_the_start_is_said_at_the_start(tmp_path, user):
    written(user, "mouze = true\n")

    async def story():
        async with workbench(tmp_path, settings=SettingsFiles(user)) as sitting:
            assert "mouze: no such setting – did you mean 'mouse'?" in sitting.said

    tell(story)


def test_a_theme_that_is_chosen_is_there_at_the_next_start(tmp_path, user):
    written(user, "# mine\nmouse = true\n")

    async def story():
        async with workbench(tmp_path, settings=SettingsFiles(user)) as sitting:
            await sitting.press("ctrl+p")
            await sitting.type("theme workbench-high")
            await sitting.press("enter")
            await sitting.settle()
            assert sitting.app.theme == "workbench-high-contrast"
            assert "kept in" in sitting.said
        async with workbench(tmp_path, settings=SettingsFiles(user)) as sitting:
            assert sitting.app.theme == "workbench-high-contrast"

    tell(story)
    assert user.read_text(encoding="utf-8") == 'theme = "workbench-high-contrast"\n# mine\nmouse = true\n'


def test_read_only_writes_nothing_and_says_so(tmp_path, user):
    async def story():
        async with workbench(tmp_path, settings=SettingsFiles(user, given={"read_only": True})) as sitting:
            await sitting.press("b")
            assert sitting.said == "read-only, so not written: baseline is now night-sweep-01"
            await sitting.press("t")
            assert sitting.said == "read-only: no tag for night-sweep-01"
            assert "read-only ● live" in sitting.screen[0]
            await sitting.press("space")
            assert "1 marked" in sitting.text
            sitting.app.action_theme("workbench-light")
            assert sitting.app.theme == "workbench-light"
            await sitting.pilot.press("q")
            assert sitting.notebook.written == []

    tell(story)
    assert not user.exists()
    assert not (tmp_path / "flights").exists()


def test_suspending_where_there_is_no_shell_says_so(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("ctrl+z")
            assert sitting.said == "there is no shell to go back to"

    tell(story)


def test_a_list_that_is_open_fits_the_terminal_that_became_small(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("s")
            await sitting.pilot.resize_terminal(60, 15)
            await sitting.settle()
            assert "esc close" in sitting.text
            await sitting.press("enter")
            await sitting.pilot.resize_terminal(40, 10)
            await sitting.settle()
            assert "Too small: 40x10, needs 60x15" in sitting.text
            await sitting.pilot.resize_terminal(80, 24)
            await sitting.settle()
            assert "gbm-deep" in sitting.text

    tell(story)
