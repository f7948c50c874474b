"""Fair leases on the store file, within a process and between processes.

A lease first passes the turnstile, one at a time, then takes the store lock (shared for readers, exclusive for
writers) and lets the next one into the turnstile. A waiting writer stands in the turnstile, so that readers who come
after it queue behind it and nobody starves.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.store.errors import StoreBusyError, StoreUnwritableError

PATIENCE = 30.0
"""Seconds a lease waits before it gives up and names the holder."""


class FairLock:
    """A lock that serves threads in the order they came."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._held = False

    def acquire(self, timeout: float) -> bool:
        """Wait for the turn; False when `timeout` seconds passed first."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            if turn.wait(timeout):
                return True
        except BaseException:
            self._leave(turn)
            raise
        return self._leave(turn, keep=True)

    def _leave(self, turn: threading.Event, *, keep: bool = False) -> bool:
        """Stop waiting; a turn that came meanwhile is kept if wanted, else handed on."""
        with self._mutex:
            if not turn.is_set():
                self._waiting.remove(turn)
                return False
        if not keep:
            self.release()
        return keep

    def release(self) -> None:
        """Hand over to whoever waits longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


class Turnstile:
    """Leases on one store between processes; file locks die with their process."""

    def __init__(self, folder: Path) -> None:
        self.turn = folder / "store.turn"
        self.lock = folder / "store.lock"

    @contextmanager
    def pass_through(self, *, exclusive: bool, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the store lock for the body.

        Raises:
            StoreBusyError: `patience` seconds passed; the message names the holder where the system tells.
            StoreUnwritableError: the lock files cannot be created.
        """
        deadline = time.monotonic() + patience
        lock = -1
        turn = _take(self.turn, fcntl.LOCK_EX, deadline)
        try:
            lock = _take(self.lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, deadline)
        finally:
            os.close(turn)
        try:
            yield
        finally:
            os.close(lock)


def _take(path: Path, mode: int, deadline: float) -> int:
    """A descriptor of its own that holds the lock; closing it releases."""
    try:
        descriptor = _opened(path)
    except OSError as error:
        raise StoreUnwritableError(
            f"{path}: {error.strerror}.\n  next: chmod u+rwx {path.parent}, or set WORKBENCH_STORE to another folder"
        ) from error
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        return descriptor
    except BlockingIOError:
        pass
    except OSError as error:
        os.close(descriptor)
        raise StoreUnwritableError(
            f"{path}: this file system cannot lock files ({error.strerror}).\n"
            f"  next: set WORKBENCH_STORE to a folder on a local disk"
        ) from error
    return _wait(path, descriptor, mode, deadline)


def _opened(path: Path) -> int:
    """The file to lock; one that is there can be locked on a disk that cannot be written, too."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS):
            raise
        with suppress(OSError):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        raise


def _wait(path: Path, descriptor: int, mode: int, deadline: float) -> int:
    """Block in the kernel's queue on a helper thread, because flock knows no timeout."""
    taken, abandoned = threading.Event(), threading.Event()
    settle = threading.Lock()

    def block() -> None:
        fcntl.flock(descriptor, mode)
        with settle:
            taken.set()
            if abandoned.is_set():
                os.close(descriptor)

    threading.Thread(target=block, name="store-lock", daemon=True).start()
    if taken.wait(max(0.0, deadline - time.monotonic())):
        return descriptor
    with settle:
        if taken.is_set():
            return descriptor
        abandoned.set()
    raise StoreBusyError(
        f"{path.parent}: the store is in use by {_holder(path)} and was not freed in time.\n"
        f"  next: end that process, or wait and run the command again"
    )


def _holder(path: Path) -> str:
    """Who holds the lock, from /proc/locks."""
    try:
        inode = f":{path.stat().st_ino} "
        rows = [line.split() for line in Path("/proc/locks").read_text().splitlines() if inode in f"{line} "]
        pids = sorted({int(row[4]) for row in rows if row[1] == "FLOCK"} - {os.getpid()})
        names = [f"PID {pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})" for pid in pids]
    except (OSError, ValueError, IndexError):
        names = []
    return ", ".join(names) or "another process"
