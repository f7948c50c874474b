"""A real pseudo-terminal: runs a program on it, types keys, and keeps every byte that came out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path


class Terminal:
    """A program on a pty of `columns` x `rows`; `output` is all it has written."""

    def __init__(
        self, command: Sequence[str], folder: Path, columns: int = 120, rows: int = 40, **environment: str
    ) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
        variables.pop("COLUMNS", None)
        variables.pop("LINES", None)
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=variables, start_new_session=True
        )
        os.close(slave)
        self._master = master
        self.output = b""

    def read(self, seconds: float) -> bytes:
        """What comes within some seconds."""
        until, before = time.monotonic() + seconds, len(self.output)
        while (left := until - time.monotonic()) > 0 and self._more(left):
            pass
        return self.output[before:]

    def wait_for(self, found: Callable[[bytes], bool], seconds: float = 30.0) -> None:
        """Read until the output satisfies `found`; fails with the end of the output otherwise."""
        until = time.monotonic() + seconds
        while not found(self.output):
            left = until - time.monotonic()
            assert left > 0 and self._more(left), f"never seen; the output ends in {self.output[-2000:]!r}"

    def keys(self, text: str) -> None:
        """Type."""
        os.write(self._master, text.encode())

    def hang_up(self) -> None:
        """Close our end, as a dropped connection does."""
        os.close(self._master)

    def leave(self, seconds: float = 30.0) -> int:
        """Read until the program ends by itself, and return its exit code."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, f"still running; the output ends in {self.output[-2000:]!r}"
            self._more(0.1)
        return self.close()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running, whatever the test found."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def close(self) -> int:
        """End the program if it still runs, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        while self._more(1.0):
            pass
        os.close(self._master)
        return self.process.wait(timeout=10)

    def _more(self, seconds: float) -> bool:
        """Take what is there; False at the end or when nothing came in time."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self.output += data
        return bool(data)
