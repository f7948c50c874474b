"""Every screen in every state it can be in, at every size: what is seen, and what always holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.style import Style
from textual.color import Color

from tests.tui.every_screen import SCREENS, Asked, every_panel, files, open_full
from tests.tui.project import LiveQuery
from tests.tui.stories import GOLDENS, Story, tell, workbench
from workbench.analysis.importance import Importance, Importances
from workbench.core import text
from workbench.panels import importance
from workbench.tui import chart_asking, logs_following, panel_loader
from workbench.tui.chrome import WorkbenchScreen

IMPORTANT = Importances(
    (
        Importance("param:lr", 0.5, 0.06, -0.8, -0.9, -0.5, 0.002, 22),
        Importance("param:optimizer", 0.3, 0.05, 0.6, 0.2, 0.9, 0.02, 15, "adam"),
        Importance("param:depth", 0.01, 0.04, 0.2, -0.3, 0.6, 0.6, 22),
    ),
    0.8, 22,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    monkeypatch.chdir(tmp_path / "flights")
    monkeypatch.setattr(importance, "importance_of", lambda columns, target: IMPORTANT)
    monkeypatch.setattr(panel_loader, "SPINNER_AFTER", 0.01)
    monkeypatch.setattr(panel_loader, "STORE_AGAIN", 60.0)
    monkeypatch.setattr(chart_asking, "AGAIN", 60.0)
    monkeypatch.setattr(logs_following, "AGAIN", 60.0)


def through(tmp_path: Path, name: str, size: tuple[int, int], look: Callable[[Story, str], None]) -> None:
    """Look at a screen in each of its states."""

    async def story() -> None:
        query = Asked()
        if name == "runs":
            query.now = LiveQuery().now
            query.hold()
        async with workbench(
            tmp_path, size, query, lambda _: every_panel(tmp_path), settle=name != "runs", settings=files()
        ) as at:
            async for state in SCREENS[name](at):
                look(at, state)

    tell(story)


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_in_every_state(
    tmp_path: Path, name: str, size: tuple[int, int], golden: Callable[[str, str], None]
) -> None:
    seen: list[str] = []

    def look(at: Story, state: str) -> None:
        holds_always(at, state, size)
        told_without_colour(at)
        seen.append(page(at, state, tmp_path))

    through(tmp_path, name, size, look)
    golden(f"states/{name}-{size[0]}x{size[1]}", "\n".join(seen))


def page(at: Story, state: str, tmp_path: Path) -> str:
    """A screen under the name of its state."""
    return f"── {state} {'─' * (at.app.size.width - len(state) - 4)}\n{same_everywhere(at.text, tmp_path)}"


def same_everywhere(screen: str, tmp_path: Path) -> str:
    """A screen without what differs from one machine, or one moment, to the next."""
    return re.sub(r"(rows? in|SQL  ✗) [\d.]+ ?(?:µs|ms|s)\b", r"\1 0s", screen.replace(str(tmp_path), "/home/me"))


# What always holds

WORDS = {
    "loading": r"reading|Reading|Looking for logs|running \d+ s",
    "empty": r"`workbench\s|run\.log|run\.stage|with run|space|default|enter runs it|python train|FAILED",
    "failing": r"✗|cannot be read",
}
"""What tells of a state: what is waited for, the next step, what is wrong."""
TRIES_AGAIN = r"r tries again|by itself|is tried again|enter runs it again|config.toml:\d"


def holds_always(at: Story, state: str, size: tuple[int, int]) -> None:
    """What is so of any screen in any state."""
    columns, rows = size
    lines = at.screen
    assert len(lines) == rows
    assert all(text.width(line) <= columns for line in lines)
    assert "Traceback (most" not in at.text or "train.py" in at.text, "a traceback is shown when it is asked for"
    base = next(each for each in reversed(at.app.screen_stack) if isinstance(each, WorkbenchScreen))
    shown = [action for action in base.footer() if f"{action.key} {action.label}" in lines[-1]]
    assert len(shown) >= 2, f"no keys on the last line of\n{at.text}"
    assert [action.id for action in base.footer() if action.footer >= 90] == [a.id for a in shown if a.footer >= 90]
    if state in WORDS:
        assert re.search(WORDS[state], at.text), f"not told in words to be {state}:\n{at.text}"
    if state == "failing":
        assert re.search(TRIES_AGAIN, at.text), f"nothing says how it is tried again:\n{at.text}"


def without_colour(at: Story) -> None:
    """What is sent to the terminal has no colour but its own."""
    for strip in at.app.screen._compositor.render_strips():
        for segment in strip.apply_filter(at.app._filters[-1], Color(0, 0, 0)):
            style = segment.style or Style()
            assert all(each is None or each.is_default for each in (style.color, style.bgcolor)), segment


TOLD = re.compile(r"[^\W\d_]{2}|[✓✗!?▲▼=●◌■◆≈▸▾★×━▌]")
"""Words and marks, which tell without colour what a tone tells with it."""
FIGURE = re.compile(r"[\d.,]+ (?:ms|USD|[KMG]iB)\b|[▁▂▃▄▅▆▇█─\s]")
"""What tells of nothing but itself: a number with its unit, a sparkline, a rule."""


def told_without_colour(at: Story) -> None:
    """Wherever a tone says good, bad or warn, a word or a mark says so too."""
    if not isinstance(at.app.screen, WorkbenchScreen):
        return  # what a dialog leaves of the screen below it begins and ends anywhere
    tones = {at.app.look.good.color, at.app.look.bad.color, at.app.look.warn.color}
    for strip in at.app.screen._compositor.render_strips():
        for segment in strip:
            color = segment.style.color if segment.style is not None else None
            words = FIGURE.sub("", segment.text)
            if color in tones and words and not segment.text.startswith("  "):  # which goes on a marked paragraph
                assert TOLD.search(words), f"only colour tells of {segment.text!r} in {strip.text}"


SHADED = {"drift", "quality", "run"}
"""Screens that show shades by marks where there is no colour, and so are others then."""


@pytest.mark.parametrize("name", SCREENS)
def test_without_colour_every_screen_tells_the_same(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    seen: list[str] = []

    def look(at: Story, state: str) -> None:
        without_colour(at)
        seen.append(page(at, state, tmp_path))

    through(tmp_path, name, (80, 24), look)
    golden(f"states/{name}-80x24{'-without-colour' * (name in SHADED)}", "\n".join(seen))


@pytest.mark.parametrize("name", ["runs", "charts", "drift", "log"])
def test_a_terminal_that_grows_shows_what_a_large_one_shows(tmp_path: Path, name: str) -> None:
    seen: list[str] = []

    async def story() -> None:
        async with workbench(tmp_path, (60, 15), Asked(), lambda _: every_panel(tmp_path), settings=files()) as at:
            await open_full(at, name)
            await at.pilot.resize_terminal(120, 40)
            await at.settle()
            seen.append(page(at, "full", tmp_path))

    tell(story)
    kept = (GOLDENS / f"states/{name}-120x40.txt").read_text(encoding="utf-8")
    assert seen[0] in kept, seen[0]


def test_every_panel_there_is_goes_through_its_states(tmp_path: Path) -> None:
    assert {panel.name for panel in every_panel(tmp_path)} <= set(SCREENS)
