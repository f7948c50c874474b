"""One score from one method and two samples: where the methods of numbers and of categories come together."""

from __future__ import annotations

import math

import numpy as np

from workbench.monitor.binned import divergence, divergence_of_numbers
from workbench.monitor.hypotheses import (
    NotDefined,
    anderson_darling,
    cramer_von_mises,
    energy_distance,
    epps_singleton,
    mann_whitney,
    t_test,
)
from workbench.monitor.joint import Joint, join_numbers
from workbench.monitor.methods import (
    CHI_SQUARE,
    JENSEN_SHANNON,
    KOLMOGOROV_SMIRNOV,
    WASSERSTEIN,
    Z_TEST,
    Method,
    Numbers,
    Tally,
    chi_square,
    score_numbers,
    z_test,
)
from workbench.monitor.plugin_tests import categories_by_plugin, plugin_tests, score_by_plugin
from workbench.monitor.registry import (
    ANDERSON_DARLING,
    CRAMER_VON_MISES,
    ENERGY,
    EPPS_SINGLETON,
    FISHER_EXACT,
    G_TEST,
    HELLINGER,
    KULLBACK_LEIBLER,
    MANN_WHITNEY,
    PSI,
    T_TEST,
)

_TESTS = {
    ENERGY.key: energy_distance,
    ANDERSON_DARLING.key: anderson_darling,
    CRAMER_VON_MISES.key: cramer_von_mises,
    T_TEST.key: t_test,
    MANN_WHITNEY.key: mann_whitney,
    EPPS_SINGLETON.key: epps_singleton,
}
QUICK = frozenset({WASSERSTEIN.key, KOLMOGOROV_SMIRNOV.key})
"""Methods of numbers that have quicker ways than counting every value."""
DIVERGENCES = frozenset({PSI.key, KULLBACK_LEIBLER.key, HELLINGER.key, JENSEN_SHANNON.key})


def score_held(method: Method, reference: Numbers, current: Numbers) -> float:
    """Score two samples of numbers held in memory by any method for numbers."""
    if method.key in QUICK:
        return score_numbers(method, reference, current)
    return score_joint(method, join_numbers(reference, current))


def score_joint(method: Method, joint: Joint) -> float:
    """Score numbers by any method but the two that have quicker ways of their own.

    Raises:
        NotDefined: the method has no answer for these samples.
    """
    if method.key in DIVERGENCES:
        try:
            return divergence_of_numbers(method, joint)
        except OverflowError as error:
            raise NotDefined(str(error)) from error
    test = _TESTS.get(method.key)
    return test(joint) if test is not None else score_by_plugin(method, joint)


def score_categories(method: Method, tally: Tally) -> float:
    """Score categories by any method for them.

    Raises:
        NotDefined: the method has no answer for these samples.
    """
    if method.key in DIVERGENCES:
        return divergence(method, tally)
    if method.key in plugin_tests():
        return categories_by_plugin(method, tally)
    if method.key == CHI_SQUARE.key:
        return chi_square(tally)
    if method.key == Z_TEST.key:
        return z_test(tally)
    return g_test(tally) if method.key == G_TEST.key else fisher_exact(tally)


def g_test(tally: Tally) -> float:
    """P-value of the likelihood ratio of the current counts to the reference's; both must have as many rows."""
    _require_as_many(tally, G_TEST)
    from scipy.special import chdtrc, xlogy

    with np.errstate(divide="ignore"):
        terms = xlogy(tally.current, tally.current / tally.reference)
    return float(chdtrc(len(tally) - 1, 2 * float(np.sum(terms))))


def fisher_exact(tally: Tally) -> float:
    """Two-sided p-value of Fisher's exact test of two categories; both sides must have as many rows."""
    if len(tally) > 2:
        raise NotDefined(f"{FISHER_EXACT.name} is for two categories, the column has {len(tally):,}")
    _require_as_many(tally, FISHER_EXACT)
    if len(tally) == 1:
        return 1.0
    from scipy.stats import fisher_exact as scipys

    return float(scipys(np.array([tally.current, tally.reference]))[1])


def _require_as_many(tally: Tally, method: Method) -> None:
    n, m = int(tally.reference.sum()), int(tally.current.sum())
    if not math.isclose(n, m, rel_tol=1e-8):
        raise NotDefined(f"{method.name} needs as many reference as current values, not {n:,} and {m:,}")
