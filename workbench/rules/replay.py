"""Which of the last windows a gate would have failed, had it been asked then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from workbench.core.config import GateConfig, MonitorConfig
from workbench.core.gates import GateResult
from workbench.core.model import Window
from workbench.core.query import Query
from workbench.rules.asked import monitors_of
from workbench.rules.gates import evaluate
from workbench.rules.production import Production
from workbench.rules.unanswerable import Unanswerable


class Replay(Struct, frozen=True):
    """A gate over a monitor's last closed windows, oldest first."""

    gate: GateConfig
    monitor: str
    verdicts: Sequence[tuple[Window, GateResult]]

    @property
    def failed(self) -> list[tuple[Window, GateResult]]:
        """The windows after which it would have failed."""
        return [(window, result) for window, result in self.verdicts if not result.passed]


def replay(
    gates: Iterable[GateConfig], query: Query, last: int, *, monitors: Mapping[str, MonitorConfig] | None = None,
    now: float | None = None,
) -> list[Replay]:  # fmt: skip
    """Judge each gate on production as if each of the last windows were the newest; those that ask a run are left out.

    Findings are those of today: one counts from the window in which it began to the one in which it was over.
    """
    production = Production(query, monitors, now)
    runs = query.runs()
    found = []
    for gate in gates:
        asked = monitors_of(gate, production.names)
        if not asked:
            continue
        try:
            windows = production.closed(asked[0])[-last:]
        except Unanswerable:
            windows = []
        verdicts = [
            (window, evaluate(gate, query, runs, production=production.at(len(windows) - 1 - at)))
            for at, window in enumerate(windows)
        ]
        found.append(Replay(gate, asked[0], verdicts))
    return found
