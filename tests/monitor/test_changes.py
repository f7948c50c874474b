"""An evaluation that remembers the one before reads what changed, and says what one of everything would say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.ingest import Project
from workbench.core.config import MonitorConfig, WindowSpec, load_config
from workbench.core.model import Window
from workbench.ingest.monitors import MonitorWatch
from workbench.monitor import tables
from workbench.monitor import windows as windows_module
from workbench.monitor.windows import Evaluation, evaluate

HOUR = 3600.0
MIDNIGHT = 1_704_067_200.0
SPECS = {"by time": WindowSpec(every=HOUR), "by file": WindowSpec()}


def rows(hour: float, n: int = 60, *, labels: bool = True, **columns: Any) -> pl.DataFrame:
    """An hour of a service, or a part of it."""
    r = np.random.default_rng(int(hour * 10))
    frame: dict[str, Any] = {
        "timestamp": MIDNIGHT + (hour + np.arange(n) / n) * HOUR, "distance": r.normal(hour / 5, 1, n).round(3),
        "carrier": r.choice(["AA", "UA", "DL"], n), "prediction": r.random(n).round(3),
        "label": r.integers(0, 2, n) if labels else pl.Series([None] * n, dtype=pl.Int64),
        "latency_ms": r.lognormal(3, 1, n),
    }  # fmt: skip
    return pl.DataFrame({**frame, **columns}, strict=False)


class Exports:
    """A monitor's folder, evaluated after each change: with a memory, and from scratch to compare."""

    def __init__(self, root: Path, spec: WindowSpec, suffix: str) -> None:
        self.root, self.suffix = root, suffix
        self.config = MonitorConfig("m", f"*.{suffix}", window=spec, reference="reference.parquet")
        self.shown: dict[float, Window] = {}
        self.last: Evaluation | None = None
        rows(0, 300).write_parquet(root / "reference.parquet")

    def write(self, name: str, frame: pl.DataFrame) -> None:
        path = self.root / f"{name}.{self.suffix}"
        frame.write_parquet(path) if self.suffix == "parquet" else frame.write_csv(path)

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in self.root.glob(f"*.{self.suffix}") if path.stem != "reference")

    def check(self) -> Evaluation:
        """What shows after the changes is what an evaluation of all files gives."""
        memory = self.last.memory if self.last else None
        self.last = evaluate(self.config, self.root, self.files, memory=memory)
        self.shown |= {result.window.start: result.window for result in self.last.results}
        for result in evaluate(self.config, self.root, self.files).results:
            assert self.shown[result.window.start] == result.window
        return self.last


