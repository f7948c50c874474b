"""The verdict of one gate, as every report format shows it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class GateResult(Struct, frozen=True):
    """A gate and what it found; one that could not be evaluated has not passed, and `message` says why."""

    name: str
    check: str
    """The expression as configured: `latency_ms.p95 <= 1.1 * baseline`."""
    passed: bool
    value: float | None
    limit: float | None
    message: str
    subject: str = ""
    """What was judged: a run, a monitor."""
    run: str = ""
    """Id of the run that was judged; empty where it is production alone."""
    monitor: str = ""
    panel: str = ""
    """Where more is said of what was judged in production: drift, latency or windows."""


def failing_first(gates: Sequence[GateResult]) -> list[GateResult]:
    """The same gates, those that failed first, otherwise in their order."""
    return sorted(gates, key=lambda gate: gate.passed)
