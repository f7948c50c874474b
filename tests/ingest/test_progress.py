"""What is said while reading and judging: on a terminal one line that goes when the pass is over."""

from __future__ import annotations

import io
import itertools
from types import SimpleNamespace

import pytest

from workbench.ingest import progress as module
from workbench.ingest.progress import JudgingProgress, SpokenProgress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes at every look."""
    seconds = itertools.count()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))


def test_the_line_of_a_terminal_goes_at_the_end_so_that_what_follows_stands_alone() -> None:
    stream = _Terminal()
    spoken = SpokenProgress(stream)
    spoken.start(2, 100)
    spoken.advance(50, 1_000)
    spoken.end()
    said = stream.getvalue()
    assert "0/2 files" in said and said.endswith("\r\x1b[2K")
    spoken.end()
    assert stream.getvalue() == said, "nothing is wiped twice"


def test_lines_of_a_file_stay() -> None:
    stream = io.StringIO()
    spoken = SpokenProgress(stream)
    spoken.start(2, 100)
    for _ in range(3):
        spoken.done()
    spoken.end()
    assert stream.getvalue().endswith("files · 0 B of 100 B · 0 points/s\n") and "\x1b" not in stream.getvalue()


def test_judging_counts_runs_and_says_how_long_it_takes_still() -> None:
    stream = _Terminal()
    judging = JudgingProgress(stream)
    judging.start(2_048, 0)
    judging.done(512)
    judging.done(1_536)
    assert "512/2,048 runs judged · " in stream.getvalue() and " left" in stream.getvalue()
    assert stream.getvalue().endswith("2,048/2,048 runs judged")
