"""The tours of the documentation, taken on a real terminal: each answers its question within a few keys."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.tour import BUDGET, PAGE, TOURS, Tour, taken, write_project

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tour") / "shop"
    root.mkdir()
    write_project(root)
    subprocess.run([sys.executable, "-m", "workbench.cli.main", "watch", "--once", root], check=True)
    return root


@pytest.mark.parametrize("tour", TOURS, ids=lambda tour: tour.question)
def test_a_question_is_answered_within_its_budget_of_keys(tour: Tour, shop: Path) -> None:
    assert len(tour.keys) <= BUDGET
    assert all(word in taken(shop, tour) for word in tour.answer)


def test_the_page_shows_the_tours_that_are_taken() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for tour in TOURS:
        assert f"## {tour.question}\n\n{tour.shown_keys}\n" in page
    readme = (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert all(f"| {tour.question} | {tour.shown_keys} |" in readme for tour in TOURS)
