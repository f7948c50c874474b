"""Line formats compressed with gzip or zstd are read like the plain files they hold."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable

import pytest

from tests.support.ingest import Project, line
from workbench.ingest import limits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.duckdb15

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}
KINDS = pytest.mark.parametrize("kind", [".gz", ".zst"])


def lines(start: int, end: int) -> bytes:
    return "".join(line(i, loss=i / 8) for i in range(start, end)).encode()


@KINDS
def test_a_compressed_log_is_read_once_and_named_after_its_plain_file(project: Project, kind: str) -> None:
    project.write(f"run.jsonl{kind}", PACK[kind](lines(0, 100)), at=project.now - 60)
    assert project.read().accepted == 100
    assert project.read().accepted == 0
    assert project.points() == [("loss", i, i / 8) for i in range(100)]
    [run] = project.query.runs()
    assert (run.name, run.format) == ("run.jsonl", "jsonl")
    source = project.source(f"run.jsonl{kind}")
    assert (source.bytes, source.offset, source.message) == (len(lines(0, 100)), len(lines(0, 100)), "")


@KINDS
def test_members_appended_to_a_compressed_log_go_on_where_it_was(project: Project, kind: str) -> None:
    project.write(f"m.csv{kind}", PACK[kind](b"step,loss\n0,1.5\n1,0."))
    project.read()
    assert project.points() == [("loss", 0, 1.5)]
    project.write(f"m.csv{kind}", PACK[kind](b"25\n2,0.125\n"))
    assert project.read().accepted == 2
    assert project.points() == [("loss", 0, 1.5), ("loss", 1, 0.25), ("loss", 2, 0.125)]
    assert project.source(f"m.csv{kind}").generation == 0


@KINDS
def test_a_truncated_stream_keeps_its_rows_is_marked_and_tried_again(project: Project, kind: str) -> None:
    whole = PACK[kind](lines(0, 20_000))
    log = project.write(f"run.jsonl{kind}", whole[: len(whole) * 3 // 4], at=project.now - 60)
    project.read(final=True)
    read = len(project.points())
    assert 0 < read < 20_000
    source = project.source(f"run.jsonl{kind}")
    assert source.status == "damaged"
    assert "E151" in source.message
    assert project.rejects() == []
    log.write_bytes(whole)
    project.touch(log)
    project.read()
    assert [step for _, step, _ in project.points()] == list(range(20_000))
    assert project.source(f"run.jsonl{kind}").status == "live"


@KINDS
def test_a_bomb_is_stopped(project: Project, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_FROM", 1 << 20)
    bomb = lines(0, 10) + b" " * (64 << 20) + b"\n" + lines(10, 20)
    project.write(f"run.jsonl{kind}", PACK[kind](bomb), at=project.now - 60)
    monkeypatch.setattr(limits, "RATIO", 100)
    project.read()
    assert len(project.points()) == 10
    source = project.source(f"run.jsonl{kind}")
    assert "E150" in source.message
    assert source.bytes < 16 << 20


def test_a_stream_that_wants_a_giant_window_is_refused(project: Project) -> None:
    options = {zstd.CompressionParameter.window_log: 28, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    packed = compressor.compress(lines(0, 10)) + compressor.flush()
    project.write("run.jsonl.zst", packed, at=project.now - 60)
    project.read()
    assert project.points() == []


def test_a_rotated_copy_of_what_was_read_is_not_read_twice(project: Project) -> None:
    log = project.write("run.jsonl", lines(0, 50))
    project.read()
    project.write("run-1.jsonl.gz", gzip.compress(log.read_bytes()))
    log.unlink()
    project.write("run.jsonl", lines(50, 60))
    project.read()
    project.read()
    assert [step for _, step, _ in project.points()] == list(range(60))
    assert project.stored() == 60
    assert project.source("run-1.jsonl.gz").message == "compressed copy of run.jsonl, which was read already"
