"""How strongly a column drifted, on one scale for every method."""

from __future__ import annotations

import math

from workbench.core.model import ColumnDrift, Window

STRONGEST = 10.0
_P_VALUES = frozenset(
    {
        "Anderson-Darling", "Cramer-von Mises", "t_test", "Mann-Whitney U-rank test", "Epps-Singleton", "g_test",
        "Fisher's Exact test",
    }
)  # fmt: skip
"""Methods that give p-values and do not say so in their names."""


def strength(column: ColumnDrift, strongest: float = STRONGEST) -> float | None:
    """How far a score is past its threshold, 1 being on it, whichever way its method counts.

    A distance is divided by its threshold; a p-value is compared by its order of magnitude. None where the column was
    not tested; at most `strongest`.
    """
    score, threshold = column.score, column.threshold
    if score is None or not threshold or not math.isfinite(score):
        return None
    if not is_p_value(column):
        return min(score / threshold, strongest)
    if score <= 0:
        return strongest
    return min(max(math.log(min(score, 1.0)) / math.log(threshold), 0.0), strongest) if threshold < 1 else None


def is_p_value(column: ColumnDrift) -> bool:
    """Whether a small score means drift."""
    return column.method is not None and ("p_value" in column.method or column.method in _P_VALUES)


def drift_share(window: Window) -> float | None:
    """Drifted columns of those tested, None where none was."""
    tested = [column for column in window.columns if column.status in ("ok", "drift")]
    return sum(column.drifted for column in tested) / len(tested) if tested else None
