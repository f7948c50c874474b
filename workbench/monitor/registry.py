"""Evidently's methods that give the same score twice, under its names, and which of them is used for what."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field, structs

from workbench.core.config import nearest
from workbench.monitor.methods import (
    CHI_SQUARE,
    JENSEN_SHANNON,
    KOLMOGOROV_SMIRNOV,
    WASSERSTEIN,
    Z_TEST,
    Method,
)
from workbench.monitor.plugin_tests import plugin_method, plugin_tests
from workbench.monitor.tables import DriftInputError

PSI = Method("PSI", 0.1, "score >= threshold", "psi")
KULLBACK_LEIBLER = Method("Kullback-Leibler divergence", 0.1, "score >= threshold", "kl_div")
HELLINGER = Method("Hellinger distance", 0.1, "score >= threshold", "hellinger")
ENERGY = Method("Energy-distance", 0.1, "score > threshold", "ed", categories=False)
ANDERSON_DARLING = Method("Anderson-Darling", 0.1, "score < threshold", "anderson", categories=False)
CRAMER_VON_MISES = Method("Cramer-von Mises", 0.1, "score <= threshold", "cramer_von_mises", categories=False)
T_TEST = Method("t_test", 0.05, "score < threshold", "t_test", categories=False)
MANN_WHITNEY = Method("Mann-Whitney U-rank test", 0.05, "score < threshold", "mannw", categories=False)
EPPS_SINGLETON = Method("Epps-Singleton", 0.05, "score < threshold", "es", categories=False)
G_TEST = Method("g_test", 0.1, "score < threshold", "g_test", numbers=False)
FISHER_EXACT = Method("Fisher's Exact test", 0.1, "score < threshold", "fisher_exact", numbers=False)

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.key: method
        for method in (
            WASSERSTEIN, KOLMOGOROV_SMIRNOV, JENSEN_SHANNON, PSI, KULLBACK_LEIBLER, HELLINGER, ENERGY,
            ANDERSON_DARLING, CRAMER_VON_MISES, T_TEST, MANN_WHITNEY, EPPS_SINGLETON,
            CHI_SQUARE, Z_TEST, G_TEST, FISHER_EXACT,
        )
    }
)  # fmt: skip
"""By Evidently's name; its `TVD`, `empirical_mmd` and text methods draw at random and are left out."""
BY_NAME: Mapping[str, Method] = MappingProxyType({method.name: method for method in METHODS.values()})
_RANDOM = {"TVD", "empirical_mmd", "perc_text_content_drift", "abs_text_content_drift"}


class MethodChoice(Struct, frozen=True):
    """Which methods and thresholds to use; empty is the default. A column's own come first, then its type's.

    Methods are keys of `METHODS`, or names of plugins' drift tests.
    """

    method: str | None = None
    num_method: str | None = None
    cat_method: str | None = None
    column_methods: Mapping[str, str] = field(default_factory=dict)
    threshold: float | None = None
    num_threshold: float | None = None
    cat_threshold: float | None = None
    column_thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in (self.method, self.num_method, self.cat_method, *self.column_methods.values()):
            if key is not None:
                named_method(key)

    def of(self, column: str, categories: bool, default: Method) -> Method:
        """The method of one column with the threshold of its verdict; it may be one for the other type."""
        key = self.column_methods.get(column) or (self.cat_method if categories else self.num_method) or self.method
        method = named_method(key) if key else default
        by_type = self.cat_threshold if categories else self.num_threshold
        threshold = self.column_thresholds.get(column, self.threshold if by_type is None else by_type)
        return method if threshold is None else structs.replace(method, threshold=threshold)


EVIDENTLYS_CHOICE = MethodChoice()


def named_method(key: str) -> Method:
    """The method of that name.

    Raises:
        DriftInputError: there is none, or it draws at random.
    """
    if key in METHODS:
        return METHODS[key]
    if (added := plugin_method(key)) is not None:
        return added
    if key in _RANDOM:
        raise DriftInputError(f"method {key!r} draws at random: its score changes from run to run; {_others()}")
    raise DriftInputError(f"no method {key!r}{nearest(key, [*METHODS, *plugin_tests()])}; {_others()}")


def unfit(method: Method, categories: bool) -> str:
    """Why a method cannot score a column, what to do, or nothing where it can."""
    if method.categories if categories else method.numbers:
        return ""
    other, option = ("numbers", "--cat-method") if categories else ("categories", "--num-method")
    values = "categories" if categories else "numbers"
    return f"{method.key} is for {other}, the column holds {values}: name a method for these with {option}"


def _others() -> str:
    return f"there are: {', '.join([*METHODS, *plugin_tests()])}"
