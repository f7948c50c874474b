"""The store's promises: who may hold it, what is wrong with it, and what happens before it changes shape."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from tests.support.ingest import Project, line
from workbench.store.errors import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreNewerError,
    StoreUnwritableError,
)
from workbench.store.migrations import MIGRATIONS, VERSION, current_version, migrate
from workbench.store.place import file_system, is_network, place_of
from workbench.store.store import Store
from workbench.store.summaries import compact

pytestmark = pytest.mark.duckdb15

OPEN_OUTSIDE = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""
HOLD_LEASE = """
import sys
from pathlib import Path
from workbench.store.place import place_of
from workbench.store.store import Store
with Store(place_of(Path(sys.argv[1]))).write() as con:
    print("held", flush=True)
    sys.stdin.read()
"""


def child(code: str, argument: Path) -> subprocess.Popen[str]:
    """A process that holds something until its stdin closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(argument)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() in ("open", "held")
    return process


def test_a_store_opened_by_another_duckdb_names_it_and_the_next_step(project: Project) -> None:
    other = child(OPEN_OUTSIDE, project.store.path)
    try:
        impatient = Store(project.store.place, patience=0.2)
        with pytest.raises(StoreBusyError, match=rf"PID {other.pid}.*\n  next: close it there"), impatient.read():
            pass
    finally:
        other.communicate()
    with project.store.read() as con:
        assert current_version(con) == VERSION


def test_a_lease_held_for_too_long_names_its_holder(project: Project) -> None:
    holder = child(HOLD_LEASE, project.root)
    try:
        impatient = Store(project.store.place, patience=0.2)
        with pytest.raises(StoreBusyError, match=str(holder.pid)), impatient.read():
            pass
    finally:
        holder.communicate()


def test_a_killed_holder_frees_the_store_at_once(project: Project) -> None:
    holder = child(HOLD_LEASE, project.root)
    holder.kill()
    holder.communicate()
    with project.store.write() as con:
        assert current_version(con) == VERSION


def test_readers_wait_behind_a_writer_that_came_first(project: Project) -> None:
    order: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def first_reader() -> None:
        with Store(project.store.place).read():
            inside.set()
            go_on.wait()
            order.append("first reader")

    def writer() -> None:
        with Store(project.store.place).write():
            order.append("writer")

    threads = [threading.Thread(target=first_reader)]
    threads[0].start()
    inside.wait()
    threads.append(threading.Thread(target=writer))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert order == ["first reader", "writer"]


def test_a_newer_schema_is_refused_with_both_versions(project: Project) -> None:
    with project.store.write() as con:
        con.execute("INSERT INTO schema_version VALUES (99, 0, 'workbench 9.0')")
    fresh = Store(project.store.place)
    with pytest.raises(StoreNewerError, match=rf"schema version 99.*up to {VERSION}\.\n  next: pip install --upgrade"):
        fresh.create()


def test_a_file_that_is_no_database_is_named_with_the_next_command(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    place.store.mkdir(parents=True)
    place.database.write_bytes(b"this is no database, whatever its name says" * 1000)
    with pytest.raises(StoreCorruptError, match="workbench doctor"):
        Store(place).create()
    assert place.database.read_bytes().startswith(b"this is no database")


def test_a_foreign_database_is_not_taken_over(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    place.store.mkdir(parents=True)
    with duckdb.connect(str(place.database)) as con:
        con.execute("CREATE TABLE mine (a INTEGER)")
    with pytest.raises(StoreCorruptError, match="not a workbench store"):
        Store(place).create()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreUnwritableError, match="chmod"):
            Store(place_of(tmp_path)).create()
    finally:
        tmp_path.chmod(0o700)


def test_a_state_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / ".workbench").write_text("")
    with pytest.raises(StoreError, match=r"\.workbench"):
        Store(place_of(tmp_path)).create()


def test_a_migration_runs_once_after_a_backup(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0))
    project.read()
    ran: list[int] = []

    def add_column(con: duckdb.DuckDBPyConnection) -> None:
        con.execute("ALTER TABLE run_log ADD COLUMN color VARCHAR")
        ran.append(VERSION + 1)

    steps = {**MIGRATIONS, VERSION + 1: add_column}
    for _ in range(2):
        with project.store._lease(exclusive=True) as con:
            migrate(con, project.store.path, "test", steps, VERSION + 1)
    assert ran == [VERSION + 1]
    [backup] = (project.store.place.store / "backups").glob("*.duckdb")
    with duckdb.connect(str(backup), read_only=True) as con:
        assert con.execute("SELECT count(*), max(version) FROM point_log, schema_version").fetchall() == [(1, VERSION)]


def test_a_failed_transaction_leaves_nothing_behind(project: Project) -> None:
    def interrupted() -> None:
        with project.store.write() as con:
            con.execute("INSERT INTO cut_log VALUES (1, 0, 0, 0)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    with project.store.read() as con:
        assert con.execute("SELECT count(*) FROM cut_log").fetchall() == [(0,)]


def test_snapshots_are_shared_per_revision_and_leave_the_store_free(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0))
    project.read()
    first = project.store.snapshot()
    assert project.store.snapshot() == first
    project.write("run.jsonl", line(1, loss=1.0))
    project.read()
    second = project.store.snapshot()
    assert second != first
    with duckdb.connect(str(second), read_only=True) as con, project.store.write():
        assert con.execute("SELECT count(*) FROM point").fetchall() == [(2,)]


def test_compaction_changes_no_answer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(30):
        project.write("run.jsonl", line(step, loss=1 / (step + 1), accuracy=step / 30))
        project.read()
    [before] = project.query.runs()
    monkeypatch.setattr("workbench.store.summaries.COMPACT_AT", 10)
    with project.store.write() as con:
        assert compact(con)
    [after] = project.query.runs()
    assert (before.metrics, before.status_reason) == (after.metrics, after.status_reason)
    with project.store.read() as con:
        assert con.execute("SELECT count(*) FROM summary_log").fetchall() == [(2,)]
    project.write("run.jsonl", line(30, loss=0.0))
    project.read()
    assert project.query.runs()[0].metrics["loss"].n == 31


def test_files_of_either_duckdb_can_be_read_by_the_other(project: Project) -> None:
    with project.store.read() as con:
        [(tags,)] = con.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'wb'").fetchall()
    assert "v1.5.0" in str(tags) or "storage_version" in str(tags)


NFS = "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\nsshfs#x /mnt/my\\040disk fuse.sshfs rw 0 0\n"


def test_a_network_file_system_moves_the_store_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    place = place_of(Path("/home/me/project"), mounts=NFS)
    assert not place.store.is_relative_to("/home/me")
    assert "network file system (nfs4)" in place.remark
    local = place_of(Path("/var/project"), mounts=NFS)
    assert (local.store, local.remark) == (Path("/var/project/.workbench"), "")


def test_mount_points_with_spaces_are_understood() -> None:
    assert file_system(Path("/mnt/my disk/runs"), NFS) == "fuse.sshfs"
    assert is_network("fuse.sshfs")
    assert not is_network("fuse.overlayfs")
