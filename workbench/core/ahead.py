"""Work on a thread while the caller goes on: for what waits on a database or a disk, whose result is wanted later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Begun(Generic[Result]):
    """Work that has begun on a thread of its own."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="begun", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._error = error

    def wait(self) -> None:
        """Wait until it is done, however it ended."""
        self._thread.join()

    def result(self) -> Result:
        """What came of it; what was raised is raised here."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map`, one result ahead: never two at once, and none under way any more when the iterator is closed."""
    under: Begun[Result] | None = None
    try:
        for item in items:
            ready = [] if under is None else [under.result()]
            under = Begun(partial(work, item))
            yield from ready
        if under is not None:
            yield under.result()
    finally:
        if under is not None:
            under.wait()
