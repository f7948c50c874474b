"""How far reading is: a line that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from workbench.core import units


class Progress:
    """Counts silently; the base of those who also say it."""

    def __init__(self) -> None:
        self.files = self.files_done = self.bytes = self.bytes_done = self.points = 0
        self.began = time.monotonic()

    def start(self, files: int, size: int) -> None:
        """A pass over some files begins."""
        self.files, self.bytes = files, size
        self.files_done = self.bytes_done = self.points = 0
        self.began = time.monotonic()

    def advance(self, size: int, points: int) -> None:
        """Some bytes were read."""
        self.bytes_done += size
        self.points += points
        self.show()

    def done(self, files: int = 1) -> None:
        """So many more files were read to their ends."""
        self.files_done += files
        self.show()

    def show(self) -> None:
        """Say how far it is; the base says nothing."""

    def end(self) -> None:
        """The pass is over: what was drawn of it goes."""

    def sentence(self) -> str:
        """`37/100 files · 12.0 MiB of 40.1 MiB · 1.2M points/s · 3 s left`."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        parts = [
            f"{self.files_done}/{self.files} files",
            f"{units.size(self.bytes_done)} of {units.size(self.bytes)}",
            f"{units.count(self.points / seconds)} points/s",
        ]
        if 0 < self.bytes_done < self.bytes:
            left = (self.bytes - self.bytes_done) * seconds / self.bytes_done
            parts.append(f"{units.duration(left)} left")
        return " · ".join(parts)


class SpokenProgress(Progress):
    """Narrates on stderr: redrawn in place on a terminal, a line every few seconds elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._said = 0.0
        self._drawn = False

    def show(self) -> None:
        """Say how far it is, at most ten times a second on a terminal and every two seconds elsewhere."""
        now = time.monotonic()
        if now - max(self._said, self.began) < (0.1 if self._terminal else 2.0):
            return
        self._said = now
        self._drawn = self._terminal
        self._write(f"\r\x1b[2K{self.sentence()}" if self._terminal else f"{self.sentence()}\n")

    def end(self) -> None:
        """Wipe the line that redraws itself, so that what is said next has one of its own."""
        if self._drawn:
            self._drawn = False
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class JudgingProgress(SpokenProgress):
    """The same of runs that are judged, which count as files."""

    def sentence(self) -> str:
        """`512/10,000 runs judged · 3 s left`."""
        said = f"{self.files_done:,}/{self.files:,} runs judged"
        seconds = time.monotonic() - self.began
        left = (self.files - self.files_done) * seconds / max(self.files_done, 1)
        return f"{said} · {units.duration(left)} left" if left else said
