"""Looks: every theme can be read, colours are never the only thing that tells, and few colours are enough."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tests.tui.stories import tell, workbench
from workbench.core.settings import OWN_THEMES, TEXTUAL_THEMES
from workbench.core.settings_file import SettingsFiles
from workbench.tui.look import ANSI_DARK, DARK, HIGH_CONTRAST, LIGHT, SHADES, THEMES, automatic, look_of


def contrast(one: str, other: str) -> float:
    """WCAG's ratio, 1 to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(code: str) -> float:
    parts = (part / 255 for part in Color.parse(code).rgb)
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (HIGH_CONTRAST, 7.0)], ids=lambda v: str(v)[:20]
)
def test_every_word_stands_out_from_its_ground(theme, least):
    inks = [theme.foreground, theme.success, theme.error, theme.warning, theme.accent, theme.variables["text-muted"]]
    for ink in inks:
        assert contrast(ink, theme.background) >= least, ink
    assert contrast(theme.foreground, theme.panel) >= least


def test_the_names_of_our_themes_are_those_of_the_settings():
    assert tuple(theme.name for theme in THEMES) == OWN_THEMES


def test_the_terminals_own_colours_are_left_to_it():
    look = look_of({**ANSI_DARK.variables, **ANSI_DARK.to_color_system().generate()}, True)
    assert look.ansi
    assert not look.shades
    for name in look.__struct_fields__:
        value = getattr(look, name)
        if isinstance(value, Style):
            for color in filter(None, (value.color, value.bgcolor)):
                assert color.triplet is None, name
    for share in (0, 0.4, 1):
        assert not look.heat(share).startswith("#")
        assert look.ink_on(look.heat(share)) != look.heat(share)
    assert not look.curve(3).startswith("#")
    assert look.cursor.reverse


def test_without_colour_the_heat_is_told_by_shades_and_rows_by_reverse():
    look = look_of(DARK.to_color_system().generate(), True, colors=False)
    assert [look.shade(share) for share in (0, 0.25, 0.5, 0.75, 1)] == list(SHADES)
    assert look.cursor.reverse
    assert look.tab.reverse
    assert look.bad.underline
    assert look_of(DARK.to_color_system().generate(), True).shade(1) == " "


@pytest.mark.parametrize(
    ("colors", "wanted", "theme"),
    [
        (1 << 24, True, "workbench-dark"), (256, True, "workbench-dark"), (16, True, "workbench-ansi-dark"),
        (1 << 24, False, "workbench-ansi-dark"),
    ],
)  # fmt: skip
def test_who_chose_no_theme_gets_one_that_the_terminal_can_show(colors, wanted, theme):
    assert automatic(colors, colors=wanted) == theme


@pytest.mark.parametrize("name", TEXTUAL_THEMES)
def test_every_theme_of_textual_gives_a_look(name):
    theme = BUILTIN_THEMES[name]
    look = look_of({**theme.to_color_system().generate(), **theme.variables}, theme.dark)
    assert look.ansi == name.startswith("ansi-")
    assert look.base.color is not None


@pytest.mark.parametrize("name", [*OWN_THEMES, "ansi-light", "textual-light"])
def test_every_theme_draws_every_screen(tmp_path, name):
    async def story():
        async with workbench(tmp_path, (120, 40), settings=SettingsFiles(given={"theme": name})) as sitting:
            assert sitting.app.theme == name
            await sitting.press("3", "question_mark")
            assert "Keys" in sitting.text

    tell(story)


def test_no_color_means_none_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            for key in ("space", "3", "semicolon", "escape"):
                await sitting.press(key)
                lines = sitting.app.screen._compositor.render_strips()
                for strip in lines:
                    shown = strip.apply_filter(sitting.app._filters[-1], Color(0, 0, 0))
                    for segment in shown:
                        style = segment.style or Style()
                        assert all(each is None or each.is_default for each in (style.color, style.bgcolor))

    tell(story)
