"""Stories of the interface: sizes, goldens, and a project they are told on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.stories import same_as_golden

SIZES = [(60, 15), (80, 24), (120, 40), (220, 60)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-screens", action="store_true", help="keep the screens as they are drawn now")


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    update = bool(request.config.getoption("--update-screens"))
    return lambda name, text: same_as_golden(name, text, update)


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local time, colours and SSH of the machine must not be seen."""
    import time

    for name in ("NO_COLOR", "SSH_CONNECTION", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
