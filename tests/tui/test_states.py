"""Every screen in every state it can be in, at every size: what is seen, and what always holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.every_screen import SCREENS, Asked, every_panel, files
from tests.tui.project import LiveQuery
from tests.tui.stories import Story, tell, workbench
from workbench.analysis.importance import Importance, Importances
from workbench.panels import importance
from workbench.tui import panel_loader

SIZES = [(60, 15), (80, 24), (120, 40), (220, 60)]
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


def through(tmp_path: Path, name: str, size: tuple[int, int], look: Callable[[Story, str], None]) -> None:
    """Look at a screen in each of its states."""

    async def story() -> None:
        query = Asked()
        if name == "runs":
            query.now = LiveQuery().now
            query.hold()
        async with workbench(
            tmp_path, size, query, lambda: every_panel(tmp_path), settle=name != "runs", settings=files()
        ) as at:
            async for state in SCREENS[name](at):
                look(at, state)

    tell(story)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_in_every_state(
    tmp_path: Path, name: str, size: tuple[int, int], golden: Callable[[str, str], None]
) -> None:
    seen: list[str] = []

    def look(at: Story, state: str) -> None:
        seen.append(f"── {state} {'─' * (size[0] - len(state) - 4)}\n{same_everywhere(at.text, tmp_path)}")

    through(tmp_path, name, size, look)
    golden(f"states/{name}-{size[0]}x{size[1]}", "\n".join(seen))


def same_everywhere(screen: str, tmp_path: Path) -> str:
    """A screen without what differs from one machine, or one moment, to the next."""
    return re.sub(r"(in|✗) [\d.]+ ?(?:µs|ms|s)\b", r"\1 0s", screen.replace(str(tmp_path), "/home/me"))
