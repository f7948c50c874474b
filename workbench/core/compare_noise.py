"""What chance alone does to a metric: the spread between runs that differ only in their seed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from workbench.core.compare_values import Values
from workbench.core.model import Run
from workbench.core.roles import words_of

_PLACES = frozenset(("dir", "path", "folder", "file", "filename", "root", "name", "id"))
_OWNED = frozenset((
    "output", "out", "log", "logs", "logging", "save", "checkpoint", "checkpoints", "ckpt", "run", "wandb",
    "tensorboard", "results",
))  # fmt: skip
_LEAST_FREEDOM = 2


class Noise(Struct, frozen=True):
    """How far two runs of the same settings come to lie apart, in the metric's unit."""

    deviation: float
    """Standard deviation between seeds, pooled over the groups."""
    freedom: int
    """Degrees of freedom: runs less groups."""
    groups: int

    @property
    def threshold(self) -> float:
        """Two single runs that differ in their seed alone lie closer than this 95 times of 100."""
        return t_quantile(self.freedom) * self.deviation * math.sqrt(2)


@lru_cache(maxsize=4_096)
def is_seed(key: str) -> bool:
    """Whether a parameter only says which random numbers were drawn: `seed`, `data/seed`, `random_state`, `rng`."""
    words = words_of(key)
    if any(word.endswith("seed") or word == "rng" for word in words):
        return True
    return ("random", "state") in pairwise(words)


def settings_of(run: Run) -> Mapping[str, Any]:
    """A run's parameters without its seed and the places it writes to, with the commit it was made from."""
    kept = {key: value for key, value in run.params.items() if not is_seed(key) and not is_own_place(key)}
    commit = flat(run.environment).get("git.commit")
    return kept if commit is None else {**kept, "git.commit": commit}


def repeats_of(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs that differ in nothing but their seed, two or more to a group; those under way or failed are left out."""
    groups: dict[tuple[tuple[str, object], ...], list[Run]] = {}
    for run in runs:
        if run.status not in ("running", "failed") and any(is_seed(key) for key in run.params):
            groups.setdefault(signature(settings_of(run)), []).append(run)
    return [group for group in groups.values() if len({_seeds(run) for run in group}) > 1]


def noise_of(key: str, groups: Sequence[Sequence[Run]], values: Values, near: Collection[str] = ()) -> Noise | None:
    """The noise of a metric, by the groups that the runs in `near` belong to where they have enough seeds, else by all.

    None where no group has two values.
    """
    own = [group for group in groups if any(run.id in near for run in group)]
    found = _pooled(key, own, values)
    if found is None or found.freedom < _LEAST_FREEDOM:
        return _pooled(key, groups, values) or found
    return found


def _pooled(key: str, groups: Sequence[Sequence[Run]], values: Values) -> Noise | None:
    squares, freedom, used = 0.0, 0, 0
    for group in groups:
        known = [value for run in group if (value := values.get((run.id, key))) is not None and math.isfinite(value)]
        if len(known) > 1:
            mean = math.fsum(known) / len(known)
            squares += math.fsum((value - mean) ** 2 for value in known)
            freedom, used = freedom + len(known) - 1, used + 1
    return Noise(math.sqrt(squares / freedom), freedom, used) if freedom else None


def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, by Cornish and Fisher's series from 5 degrees of freedom on."""
    if freedom < 5:
        return (12.706, 4.303, 3.182, 2.776)[max(int(freedom), 1) - 1]
    z = 1.959964
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values under names with dots: `git.commit`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def signature(params: Mapping[str, Any]) -> tuple[tuple[str, object], ...]:
    """Parameters in a form that is equal where they are: 1 and 1.0 are the same, True and 1 are not."""
    return tuple((key, same_as(params[key])) for key in sorted(params))


def same_as(value: Any) -> object:
    """A value in a form that is equal, and hashes alike, where two values count as the same."""
    if isinstance(value, bool):
        return "yes" if value else "no", bool
    if isinstance(value, int | float | str):
        return value if value == value else "NaN"  # noqa: PLR0124 - NaN equals nothing, itself included
    return repr(value)


def _seeds(run: Run) -> object:
    return signature({key: value for key, value in run.params.items() if is_seed(key)})


@lru_cache(maxsize=4_096)
def is_own_place(key: str) -> bool:
    """Whether a parameter says where, or under which name, this run alone writes: `output_dir`, `run_name`."""
    words = set(words_of(key))
    return bool(words & _OWNED and words & _PLACES) or bool(words & {"logdir", "outdir", "savedir"})
