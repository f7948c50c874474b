"""Two monitored models: one whose latency, input and labels turn bad in its last three weeks, one that is fine."""

from __future__ import annotations

from tests.tui.project import DAY, NOW
from workbench.core.model import ColumnDrift, Distribution, Finding, Window

WEEK = 7 * DAY
MIDNIGHT = NOW - NOW % DAY
COLUMNS = ("dep_delay", "distance", "carrier", "origin", "dest", "temp", "wind_speed", "visib", "month", "sched_dep")
CARRIERS = ("AA", "B6", "DL", "EV", "UA", "WN")


def _verdict(name: str, place: int, week: int) -> ColumnDrift:
    kind = "cat" if name in ("carrier", "origin", "dest", "month") else "num"
    if name == "visib":
        return ColumnDrift(name, "num", "too-few", None, None, None, False, 4000, 11, "11 values, 30 are needed")
    score = 0.02 + 0.008 * place + (0.05 * (week - 5) if name in ("temp", "wind_speed") and week > 5 else 0)
    method = "jensenshannon" if kind == "cat" else "wasserstein"
    drifted = score >= 0.1
    return ColumnDrift(
        name, kind, "drift" if drifted else "ok", method, score, 0.1, drifted, 4000, 3900,  # type: ignore[arg-type]
        noise_p95=0.031, p_value=0.0004 if drifted else 0.41, effect=score,
    )  # fmt: skip


def _metrics(week: int) -> dict[str, float | None]:
    late = max(0, week - 6)
    return {
        "latency_ms.p50": 8 + week / 9, "latency_ms.p95": 20.0 + week / 4 + 9 * late,
        "latency_ms.p99": 44.0 + 21 * late, "error_rate": 0.011 + 0.004 * late, "throughput": 41.0 + week,
        "auc": 0.731 - 0.012 * late if week < 9 else None, "accuracy": 0.768 - 0.009 * late if week < 9 else None,
        "business.mean": 2.41 - 0.02 * late, "business.sum": 9_400.0 - 110 * late,
        "quality.missing.carrier": 0.004 + 0.09 * late, "quality.missing.temp": 0.012,
        "quality.new_values.dest": 0.002 + 0.03 * late, "quality.range.wind_speed": 0.001,
    }  # fmt: skip


def flights() -> list[Window]:
    found = []
    for week in range(10):
        start = MIDNIGHT - (10 - week) * WEEK
        columns = [_verdict(name, place, week) for place, name in enumerate(COLUMNS)]
        found.append(Window("flights", start, start + WEEK, 3900 - 70 * max(0, week - 7), _metrics(week), columns))
        for place, carrier in enumerate(CARRIERS):
            own = {key: value * (1 + 0.08 * place) for key, value in _metrics(week).items() if value is not None}
            found.append(Window("flights", start, start + WEEK, 900 - 110 * place, own, (), f"carrier={carrier}"))
    return found


def loans() -> list[Window]:
    return [
        Window("loans", MIDNIGHT - (6 - week) * DAY, MIDNIGHT - (5 - week) * DAY, 1_200,
               {"latency_ms.p95": 31.0 + week % 2, "auc": 0.802 - 0.001 * week, "business.mean": 118.0 + week},
               [ColumnDrift("income", "num", "ok", "wasserstein", 0.04, 0.1, False, 9000, 1200)])
        for week in range(6)
    ]  # fmt: skip


TEMPERATURE = Distribution(
    "temp",
    [f"{low}–{low + 5}" for low in range(-10, 40, 5)],
    [0.02, 0.05, 0.1, 0.15, 0.2, 0.2, 0.13, 0.1, 0.04, 0.01],
    [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.24, 0.13, 0.05],
)


def findings(windows: list[Window]) -> list[Finding]:
    week = [window for window in windows if not window.segment]
    late = week[7].start
    return [
        Finding("latency", "latency_ms.p95", "bad",
                "latency_ms.p95 rose from 21.2 ms to 49.3 ms since 2025-12-15 (97 %)", late, None, 0.97,
                {"before": 21.2, "after": 49.3, "unit": "ms"}, "flights"),
        Finding("missing", "quality.missing.carrier", "bad",
                "carrier lacks 27.4 % of its values since 2025-12-15 (99 %), 0.4 % before", late, None, 0.99,
                {"before": 0.004, "after": 0.274, "unit": "share"}, "flights"),
        Finding("drift", "temp", "warn", "temp drifted since 2025-12-15 (± 1 window, 96 %): 2.1 times its threshold",
                late, None, 0.96, {"before": 0.4, "after": 2.1}, "flights"),
        Finding("performance", "auc", "warn", "auc fell from 0.731 to 0.707 since 2025-12-22 (91 %), with temp",
                week[8].start, None, 0.91, {"before": 0.731, "after": 0.707}, "flights"),
        Finding("errors", "error_rate", "warn", "error_rate rose from 1.0 % to 5.0 % from 2025-11-10 to 2025-11-17",
                week[2].start, week[3].start, 0.99, {"before": 0.01, "after": 0.05, "unit": "share"}, "flights"),
    ]  # fmt: skip
