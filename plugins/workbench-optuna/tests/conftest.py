"""Projects with studies that Optuna itself wrote; see make_studies.py."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from workbench_optuna import importance
from workbench_optuna.model import Direction, State, Study, Trial

from workbench.cli.project import open_project, read_news
from workbench.plugin.api import Query

importance.PATIENCE = 120.0  # a machine under load is no reason to fail
STUDIES = Path(__file__).parent / "studies"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """Both studies, read by the workbench's own readers."""
    root = tmp_path_factory.mktemp("tuning")
    for path in (STUDIES / "svm.db", STUDIES / "pair.log"):
        shutil.copy(path, root)
    opened = open_project(root, fresh=False)
    read_news(opened, None, final=True)
    yield opened.query
    opened.store.close()


def study(
    rows: Sequence[tuple[Mapping[str, Any], Any, State]], directions: Sequence[Direction] = ("minimize",)
) -> Study:
    """A study from (params, value or values, state) of each trial."""
    trials = []
    for number, (params, value, state) in enumerate(rows):
        values = value if isinstance(value, tuple) else (value,)
        trials.append(Trial(f"run{number}", number, state, values, dict(params), 100.0, 160.0))
    names = ["loss"] if len(directions) == 1 else [f"values_{at}" for at in range(len(directions))]
    return Study("made", names, directions, trials, "made.db")


@pytest.fixture
def made() -> Any:
    return study
