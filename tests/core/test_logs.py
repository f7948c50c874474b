"""Logs in place: the same lines forwards and backwards, any size at once, and what a person reads of each."""

from __future__ import annotations

import os
import time
from itertools import islice
from pathlib import Path

import pytest

from workbench.core import log_file, log_search
from workbench.core.log_file import FileBytes, MemoryBytes, line_start, lines_after, lines_before
from workbench.core.log_follow import Followed
from workbench.core.log_search import Stopped, Wanted, found_after, found_before
from workbench.core.log_text import level_of, readable

TEXTS = [
    b"", b"\n", b"a", b"a\n", b"a\nb", b"\n\n\n", b"a\n\nb\n", b"x" * 50 + b"\nshort\n" + b"y" * 70,
    b"\n".join(b"line %d" % i for i in range(100)) + b"\n", "schön\näöü €\n".encode() * 9, b"\xff\xfe\n\x80broken\n",
]  # fmt: skip


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Blocks of a few bytes, so that every line meets the end of one."""
    if "large" not in request.node.name:
        monkeypatch.setattr(log_file, "BLOCK", 16)
        monkeypatch.setattr(log_search, "STRETCH", 24)


@pytest.mark.parametrize("text", TEXTS)
def test_lines_are_the_same_from_either_end(text: bytes) -> None:
    source = MemoryBytes(text)
    expected = text.split(b"\n")[:-1] if text.endswith(b"\n") else text.split(b"\n") if text else []
    forward = lines_after(source, 0, 1000)
    assert [line.raw for line in forward] == expected
    assert lines_before(source, len(text), 1000) == forward
    for line in forward:
        assert line_start(source, line.offset) == line.offset
        assert line_start(source, max(line.end - 1, line.offset)) == line.offset
        assert lines_before(source, line.offset, 1000) == forward[: forward.index(line)]
        assert lines_after(source, line.offset, 2) == forward[forward.index(line) :][:2]


@pytest.mark.parametrize("text", TEXTS)
def test_a_search_finds_the_same_lines_either_way(text: bytes) -> None:
    source = MemoryBytes(text)
    for wanted in (Wanted(), Wanted("e"), Wanted("5"), Wanted("ö"), Wanted("LINE"), Wanted("nowhere")):
        expected = [line for line in lines_after(source, 0, 1000) if wanted.matches(line.text)]
        assert list(found_after(source, 0, wanted)) == expected
        assert list(found_before(source, len(text), wanted)) == expected[::-1]


def test_a_capital_in_what_is_sought_makes_case_count() -> None:
    source = MemoryBytes(b"Error one\nerror two\nERROR three\n")
    assert [line.text for line in found_after(source, 0, Wanted("error"))] == ["Error one", "error two", "ERROR three"]
    assert [line.text for line in found_after(source, 0, Wanted("Error"))] == ["Error one"]


def test_a_search_says_how_far_it_is_and_can_be_stopped() -> None:
    source, told = MemoryBytes(b"nothing here\n" * 100), []

    def tell(place: int) -> bool:
        told.append(place)
        return len(told) < 3

    with pytest.raises(Stopped):
        list(found_after(source, 0, Wanted("something"), tell))
    assert told == sorted(told)
    assert len(told) == 3


def test_a_large_log_opens_at_once_at_either_end(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    with path.open("wb") as file:
        file.write(b"step 0 loss 1.0\n" * 1000)
        file.seek(2 * 1024**3)  # a hole of two gigabytes without a line's end
        file.write(b"\n" + b"step 9 loss 0.5\n" * 1000)
    source, read = FileBytes(path), []
    original = source.read
    source.read = lambda start, length: read.append(length) or original(start, length)  # type: ignore[method-assign,func-returns-value]
    assert [line.text for line in lines_before(source, source.size, 40)] == ["step 9 loss 0.5"] * 40
    assert [line.text for line in lines_after(source, 0, 40)] == ["step 0 loss 1.0"] * 40
    assert sum(read) < 1024 * 1024, "only what is shown is read"
    source.close()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[32mINFO\x1b[0m ready", "INFO ready"),
        (b"\x1b]0;title\x07text \x1b[2Kend", "text end"),
        (b" 10%|#   | 1/10\r 20%|##  | 2/10\r 30%|### | 3/10", " 30%|### | 3/10"),
        (b"done\r", "done"),
        (b"caf\xc3\xa9 \xff\xfe", "café \ufffd\ufffd"),
        (b"a\bbc\b\bd", "d"),
        (b"\x1b]52;c;never ended", ""),
    ],
)
def test_what_a_terminal_would_have_shown_is_read(raw: bytes, shown: str) -> None:
    assert readable(raw) == shown


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-11-22 02:14:09 ERROR trainer: cannot save", "error"), ("[ERROR] x", "error"),
        ("error: no such file", "error"), ("RuntimeError: CUDA out of memory. Tried to allocate", "error"),
        ("Traceback (most recent call last):", "error"), ("E1122 02:14 rpc failed", "error"),
        ('  File "train.py", line 88, in main', "error"), ("torch.cuda.OutOfMemoryError: CUDA", "error"),
        ("slurmstepd: error: Exceeded job memory limit", "error"), ("Killed", "error"),
        ("CRITICAL disk full", "error"), ("Segmentation fault (core dumped)", "error"),
        ("WARNING:root:slow", "warning"), ("UserWarning: deprecated call", "warning"), ("[W] low disk", "warning"),
        ("warn: retrying", "warning"),
        ("epoch 3 error=0.12 acc=0.9", "info"), ("mean_absolute_error: 3.2", "info"), ("val error: 0.031", "info"),
        ("0 errors, 0 warnings=0", "info"), ("error rate 0.1", "info"), ("INFO all good", "info"), ("", "info"),
        ("terror in the aisles", "info"), ("--fail-fast", "info"),
    ],
)  # fmt: skip
def test_how_bad_a_line_is_is_told_by_the_usual_words(text: str, level: str) -> None:
    assert level_of(text) == level
    found = list(found_after(MemoryBytes(text.encode()), 0, Wanted("", "error")))
    assert bool(found) == (level == "error"), "and the quick look finds what the words tell"


def test_a_log_that_grows_shrinks_and_is_replaced_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo\n")
    followed = Followed(FileBytes(path))
    assert followed.look().lines == 0
    with path.open("ab") as file:
        file.write(b"three\nfo")
    assert (followed.look().lines, followed.look().lines) == (1, 0)
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(b"x\n")
    assert (followed.look().began_anew, followed.look().began_anew) == (True, False)
    (tmp_path / "new").write_bytes(b"fresh\nlog\n")
    os.replace(tmp_path / "new", path)
    news = followed.look()
    assert (news.began_anew, news.lines) == (True, 2)
    assert [line.text for line in lines_after(followed.source, 0, 9)] == ["fresh", "log"]
    followed.source.close()


def test_the_last_errors_of_a_large_log_are_found_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    path.write_bytes(b"all is well\n" * 400_000 + b"ERROR once\n" + b"all is well\n" * 400_000)
    source = FileBytes(path)
    started = time.perf_counter()
    (line,) = islice(found_before(source, source.size, Wanted("", "error")), 1)
    assert line.text == "ERROR once"
    assert time.perf_counter() - started < 30, "not a measure of speed; a search that reads byte by byte takes minutes"
    source.close()
