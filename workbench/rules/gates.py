"""Gates: an expression judged on the newest visible run, passed, failed, or unanswerable and therefore failed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from workbench.core.compare import baseline_of
from workbench.core.config import GateConfig, MonitorConfig
from workbench.core.gates import GateResult, failing_first
from workbench.core.model import Run
from workbench.core.moments import window_name
from workbench.core.query import Query
from workbench.core.roles import guess
from workbench.core.units import number
from workbench.core.where import WhereError, parse, unknown_keys
from workbench.rules.asked import of_monitors
from workbench.rules.expression import (
    PRODUCTION,
    Check,
    Comparator,
    Quantity,
    Term,
    has_baseline,
    quantities,
)
from workbench.rules.expression import parse as parse_check
from workbench.rules.measure import Measure, Value
from workbench.rules.production import Production
from workbench.rules.unanswerable import Unanswerable


def evaluate(
    gate: GateConfig, query: Query, runs: Sequence[Run] | None = None, *, baseline: str | None = None,
    production: Production | None = None,
) -> GateResult:  # fmt: skip
    """Judge one gate; whatever keeps it from being judged makes it fail, with the reason and the next step.

    `runs` are the visible runs, newest first, to spare asking for them once a gate; `baseline` is the id of the run
    that `baseline` stands for, the chosen one by default; `production` is what is known of the monitors.
    """
    result = GateResult(gate.name, gate.check, False, None, None, "")
    asked = production.afresh() if production is not None else Production(query)
    try:
        newest = query.runs() if runs is None else runs
        check = of_monitors(parse_check(gate.check), asked.names, newest[0].metrics if newest else ())
        terms = [*quantities(check.left), *quantities(check.right)]
        monitors = _monitors(terms, asked)
        run = _judged_run(gate, query, newest) if any(term.function not in PRODUCTION for term in terms) else None
        subject = ", ".join([*([f"run {run.name}"] if run else []), *(f"monitor {name}" for name in monitors)])
        result = replace(result, subject=subject, run=run.id if run else "")
        result = replace(result, monitor=monitors[-1], panel=_panel(terms)) if monitors else result
        return _judge(result, check, query, asked, run=run, runs=newest, baseline=baseline)
    except WhereError as error:
        place = f" (at character {error.position + 1} of {error.text!r})" if error.text else ""
        return replace(result, message=f"cannot be read: {error.message}{place}")
    except Unanswerable as error:
        return replace(result, message=f"cannot be evaluated: {error}")


def evaluate_all(
    gates: Iterable[GateConfig], query: Query, *, baseline: str | None = None,
    monitors: Mapping[str, MonitorConfig] | None = None, now: float | None = None,
) -> list[GateResult]:  # fmt: skip
    """Judge gates on one look at the runs; the failing ones come first, otherwise in their order.

    `monitors` say how many rows a window needs, `now` which windows are closed: all of them by default.
    """
    listed = list(gates)
    runs = query.runs() if listed else []
    production = Production(query, monitors, now) if listed else None
    return failing_first([evaluate(gate, query, runs, baseline=baseline, production=production) for gate in listed])


def _monitors(terms: Sequence[Quantity], production: Production) -> list[str]:
    asked = [term for term in terms if term.function in PRODUCTION]
    names = [production.split(term.key)[0] if term.function == "missing" else term.key for term in asked]
    return list(dict.fromkeys(names))


def _judged_run(gate: GateConfig, query: Query, runs: Sequence[Run] | None) -> Run:
    """The newest visible run, or the newest that matches the gate's `where`."""
    if not gate.where:
        candidates = query.runs() if runs is None else runs
        if not candidates:
            raise Unanswerable("there is no visible run – read the logs with: workbench watch --once")
        return candidates[0]
    candidates = query.runs(gate.where)
    if candidates:
        return candidates[0]
    unknown = unknown_keys(parse(gate.where), query.runs() if runs is None else runs)
    hints = [f"no run has {key!r}" + (f", did you mean {near!r}?" if near else "") for key, near in unknown.items()]
    raise Unanswerable("; ".join([f"no visible run matches where = {gate.where!r}", *hints]))


def _panel(terms: Sequence[Quantity]) -> str:
    """Where more is said of what a gate measures in production."""
    asked = [term for term in terms if term.function in PRODUCTION]
    if any(term.function == "drift" for term in asked):
        return "drift"
    return "latency" if any(guess(term.part).kind == "latency" for term in asked) else "windows"


