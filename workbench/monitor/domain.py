"""Drift of all columns together: can a classifier tell the current rows from the reference's, and by which columns?

Columns that each look the same may still have stopped going together. A gradient-boosted classifier is trained, in a
process of its own, to tell the sides apart; its area under the ROC curve on rows it has not seen is 0.5 where they are
alike. What chance alone gives is told beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from msgspec import Struct

from workbench.core.units import number, p_value
from workbench.monitor.tables import DriftInputError, expand
from workbench.monitor.worker import run_worker

THRESHOLD = 0.55
"""An area under the curve below this is no drift worth acting on, however many rows prove that it is real."""


class DomainError(RuntimeError):
    """The classifier could not be trained; the message carries why and what to do."""


class TellingColumn(Struct, frozen=True):
    """A column that gives the current rows away: what the area loses where its values are shuffled."""

    column: str
    loss: float


class DomainDrift(Struct, frozen=True):
    """How well the two sides can be told apart: 0.5 not at all, 1 always."""

    auc: float
    noise_p95: float
    p_value: float
    drifted: bool
    n_reference: int
    n_current: int
    columns: Sequence[TellingColumn] = ()
    """Those that matter beyond chance, the most telling first."""

    @property
    def sentence(self) -> str:
        """The result in plain words."""
        figures = f"AUC {number(self.auc, 3)}, chance reaches {number(self.noise_p95, 3)}, p {p_value(self.p_value)}"
        rows = f"{self.n_reference:,} reference and {self.n_current:,} current rows"
        if not self.drifted:
            return f"A classifier cannot tell {rows} apart well enough to matter ({figures})."
        names = ", ".join(column.column for column in self.columns[:5]) or "no column alone, only together"
        return f"A classifier tells {rows} apart ({figures}), by {names}."


def domain_drift(
    reference: Path | str, current: Path | str, *, columns: Collection[str] | None = None,
    ignore: Collection[str] = (), rows: int = 10_000, tell: Callable[[str], None] | None = None,
) -> DomainDrift:  # fmt: skip
    """Train the classifier on two tables, each thinned evenly to at most `rows` rows.

    columns, ignore: only these, all but these. Dates, nested values and what names rows are left out.

    Raises:
        DriftInputError: a table that does not exist. DomainError: scikit-learn is missing, or nothing can be learnt.
    """
    for path in (reference, current):
        expand(path)
    asked = {
        "reference": str(reference), "current": str(current), "rows": rows,
        "columns": sorted(columns) if columns is not None else None, "ignore": sorted(ignore),
    }  # fmt: skip
    ended = run_worker("workbench.monitor.domain_worker", [json.dumps(asked)], tell or (lambda _words: None))
    if ended.code:
        last = ended.said[-1] if ended.said else f"exit status {ended.code}"
        if ended.code == 4:
            raise DriftInputError(last)
        raise DomainError(f"no multivariate drift: {last}")
    found = json.loads(ended.output)
    telling = tuple(TellingColumn(name, loss) for name, loss in found.pop("columns"))
    return DomainDrift(**found, columns=telling)
