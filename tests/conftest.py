from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, max_examples=5_000, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_IMPORTED: dict[str, object] = {}
"""States of the generators that test modules hold, as they were after the import."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, so that nothing of the user's leaks in."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Iterator[object]:
    """A project read by the real engine into a real store."""
    from tests.support.ingest import Project

    root = tmp_path / "project"
    root.mkdir()
    made = Project(root)
    yield made
    made.store.close()


@pytest.fixture(autouse=True)
def same_numbers(request: pytest.FixtureRequest) -> None:
    """A module's generator `R` draws the same for a test wherever, and after whichever others, that test runs."""
    generator = getattr(request.module, "R", None)
    if generator is not None:
        imported = _IMPORTED.setdefault(request.module.__name__, generator.bit_generator.state)
        generator.bit_generator.state = imported
