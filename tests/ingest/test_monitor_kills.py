"""The ingester dies while it judges: what was judged stays, and nothing else tells that it was cut short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.ingest.test_monitors import DAILY, csv, day_of, evaluated, told
from tests.support.monitors import Production
from workbench.monitor import advance

CONFIG = DAILY + '[monitor.m.columns]\nsegments = ["country"]\n[monitor.m.reference]\npath = "reference.parquet"\n'
DAYS = (0, 1, 2, 4, 5, 7)


class Killed(BaseException):
    """The process ends here."""


def project(root: Path) -> Production:
    """Days of traffic, some days without any."""
    (root / "exports").mkdir(parents=True)
    made = Production(root)
    made.config(CONFIG)
    day_of(0, 1000, seed=77).drop("y_pred", "y_pred_proba").write_parquet(root / "reference.parquet")
    made.write("exports/a.csv", csv(pl.concat([day_of(day) for day in DAYS])))
    return made


def killed_at(monkeypatch: pytest.MonkeyPatch, batch: int) -> list[list[int]]:
    """Let judging die at a batch, counted from 1; the windows of every batch that was begun."""
    begun: list[list[int]] = []
    real = advance.evaluate_windows

    def deadly(*arguments: Any, **options: Any) -> Any:
        begun.append(list(arguments[5]))
        if len(begun) == batch:
            raise Killed
        return real(*arguments, **options)

    monkeypatch.setattr(advance, "evaluate_windows", deadly)
    return begun


def test_what_was_judged_before_a_kill_is_not_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advance, "BATCH", 200)
    clean, production = project(tmp_path / "clean"), project(tmp_path / "killed")
    clean.update()
    begun = killed_at(monkeypatch, 4)
    with pytest.raises(Killed):
        production.update()
    production.update()
    assert len(begun) == len(DAYS) + 1
    assert begun[3] == begun[4], "what was cut short is begun again, and nothing before it"
    assert told(production) == told(clean)
    assert evaluated(production) == evaluated(clean)


def test_rows_that_came_while_it_was_dead_are_judged_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advance, "BATCH", 200)
    clean, production = project(tmp_path / "clean"), project(tmp_path / "killed")
    with monkeypatch.context() as patch:
        killed_at(patch, 3)
        with pytest.raises(Killed):
            production.update()
    for each in (production, clean):
        each.later()
        each.write("exports/b.csv", csv(pl.concat([day_of(0, 50, seed=5), day_of(8)])))
        each.update()
    assert told(production) == told(clean)
    assert [window.rows for window in production.windows()] == [250, 200, 200, 0, 200, 200, 0, 200, 200]
