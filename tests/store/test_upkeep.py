"""What keeps a store quick and whole: spilling, snapshots, compaction, cuts, and the order of what is exported."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.deltas import commit, delta
from tests.support.ingest import NOW, Project, line
from workbench.core.model import Summary
from workbench.store import store as store_module
from workbench.store.append import Cut
from workbench.store.console import run_sql
from workbench.store.export import export_points
from workbench.store.place import file_system, is_network
from workbench.store.spill import Spill
from workbench.store.store import Store
from workbench.store.summaries import compact

pytestmark = pytest.mark.duckdb15

RUN = "a" * 12
HOLD_SPILL = """
import sys
from pathlib import Path
from workbench.store.spill import Spill
print(Spill(Path(sys.argv[1])).path, flush=True)
sys.stdin.read()
"""


# Spilling ------------------------------------------------------------------------------------------------------------


def spilling(store: Store) -> None:
    """A sort that does not fit in memory."""
    with store.read() as con:
        con.execute("SET memory_limit = '32MB'")
        con.execute("CREATE TEMP TABLE big AS SELECT random() AS r, i FROM range(3000000) t(i) ORDER BY r")
        con.execute("DROP TABLE big")
        con.execute("SET memory_limit = '1GB'")


def test_what_does_not_fit_in_memory_goes_beside_the_store(project: Project) -> None:
    spilling(project.store)


def test_a_spill_folder_that_someone_removed_is_made_again(project: Project) -> None:
    spilling(project.store)
    shutil.rmtree(project.store.place.store / "tmp")
    spilling(project.store)


def test_a_spill_folder_is_kept_while_its_process_lives_and_tidied_afterwards(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_SPILL, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    folder = Path(holder.stdout.readline().strip())
    (folder / "duckdb_temp_0").write_text("x")
    with Spill(tmp_path) as own:
        assert folder.is_dir()
        assert own.path.is_dir()
    holder.kill()
    holder.communicate()
    with Spill(tmp_path) as own:
        assert not folder.exists()
        assert sorted(item.name for item in (tmp_path / "tmp").iterdir()) == [own.path.name, f"{own.path.name}.lock"]
    assert list((tmp_path / "tmp").iterdir()) == []


# Snapshots -----------------------------------------------------------------------------------------------------------


def test_a_snapshot_of_a_large_store_serves_for_a_moment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("run.jsonl", line(0, loss=1.0))
    project.read()
    monkeypatch.setattr(store_module, "_SLOW_TO_COPY", 0)
    first = project.store.snapshot()
    project.write("run.jsonl", line(1, loss=1.0))
    project.read()
    assert project.store.snapshot() == first
    monkeypatch.setattr(store_module, "_SHARED_FOR", 0.0)
    assert project.store.snapshot() != first


def test_a_moment_with_a_time_zone_is_shown_as_text(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0))
    project.read()
    ask = project.query.sql
    assert ask("SELECT to_timestamp(0), '--ü;' -- ; x").rows[0][1] == "--ü;"
    [(moment, n)] = ask("SELECT to_timestamp(0) AS t, count(*) AS t FROM point; -- once\n").rows
    assert (str(moment)[:19], n) == ("1970-01-01 00:00:00", 1)
    assert ask("SELECT to_timestamp(step) AS t, value FROM point WHERE step = ?", [0]).columns == ["t", "value"]
    assert len(ask("SELECT now(), [now()]").rows) == 1


def test_one_set_of_settings_holds_everywhere(project: Project) -> None:
    names = (
        "memory_limit",
        "threads",
        "python_enable_replacements",
        "autoinstall_known_extensions",
        "enable_progress_bar",
    )
    wanted = ", ".join(f"current_setting('{name}')" for name in names)
    with project.store.read() as con:
        own = con.execute(f"SELECT {wanted}").fetchall()
    assert run_sql(project.store.snapshot(), f"SELECT {wanted}", (), ()).rows == own
    assert own[0][-1] is False, "DuckDB would draw its progress on stdout, among the data"


# Summaries -----------------------------------------------------------------------------------------------------------


def folded(project: Project, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr("workbench.store.summaries.COMPACT_AT", 3)
    with project.store.write() as con:
        return compact(con)


def loss(project: Project) -> Summary:
    return project.query.runs()[0].metrics["loss"]


ONE = {"path": "a/1.csv", "wall": NOW}
TWO = {"path": "a/2.csv", "wall": NOW + 50.0}


@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE)])
def test_of_two_files_that_end_at_one_step_the_later_point_is_the_last(
    project: Project, monkeypatch: pytest.MonkeyPatch, order: Sequence[dict[str, object]]
) -> None:
    for source in order:
        values = [0.0] * 9 + [7.0 if source is TWO else 1.0]
        commit(project.store, delta(RUN, source_format="csv", series={"loss": values}, **source))  # type: ignore[arg-type]
    for at in range(4):  # the first file is written on at lower steps, as after a resume
        more = delta(RUN, ONE["path"], "csv", {"loss": [0.5]}, start=1000 + 100 * at, first_step=at, wall=NOW + 99)  # type: ignore[arg-type]
        commit(project.store, more)
    before = loss(project)
    assert (before.last, before.last_step) == (7.0, 9)
    assert project.query.series(RUN, "loss").value[-1] == 7.0
    assert folded(project, monkeypatch)
    assert loss(project) == before


def test_two_stretches_of_one_commit_that_end_at_one_step_keep_their_order(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretches = [
        delta(RUN, "a/log", "csv", {"loss": [float(at)]}, start=100 * at, first_step=5, wall=NOW) for at in range(6)
    ]
    commit(project.store, *stretches)
    assert loss(project).last == 5.0
    assert folded(project, monkeypatch)
    assert loss(project).last == 5.0


def test_folding_leaves_alone_what_is_one_row_already(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in range(5):
        commit(project.store, delta(f"{run:012d}", f"{run}/log", "csv", {"loss": [1.0]}))
    assert not folded(project, monkeypatch)
    for at in range(1, 6):
        commit(project.store, delta("0" * 12, "0/log", "csv", {"loss": [1.0]}, start=100 * at, first_step=at))
    assert folded(project, monkeypatch)
    with project.store.read() as con:
        assert con.execute("SELECT count(*) FROM summary_log").fetchall() == [(5,)]
        assert con.execute("SELECT count(*) FROM source_log").fetchall() == [(5,)]
    assert not folded(project, monkeypatch)


def summary_rows(project: Project) -> int:
    with project.store.read() as con:
        return int(con.execute("SELECT count(*) FROM summary_log").fetchall()[0][0])


def test_a_resumed_file_is_not_summarised_anew_with_every_line(project: Project) -> None:
    first = delta(RUN, "a/log", "csv", {"loss": [float(at) for at in range(10)]})
    source = first.cursor.source_id
    commit(project.store, first)
    resumed = delta(
        RUN, "a/log", "csv", {"loss": [50.0, 60.0]}, start=1000, first_step=5, cuts=[Cut(source, 0, 5, 1000)]
    )
    commit(project.store, resumed)
    assert (loss(project).n, loss(project).max) == (7, 60.0)
    assert summary_rows(project) == 1
    commit(project.store, delta(RUN, "a/log", "csv", {"loss": [70.0]}, start=1200, first_step=7))
    assert (loss(project).n, loss(project).last) == (8, 70.0)
    assert summary_rows(project) == 2, "the new line brought its own"


def test_a_cut_by_another_file_reaches_lines_that_come_later(project: Project) -> None:
    first = delta(RUN, "a/1", "csv", {"loss": [1.0] * 10})
    commit(project.store, first)
    later = delta(RUN, "a/2", "csv", {"loss": [2.0]}, first_step=5, cuts=[Cut(first.cursor.source_id, 0, 5)])
    commit(project.store, later)
    assert loss(project).n == 6
    commit(project.store, delta(RUN, "a/1", "csv", {"loss": [9.0, 9.0]}, start=1000, first_step=3))
    commit(project.store, delta(RUN, "a/1", "csv", {"loss": [9.0]}, start=1200, first_step=8))
    assert loss(project).n == 8, "the point at step 8 was superseded before it came"
    assert project.query.series(RUN, "loss").n == 8


# Export and mounts ---------------------------------------------------------------------------------------------------


def test_a_rotated_file_is_exported_before_the_one_that_took_its_name(project: Project) -> None:
    project.write("a/metrics.jsonl", "".join(line(at, loss=at / 10) for at in range(5)))
    project.read()
    (project.root / "a/metrics.jsonl").rename(project.root / "a/metrics.jsonl.1")
    project.write("a/metrics.jsonl", "".join(line(at, loss=at / 10) for at in range(5, 9)))
    project.read()
    out = io.BytesIO()
    export_points(project.store.snapshot(), project.query.runs(), "json", None, out)
    assert [row["step"] for row in json.loads(out.getvalue())] == list(range(9))


def test_mount_points_of_any_bytes_are_understood() -> None:
    lines = (
        b"/dev/a / ext4 rw 0 0",
        b"h:/x /mnt/\xff\xfe\\040\xc3\xbc nfs rw 0 0",
        b"h:/y /mnt/\xe2\x98\x83 cifs rw 0 0",
    )
    mounts = os.fsdecode(b"\n".join(lines))
    assert file_system(Path(os.fsdecode(b"/mnt/\xff\xfe \xc3\xbc/runs")), mounts) == "nfs"
    assert file_system(Path("/mnt/☃"), mounts) == "cifs"
    assert file_system(Path("/mnt"), mounts) == "ext4"


def test_what_was_mounted_over_an_automounter_counts() -> None:
    mounts = "/dev/a / ext4 rw 0 0\nauto /net autofs rw 0 0\nserver:/x /net nfs4 rw 0 0\n"
    assert file_system(Path("/net/project"), mounts) == "nfs4"


@pytest.mark.parametrize("kind", ["macfuse", "osxfuse", "fuse.sshfs", "smbfs", "nfs4"])
def test_file_systems_behind_a_network_are_known(kind: str) -> None:
    assert is_network(kind)