def _judge(
    result: GateResult, check: Check, query: Query, production: Production, *, run: Run | None, runs: Sequence[Run],
    baseline: str | None,
) -> GateResult:  # fmt: skip
    measure = Measure(query, run, production)
    base: tuple[Run, float] | None = None
    if has_baseline(check.left) or has_baseline(check.right):
        measured = check.right if has_baseline(check.left) else check.left
        base = _baseline_value(query, measured, runs, baseline)
        measure = Measure(query, run, production, base[1])
    left, right = measure.value(check.left), measure.value(check.right)
    passed = _holds(left, check.comparator, right)
    turned = has_baseline(check.left) or not list(quantities(check.left))
    value, limit = (right, left) if turned else (left, right)
    message = _message(check, left, right, production, passed=passed, base=base, run=run)
    return replace(result, passed=passed, value=_float(value), limit=_float(limit), message=message)


def _baseline_value(query: Query, measured: Term, runs: Sequence[Run], chosen: str | None) -> tuple[Run, float]:
    """The other side's quantity, measured on the baseline run."""
    if not list(quantities(measured)):
        raise Unanswerable("baseline needs a metric on the other side, as in val/loss <= 1.1 * baseline")
    if any(term.function in PRODUCTION for term in quantities(measured)):
        raise Unanswerable("drift and windows belong to a monitor, so a baseline run has none of them")
    run = (None if chosen else baseline_of(runs)) or baseline_of(query.runs(hidden=True), chosen)
    if run is None:
        raise Unanswerable("no baseline is set – choose one with: workbench baseline RUN")
    try:
        return run, Measure(query, run, Production(query)).number(measured)
    except Unanswerable as error:
        raise Unanswerable(f"of the baseline: {error}") from error


def _holds(left: Value, comparator: Comparator, right: Value) -> bool:
    """Whether a comparison holds; equality of numbers allows for the last digits, and NaN never holds."""
    if isinstance(left, str) or isinstance(right, str):
        if comparator not in ("==", "!="):
            raise Unanswerable(f"text cannot be ordered: {left!r} {comparator} {right!r}")
        return (str(left) == str(right)) is (comparator == "==")
    if math.isnan(left) or math.isnan(right):
        return False
    if comparator in ("==", "!="):
        return math.isclose(left, right, rel_tol=1e-9) is (comparator == "==")
    if comparator in ("<", "<="):
        return left < right or (comparator == "<=" and left == right)
    return left > right or (comparator == ">=" and left == right)


def _float(value: Value) -> float | None:
    return None if isinstance(value, str) else value


def _shown(value: Value) -> str:
    return repr(value) if isinstance(value, str) else number(value, 6)


def _message(
    check: Check, left: Value, right: Value, production: Production, *, passed: bool, base: tuple[Run, float] | None,
    run: Run | None,
) -> str:  # fmt: skip
    """What was compared, in numbers: `12.4 is not <= 11`, with the window, the baseline, and what is known of it."""
    verb = "is" if passed else "is not"
    windows = dict.fromkeys(window_name(window) for window in production.judged.values())
    place = f" in the window of {', '.join(windows)}" if windows else ""
    parts = [f"{_shown(left)} {verb} {check.comparator} {_shown(right)}{place}", *production.remarks]
    if base is not None:
        own = " (the judged run itself)" if run is not None and run.id == base[0].id else ""
        parts.append(f"the baseline {base[0].name} has {_shown(base[1])}{own}")
    if run is not None and run.status == "running":
        parts.append("the run is still going on")
    if not passed:
        parts += _known(check, production)
    return "; ".join(parts)


def _known(check: Check, production: Production) -> list[str]:
    """The findings on what failed: what, and since when."""
    found = []
    for term in (*quantities(check.left), *quantities(check.right)):
        match term:
            case Quantity("window", monitor, key):
                found.append(production.sentence(monitor, key))
            case Quantity("drift", monitor):
                found.append(production.sentence(monitor, "drift"))
            case Quantity("missing", target):
                monitor, column = production.split(target)
                found.append(
                    production.sentence(monitor, f"quality.missing.{column}") or production.sentence(monitor, column)
                )
            case Quantity("findings", monitor):
                window = production.judged.get(monitor)
                found += [each.sentence for each in production.going_on(monitor, window.end)[:3]] if window else []
    return list(dict.fromkeys(sentence for sentence in found if sentence))