@pytest.fixture(params=["parquet", "csv"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SPECS)
def exports(request: pytest.FixtureRequest, suffix: str, tmp_path: Path) -> Exports:
    made = Exports(tmp_path, SPECS[request.param], suffix)
    for hour in range(4):
        made.write(f"hour-{hour}", rows(hour))
    made.check()
    return made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read."""
    names: list[str] = []
    original = tables.open_files

    def spy(session: Any, files: list[Path], *args: Any, **options: Any) -> Any:
        names.extend(file.stem for file in files)
        return original(session, files, *args, **options)

    monkeypatch.setattr(windows_module, "open_files", spy)
    return names


def fresh(exports: Exports, opened: list[str]) -> tuple[set[str], list[float]]:
    """The files read for the changes since the last evaluation, and the hours of the windows judged."""
    opened.clear()
    memory = exports.last.memory if exports.last else None
    found = evaluate(exports.config, exports.root, exports.files, memory=memory)
    names = set(opened)
    exports.check()
    return names, [round((result.window.start - MIDNIGHT) / HOUR, 3) for result in found.results]


def test_nothing_new_is_nothing_to_read(exports: Exports, opened: list[str]) -> None:
    assert fresh(exports, opened) == (set(), [])


def test_a_new_file_alone_is_read(exports: Exports, opened: list[str]) -> None:
    exports.write("hour-4", rows(4))
    assert fresh(exports, opened) == ({"hour-4"}, [4.0])


def test_a_file_that_grew_alone_is_read(exports: Exports, opened: list[str]) -> None:
    exports.write("hour-3", pl.concat([rows(3), rows(3.99, 5)]))
    names, hours = fresh(exports, opened)
    assert names == {"hour-3"}
    assert hours[0] == 3.0


def test_files_that_share_a_window_are_read_with_it(suffix: str, tmp_path: Path, opened: list[str]) -> None:
    exports = Exports(tmp_path, WindowSpec(every=HOUR), suffix)
    for i in range(8):
        exports.write(f"half-{i}", rows(i / 2, 60, timestamp=MIDNIGHT + (i / 2 + np.arange(60) / 120) * HOUR))
    exports.check()
    exports.write("late", rows(1.2, 10, timestamp=MIDNIGHT + (1.2 + np.arange(10) / 100) * HOUR))
    assert fresh(exports, opened) == ({"late", "half-2", "half-3"}, [1.0])


def test_hours_without_rows_between_others_are_windows(suffix: str, tmp_path: Path, opened: list[str]) -> None:
    exports = Exports(tmp_path, WindowSpec(every=HOUR), suffix)
    exports.write("a", rows(0))
    exports.check()
    exports.write("b", rows(3))
    assert fresh(exports, opened) == ({"b"}, [1.0, 2.0, 3.0])
    exports.write("c", rows(2))
    assert fresh(exports, opened) == ({"c"}, [2.0])
    (tmp_path / f"c.{suffix}").unlink()
    assert fresh(exports, opened) == (set(), [2.0])
    assert exports.shown[MIDNIGHT + 2 * HOUR].rows == 0


def test_a_file_that_is_gone_leaves_its_window(exports: Exports, opened: list[str]) -> None:
    (exports.root / f"hour-0.{exports.suffix}").unlink()
    assert fresh(exports, opened) == (set(), [])
    assert MIDNIGHT in exports.shown


CONTRADICTIONS: dict[str, Callable[[], pl.DataFrame]] = {
    "a column more": lambda: rows(4, seats=np.arange(60)),
    "a type that changes": lambda: rows(4, distance=["far"] * 60),
    "a third class": lambda: rows(4, label=np.arange(60) % 3),
    "a prediction that is no fraction": lambda: rows(4, prediction=np.arange(60) / 4),
}  # fmt: skip


@pytest.mark.parametrize("change", CONTRADICTIONS)
def test_rows_that_contradict_what_was_decided_bring_everything_up_again(
    change: str, exports: Exports, opened: list[str]
) -> None:
    exports.write("hour-4", CONTRADICTIONS[change]())
    names, _ = fresh(exports, opened)
    assert names >= {"hour-0", "hour-4"}


def test_labels_that_come_later_change_only_their_own_windows(tmp_path: Path, opened: list[str]) -> None:
    exports = Exports(tmp_path, WindowSpec(every=HOUR), "parquet")
    exports.write("hour-0", rows(0))
    exports.write("hour-1", rows(1, labels=False))
    exports.check()
    exports.write("hour-2", rows(2, labels=False))
    assert fresh(exports, opened) == ({"hour-2"}, [2.0])
    exports.write("hour-1", rows(1))
    assert fresh(exports, opened) == ({"hour-1"}, [1.0])
    assert exports.shown[MIDNIGHT + HOUR].metrics["auc"] is not None


def test_another_reference_brings_everything_up_again(exports: Exports, opened: list[str]) -> None:
    rows(9, 300).write_parquet(exports.root / "reference.parquet")
    assert fresh(exports, opened)[0] >= {"hour-0", "hour-3"}


def test_a_broken_file_is_named_each_time_and_not_read_again(tmp_path: Path, opened: list[str]) -> None:
    exports = Exports(tmp_path, WindowSpec(every=HOUR), "parquet")
    exports.write("hour-0", rows(0))
    (tmp_path / "broken.parquet").write_bytes(b"no table" * 9)
    exports.check()
    exports.write("hour-1", rows(1))
    assert fresh(exports, opened) == ({"hour-1"}, [1.0])
    assert exports.last is not None
    assert [Path(path).name for path, _ in exports.last.problems] == ["broken.parquet"]


def test_a_watch_writes_only_the_windows_that_changed(project: Project, opened: list[str]) -> None:
    (project.root / "workbench.toml").write_text(
        '[monitor.m]\npath = "exports/*.parquet"\ntimestamp = "timestamp"\n[monitor.m.window]\nevery = "1h"\n'
    )
    (project.root / "exports").mkdir()
    watch = MonitorWatch(project.root, load_config(project.root), project.store)
    for hour in range(3):
        rows(hour).write_parquet(project.root / f"exports/{hour}.parquet")
    watch.update()
    opened.clear()
    rows(3).write_parquet(project.root / "exports/3.parquet")
    watch.update()
    assert opened == ["3"]
    with project.store.read() as con:
        written = con.execute("SELECT count(*) FROM window_log").fetchall()
    assert written == [(4,)]
    assert [window.rows for window in project.query.windows("m")] == [60] * 4
    shutil.rmtree(project.root / "exports")
    watch.update()
    assert len(project.query.windows("m")) == 4
