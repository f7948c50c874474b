"""Drift tests of plugins, as methods beside Evidently's: same names on the command line, same verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.hypotheses import NotDefined
from workbench.monitor.joint import Joint
from workbench.monitor.methods import Method, Tally
from workbench.plugin.box import answer_of, caught_output, reason_of
from workbench.plugin.discovery import Loaded, loaded_drift_tests

MOST_VALUES = 10_000_000
"""Values on both sides together that a plugin's test is given: it gets them whole."""


def plugin_tests() -> Mapping[str, Loaded]:
    """Every plugin's drift test, by name."""
    return loaded_drift_tests()


def plugin_method(key: str) -> Method | None:
    """A plugin's drift test as a method; None where no plugin has one of that name."""
    found = plugin_tests().get(key)
    if found is None:
        return None
    test, numbers = found.made, found.made.of == "numbers"
    if test.p_value:
        return Method(test.title, test.threshold, "score <= threshold", key, numbers, not numbers)
    return Method(test.title, test.threshold, "score >= threshold", key, numbers, not numbers)


def score_by_plugin(method: Method, joint: Joint) -> float:
    """Score two samples of numbers, each given whole and sorted.

    Raises:
        NotDefined: they are too many, or the test raises, takes too long or gives no number.
    """
    if joint.n + joint.m > MOST_VALUES:
        raise NotDefined(f"a plugin's test gets at most {MOST_VALUES:,} values, there are {joint.n + joint.m:,}")
    blocks = list(joint.blocks())
    left, right = (
        np.concatenate([np.repeat(block.values, getattr(block, side).astype(np.int64)) for block in blocks])
        for side in ("left", "right")
    )
    return _asked(method, left, right)


def categories_by_plugin(method: Method, tally: Tally) -> float:
    """Score counts of categories.

    Raises:
        NotDefined: the test raises, takes too long or gives no number.
    """
    return _asked(method, tally.reference.astype(np.float64), tally.current.astype(np.float64))


def _asked(method: Method, reference: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    found = plugin_tests()[method.key]
    try:
        with caught_output(found.plugin.words):
            score = answer_of(lambda: found.made(reference, current))
    except (Exception, SystemExit) as error:
        words, place = reason_of(error)
        raise NotDefined(f"{found.plugin.words} failed: {words}{f' ({place})' if place else ''}") from error
    if isinstance(score, bool) or not isinstance(score, int | float | np.number) or not math.isfinite(score):
        raise NotDefined(f"{found.plugin.words} gave {score!r} instead of a number")
    return float(score)
