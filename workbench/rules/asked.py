"""Which monitors a gate asks."""

from __future__ import annotations

from collections.abc import Collection

from workbench.core.config import GateConfig
from workbench.core.where import WhereError
from workbench.rules.expression import PRODUCTION, Arithmetic, Check, Negative, Quantity, Term, quantities
from workbench.rules.expression import parse as parse_check


def of_monitors(check: Check, monitors: Collection[str], metrics: Collection[str]) -> Check:
    """A check whose bare names that begin with a monitor's are its windows': `flights.auc` is `window(flights).auc`.

    A name that the run has as a metric stays the run's.
    """
    names = sorted(monitors, key=len, reverse=True)

    def seen(term: Term) -> Term:
        match term:
            case Quantity("", key) if key not in metrics:
                fits = next((name for name in names if key.startswith(f"{name}.") and len(key) > len(name) + 1), None)
                return term if fits is None else Quantity("window", fits, key[len(fits) + 1 :])
            case Negative(inner):
                return Negative(seen(inner))
            case Arithmetic(sign, left, right):
                return Arithmetic(sign, seen(left), seen(right))
            case _:
                return term

    return Check(seen(check.left), check.comparator, seen(check.right))


def monitors_of(gate: GateConfig, names: Collection[str]) -> list[str] | None:
    """The monitors a gate is about; None where it is about a run, or cannot be read."""
    try:
        check = of_monitors(parse_check(gate.check), names, ())
    except WhereError:
        return None
    terms = [*quantities(check.left), *quantities(check.right)]
    if not terms or any(term.function not in PRODUCTION for term in terms):
        return None
    fitting = [max((n for n in names if term.key == n or term.key.startswith(f"{n}.")), key=len, default=term.key)
               for term in terms]  # fmt: skip
    return list(dict.fromkeys(fitting))
