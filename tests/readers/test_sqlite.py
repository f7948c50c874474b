"""Databases of other programs are read, never written to, and never trusted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from workbench.readers.sqlite import Database, UnreadableDatabaseError, is_sqlite, opened, tables_at


def make(path: Path, *, wal: bool = False) -> sqlite3.Connection:
    writer = sqlite3.connect(path, isolation_level=None)
    if wal:
        writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE points (id INTEGER PRIMARY KEY, name TEXT)")
    writer.execute("INSERT INTO points (name) VALUES ('loss')")
    return writer


def names(path: Path) -> list[object]:
    with opened(str(path)) as database:
        return [row[0] for row in database.select("points", ["name"])]


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {item.name: (item.stat().st_size, item.stat().st_mtime_ns) for item in folder.iterdir()}


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_reading_leaves_no_trace_beside_the_database(tmp_path: Path, wal: bool, closed: bool) -> None:
    writer = make(tmp_path / "a?b #100%.db", wal=wal)
    if closed:
        writer.close()
    before = listing(tmp_path)
    assert names(tmp_path / "a?b #100%.db") == ["loss"]
    assert listing(tmp_path) == before
    writer.close()


def test_rows_still_in_the_write_ahead_log_are_seen_while_the_writer_goes_on(tmp_path: Path) -> None:
    writer = make(tmp_path / "live.db", wal=True)
    with opened(str(tmp_path / "live.db")) as database:
        assert len(list(database.select("points", ["id"]))) == 1
        writer.execute("INSERT INTO points (name) VALUES ('acc')")
        assert len(list(database.select("points", ["id"]))) == 1
    assert names(tmp_path / "live.db") == ["loss", "acc"]
    writer.close()


def test_a_copied_write_ahead_log_without_its_index_is_read_from_a_copy(tmp_path: Path) -> None:
    writer = make(tmp_path / "live.db", wal=True)
    (tmp_path / "copied").mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"live.db{suffix}", tmp_path / "copied")
    writer.close()
    before = listing(tmp_path / "copied")
    assert names(tmp_path / "copied" / "live.db") == ["loss"]
    assert listing(tmp_path / "copied") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_folder_is_no_obstacle(tmp_path: Path) -> None:
    make(tmp_path / "old.db", wal=True).close()
    tmp_path.chmod(0o555)
    try:
        assert names(tmp_path / "old.db") == ["loss"]
    finally:
        tmp_path.chmod(0o755)


def test_a_locked_database_is_left_for_later(tmp_path: Path) -> None:
    writer = make(tmp_path / "busy.db")
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnreadableDatabaseError) as refused:
        names(tmp_path / "busy.db")
    assert refused.value.later
    writer.execute("COMMIT")
    assert names(tmp_path / "busy.db") == ["loss"]
    writer.close()


def test_a_checkpoint_during_an_unlocked_read_spoils_it(tmp_path: Path) -> None:
    make(tmp_path / "old.db", wal=True).close()
    reading = opened(str(tmp_path / "old.db"))
    reading.__enter__()
    writer = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    writer.execute("INSERT INTO points (name) VALUES ('acc')")
    writer.close()
    with pytest.raises(UnreadableDatabaseError, match="read again") as refused:
        reading.__exit__(None, None, None)
    assert refused.value.later


def test_writing_is_impossible(tmp_path: Path) -> None:
    make(tmp_path / "old.db").close()
    with opened(str(tmp_path / "old.db")) as database, pytest.raises(UnreadableDatabaseError, match="readonly"):
        list(database.rows("DELETE FROM points"))


def test_missing_columns_are_null_and_missing_tables_empty(tmp_path: Path) -> None:
    make(tmp_path / "old.db").close()
    with opened(str(tmp_path / "old.db")) as database:
        assert list(database.select("points", ["name", "later_column"])) == [("loss", None)]
        assert list(database.select("runs", ["name"])) == []
        assert database.has("points", "id", "name") and not database.has("points", "value")


def test_a_view_that_never_ends_is_no_table(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "trap.db")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS name FROM n"
    writer.execute(f"CREATE VIEW points AS {endless}")
    writer.close()
    with opened(str(tmp_path / "trap.db"), seconds=0.05) as database:
        assert list(database.select("points", ["name"])) == []
        with pytest.raises(UnreadableDatabaseError, match="interrupt"):
            list(database.rows("SELECT max(name) FROM points"))


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_pipe_beside_a_database_does_not_hang(tmp_path: Path, suffix: str) -> None:
    make(tmp_path / "old.db", wal=True).close()
    os.mkfifo(tmp_path / f"old.db{suffix}")
    with pytest.raises(UnreadableDatabaseError, match="regular file"):
        names(tmp_path / "old.db")


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0", b"{}" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_refused_in_words(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "bad.db").write_bytes(damage)
    with pytest.raises(UnreadableDatabaseError):
        names(tmp_path / "bad.db")


def test_a_claim_asks_for_the_tables_by_name(tmp_path: Path) -> None:
    make(tmp_path / "old.db").close()
    assert is_sqlite((tmp_path / "old.db").read_bytes()) and not is_sqlite(b"")
    assert tables_at(str(tmp_path / "old.db")) == {"points"}
    assert tables_at(str(tmp_path / "none.db")) == frozenset()


def test_bytes_that_are_not_utf8_come_back_as_text(tmp_path: Path) -> None:
    writer = make(tmp_path / "odd.db")
    writer.execute("INSERT INTO points (name) VALUES (CAST(x'ff41' AS TEXT))")
    writer.close()
    assert names(tmp_path / "odd.db") == ["loss", "\N{REPLACEMENT CHARACTER}A"]


def test_an_opened_database_is_a_frozen_record(tmp_path: Path) -> None:
    make(tmp_path / "old.db").close()
    with opened(str(tmp_path / "old.db")) as database:
        assert isinstance(database, Database) and database.remark == ""
