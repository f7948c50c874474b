"""Runs that are still in memory are judged without being fetched, and come out as if they had been."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.ingest import NOW, Project, line
from workbench.core.config import load_config
from workbench.ingest import judging, recent, run_findings
from workbench.ingest.engine import Engine
from workbench.ingest.readers import all_readers
from workbench.ingest.recent import RecentRuns
from workbench.ingest.run_findings import RunFindingWatch
from workbench.store.append import Cursor, Delta, PointRows
from workbench.store.errors import StoreError

pytestmark = pytest.mark.duckdb15


class Ingester:
    """An engine and who judges what it reads, as they live in one process."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch, patience: float | None = None) -> None:
        config = load_config(project.root)
        self.judge = RunFindingWatch(config, project.store, patience=patience)
        self.engine = Engine(
            project.root, config, project.store, all_readers(), clock=lambda: project.now, judge=self.judge
        )
        self.fetched: list[str] = []
        original = run_findings.fetch_curves

        def spy(con: Any, states: Any) -> Any:
            self.fetched += sorted({state.run for state in states})
            return original(con, states)

        monkeypatch.setattr(run_findings, "fetch_curves", spy)

    def read(self) -> None:
        self.engine.read_all(self.engine.scan())

    def read_alone(self) -> None:
        """Read, and judge nothing while it is committed."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.judge, "prepare", lambda: False)
            self.read()

    def look(self) -> list[str]:
        """Read, judge, and tell which runs had to be fetched."""
        self.read()
        self.fetched.clear()
        self.judge.update()
        return list(self.fetched)


@pytest.fixture
def ingester(project: Project, monkeypatch: pytest.MonkeyPatch):
    made = Ingester(project, monkeypatch)
    yield made
    made.engine.close()


def found(project: Project) -> list[list[str]]:
    """All that is told of runs, and how they go; in words, as NaN equals nothing."""
    with project.store.read() as con:
        findings = con.execute(
            "SELECT run_id, kind, subject, severity, sentence, since, until, confidence, evidence FROM run_finding_log"
            " ORDER BY ALL"
        ).fetchall()
        runs = con.execute(
            "SELECT run_id, commit_id, engine, points, severity, headline, gap, pace FROM run_judgement_log"
            " ORDER BY ALL"
        ).fetchall()
    return [list(map(repr, row)) for row in (*findings, *runs)]


def found_afresh(project: Project) -> list[list[str]]:
    """The same by somebody who has nothing in memory."""
    with project.store.write() as con:
        con.execute("DELETE FROM run_finding_log")
        con.execute("DELETE FROM run_judgement_log")
    RunFindingWatch(load_config(project.root), project.store, patience=None).update()
    return found(project)


def rising(n: int, start: int = 0, break_at: int | None = None) -> str:
    """A loss that climbs out of its best value, and is NaN from a step on."""
    return "".join(
        line(
            step, loss=math.nan if break_at is not None and step >= break_at else 1 + abs(step - 80) / 60, acc=step / n,
            timestamp=NOW - 10_000 + 10 * step,
        )
        for step in range(start, start + n)
    )  # fmt: skip


def test_runs_read_whole_are_not_fetched_and_come_out_the_same(project: Project, ingester: Ingester) -> None:
    project.write("runs/a/log.jsonl", rising(300))
    project.write("runs/b/log.jsonl", rising(300, break_at=200))
    assert ingester.look() == []
    told = found(project)
    assert {row[1] for row in told} >= {"'not-finite'", "'diverged'"}
    assert found_afresh(project) == told


def test_what_is_in_memory_is_judged_while_its_commit_is_under_way(
    project: Project, ingester: Ingester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        project.write(f"runs/{name}/log.jsonl", rising(300))
    sources = ingester.engine.scan()
    held, judged = threading.Event(), threading.Event()
    prepare = ingester.judge.prepare

    def hold() -> None:
        with project.store.read():
            held.set()
            judged.wait(60)

    def told() -> bool:
        more = prepare()
        if not more:
            judged.set()
        return more

    monkeypatch.setattr(ingester.judge, "prepare", told)
    reader = threading.Thread(target=hold)
    reader.start()
    assert held.wait(60)
    ingester.engine.read_all(sources)
    reader.join()
    assert judged.is_set()
    assert len(ingester.judge._prepared) == 2
    assert ingester.look() == []
    told_of = found(project)
    assert len(ingester.judge._prepared) == 0
    assert found_afresh(project) == told_of


def grown(project: Project) -> None:
    project.write("run/metrics.jsonl", rising(50, start=300))


def rewritten(project: Project) -> None:
    path = project.root / "run/metrics.jsonl"
    path.write_text(path.read_text().replace('"acc": 0.', '"acc": 1.'))
    project.touch(path)


def joined(project: Project) -> None:
    project.write("run/metrics.csv", "step,val_loss\n" + "".join(f"{step},{step / 9}\n" for step in range(400)))


def taken_up_again(project: Project) -> None:
    project.write("run/metrics.jsonl", rising(300, start=100))


@pytest.mark.parametrize("change", [grown, rewritten, joined, taken_up_again])
@pytest.mark.parametrize("ahead", [False, True], ids=["kept", "judged ahead"])
def test_a_run_that_has_changed_since_is_fetched(
    project: Project, ingester: Ingester, change: Callable[[Project], None], ahead: bool
) -> None:
    project.write("run/metrics.jsonl", rising(300))
    ingester.read_alone()
    while ahead and ingester.judge.prepare():
        pass
    assert (len(ingester.judge._recent._kept), len(ingester.judge._prepared)) == ((0, 1) if ahead else (1, 0))
    project.now += 30
    change(project)
    assert len(ingester.look()) == 1
    told = found(project)
    assert found_afresh(project) == told


def repeated() -> str:
    return rising(200) + rising(200, start=100)


def unordered() -> str:
    lines = rising(200).splitlines(keepends=True)
    random.Random(4).shuffle(lines)
    return "".join(lines)


def uneven() -> str:
    """A series that is shown thinned, beside many that are not."""
    most = recent.LONG + 500
    return "".join(
        line(step, loss=float(step % 7), **({"a": 1.0, "b": 2.0} if step < 9 else {})) for step in range(most)
    )


@pytest.mark.parametrize("log", [repeated, unordered, uneven])
def test_series_that_are_shown_otherwise_than_they_were_written_are_fetched(
    project: Project, ingester: Ingester, log: Callable[[], str]
) -> None:
    project.write("run/log.jsonl", log())
    assert len(ingester.look()) == 1
    assert found_afresh(project) == found(project)


@pytest.mark.parametrize("seed", range(6))
def test_a_crowd_of_odd_logs_is_judged_alike(project: Project, ingester: Ingester, seed: int) -> None:
    pick = random.Random(seed)
    for number in range(12):
        keys = pick.sample(["loss", "val/loss", "acc", "lr", "grad_norm", "gpu_util", "reward"], pick.randint(1, 5))
        rows = []
        for step in range(pick.randint(1, 250)):
            row: dict[str, float] = {"step": step * pick.choice([1, 1, 1, 2])}
            for key in keys:
                if pick.random() < 0.97:
                    row[key] = pick.choice([math.nan, math.inf, 50.0]) if pick.random() < 0.01 else pick.gauss(1, 0.1)
            if number % 3:
                row["timestamp"] = NOW - 9_000 + 3 * step
            rows.append(json.dumps(row) + "\n")
        project.write(f"runs/{number // 2}/log{number % 2 or ''}.jsonl", "".join(rows))
    ingester.look()
    told = found(project)
    assert found_afresh(project) == told


def test_one_log_written_anew_does_not_make_the_others_be_forgotten(project: Project, ingester: Ingester) -> None:
    project.write("other/log.jsonl", rising(300))
    ingester.read_alone()
    project.now += 30
    (project.root / "other/log.jsonl").write_text("")
    project.write("other/log.jsonl", rising(20))
    project.write("run/log.jsonl", rising(300))
    ingester.read_alone()
    (other,) = (run.id for run in project.query.runs() if "other" in run.path)
    assert ingester.look() == [other]
    assert found_afresh(project) == found(project)


def test_series_that_cannot_match_are_judged_once(
    project: Project, ingester: Ingester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        project.write(f"runs/{number}/log.jsonl", unordered())
    judged: list[int] = []
    diagnose = judging.diagnose

    def spy(curves: Any, active_until: Any) -> Any:
        judged.append(len(curves))
        return diagnose(curves, active_until)

    monkeypatch.setattr(judging, "diagnose", spy)
    assert len(ingester.look()) == 5
    assert len(judged) == 5


def test_while_others_wait_nothing_is_judged_ahead_but_nothing_fetched_either(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Ingester(project, monkeypatch, patience=60.0)
    try:
        project.write("run/log.jsonl", rising(300))
        live.read()
        assert not live.judge.prepare()
        assert live.look() == []
        assert found_afresh(project) == found(project)
    finally:
        live.engine.close()


def test_a_mistake_while_judging_ahead_does_not_stop_reading(
    project: Project, ingester: Ingester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("run/log.jsonl", rising(300))
    ingester.read_alone()
    with monkeypatch.context() as patch:
        patch.setattr(judging, "is_judged", lambda *_: 1 / 0)
        assert not ingester.judge.prepare()
    assert len(ingester.look()) == 1
    assert found_afresh(project) == found(project)


def test_what_was_not_committed_is_forgotten(
    project: Project, ingester: Ingester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("run/log.jsonl", rising(300))
    with monkeypatch.context() as patch:
        patch.setattr("workbench.ingest.committer.require_space", lambda _: (_ for _ in ()).throw(StoreError("full")))
        with pytest.raises(StoreError, match="full"):
            ingester.read_alone()
    assert not ingester.judge.prepare()
    ingester.judge.update()
    assert found(project) == []
    assert ingester.look() == []
    assert found_afresh(project) == found(project) != []


def test_memory_is_bounded_by_points_and_by_runs() -> None:
    def deltas(count: int, n: int, series: int) -> Sequence[Delta]:
        made = []
        for number in range(count):
            run = f"{number:012x}"
            cursor = Cursor(
                number, run, "jsonl", 1, run, "", number, 0, 0, 1, 1, 1, 0, "", "", n, 0, "live", "", "", 0, None, 0.0,
                0.0, 0.0,
            )  # fmt: skip
            ids = np.arange(series, dtype=np.uint64) + np.uint64(number * series)
            step = np.repeat(np.arange(n), series)
            code = np.tile(np.arange(series, dtype=np.uint16), n)
            points = PointRows(ids, [run] * series, code, step, step, step * 1.0, step * 1.0)
            made.append(Delta(cursor, points, [(int(each), run, f"key{each}", "jsonl") for each in ids]))
        return made

    few = RecentRuns(most=10_000)
    few.keep(deltas(20, 100, 10))
    assert 5 <= len(few._kept) <= 9
    assert few.oldest == f"{20 - len(few._kept):012x}"
    few.keep(deltas(2_000, 1, 1))
    assert len(few._kept) < 10_000 / 30
    for run in list(few._kept):
        states, rows = few.take(run)
        assert [state.n for state in states] == [len(each.step) for each in rows.values()] == [1]
    assert not few and few._weight == 0
    assert few.take("nobody") == ([], {})
