"""Which rows have their sparkline and percentiles asked for: new ones at once, grown ones at most once a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from workbench.tui import feed
from workbench.tui.ordering import RunOrder

EVERY = 1.0
"""Seconds between two requests for runs that go on."""


class Asked:
    """Remembers how long the series were that were asked about."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[int, ...]] = {}
        self.due = 0.0
        """When runs that go on are asked about again."""

    def forget(self) -> None:
        """Everything is to be asked again."""
        self._known.clear()

    def next(self, rows: RunOrder, ids: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
        """Of these runs the ones to ask about now, each with the lengths of its series."""
        runs = [rows.by_id[run_id] for run_id in ids if run_id in rows.by_id]
        states = {run.id: feed.series_state(run, rows.snapshot) for run in runs}
        new = {run_id: state for run_id, state in states.items() if run_id not in self._known}
        grown = {run_id: state for run_id, state in states.items() if self._known.get(run_id) != state}
        now = self._clock()
        asked = dict(list((grown if now >= self.due else new).items())[: feed.MOST_AT_ONCE])
        if len(asked) > len(new):
            self.due = now + EVERY
        self._known.update(asked)
        return asked
