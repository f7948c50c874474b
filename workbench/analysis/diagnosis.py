"""What is wrong with a run, in plain words, from its curves alone; pure, and quick enough to ask of every run.

Rules are made to keep quiet: each is tried on healthy curves of many shapes, see `tests/analysis`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from workbench.analysis.diagnosis_broken import diverged, not_finite, spiked
from workbench.analysis.diagnosis_curves import Course, Curve, courses
from workbench.analysis.diagnosis_pace import gpu_idle, is_gpu_use
from workbench.analysis.diagnosis_progress import VALIDATION, overfitting, pairs, plateaued
from workbench.core.model import Finding
from workbench.core.roles import words_of

__all__ = ["ENGINE", "Curve", "diagnose", "is_judged", "worst_first"]

ENGINE = 2
"""Raise it when the same curves give other findings: runs are judged again."""
_OPPOSED = frozenset(
    {
        "kl", "kld", "policy", "value", "vf", "critic", "actor", "entropy", "adv", "adversarial", "gen", "generator",
        "disc", "discriminator", "d", "g", "real", "fake", "alpha", "commit", "commitment", "vq", "codebook", "reg",
        "regularization", "regularisation", "l1", "l2", "aux", "penalty", "gp", "moe", "router", "balance",
    }
)  # fmt: skip
"""Words of losses that rise or swing in healthy runs, since something else works against them."""
_ORDER = ("not-finite", "diverged", "overfitting", "silent", "slow", "gpu-idle", "plateaued", "spiked")
_SEVERITIES = ("bad", "warn", "info")
_ALSO = 5


def is_judged(key: str, kind: str, direction: str | None) -> bool:
    """Whether a metric says something of a run's health: what is to get better, gradients, the rate, use of a GPU."""
    words = set(words_of(key))
    if kind == "performance":
        return direction is not None
    return bool({"grad", "gradnorm", "gradient", "lr", "learning"} & words) or is_gpu_use(key)


def diagnose(curves: Sequence[Curve], active_until: float | None = None) -> list[Finding]:
    """Findings on one run, the worst first; `active_until` is when it last said anything.

    Metrics that tell the same tell it once: the first of them, the others as `also` in its evidence.
    """
    with np.errstate(all="ignore"):  # values near the ends of what doubles hold are logged, too
        return worst_first(_once(_every(curves, active_until)))


def _every(curves: Sequence[Curve], active_until: float | None) -> list[Finding]:
    """What each rule finds in each metric."""
    others = [curve for curve in curves if curve.roles.kind != "performance"]
    told = [curve for curve in curves if curve.roles.kind == "performance" and len(curve.value)]
    found = _those(not_finite(curve, others) for curve in (*told, *others) if len(curve.value))
    broken = {finding.subject for finding in found if finding.until is None}
    judged = courses(curve for curve in told if curve.key not in broken and not _is_opposed(curve.key))
    paired = pairs(judged)
    found += (overfit := _those(overfitting(train, val) for train, val in paired))
    skipped = {finding.subject for finding in overfit}
    found += (went := _those(_diverged(one, paired) for one in judged if one.curve.key not in skipped))
    skipped |= {finding.subject for finding in went}
    found += _those(spiked(one) for one in judged)
    found += _those(plateaued(one) for one in judged if one.curve.key not in skipped)
    found += _those(gpu_idle(curve, active_until) for curve in others if is_gpu_use(curve.key))
    return found


def _those(maybe: Iterable[Finding | None]) -> list[Finding]:
    return [finding for finding in maybe if finding is not None]


def _is_opposed(key: str) -> bool:
    return bool(_OPPOSED & set(words_of(key)))


def _diverged(one: Course, paired: Sequence[tuple[Course, Course]]) -> Finding | None:
    """Divergence; of a validation metric alone it may be overfitting that nobody can tell without the training's."""
    found = diverged(one)
    if found is None or not VALIDATION & set(words_of(one.curve.key)):
        return found
    if any(val is one for _, val in paired):
        return found
    words = f"{found.sentence}; without a training metric, this may be overfitting"
    return replace(found, severity="warn", sentence=words)


def _once(found: Sequence[Finding]) -> list[Finding]:
    """One finding a kind and state: the worst, then the earliest; what says the same of others goes along."""
    groups: dict[tuple[str, bool], list[Finding]] = {}
    for each in found:
        groups.setdefault((each.kind, each.until is None), []).append(each)
    kept = []
    for group in groups.values():
        first, *rest = sorted(group, key=_earliest)
        also = [{"subject": each.subject, "step": each.evidence.get("step")} for each in rest]
        kept.append(replace(first, evidence={**first.evidence, "also": also[:_ALSO]}) if also else first)
    return kept


def _earliest(finding: Finding) -> tuple[int, float, str]:
    step = finding.evidence.get("step")
    return _SEVERITIES.index(finding.severity), float(step) if isinstance(step, int) else 0.0, finding.subject


def worst_first(found: Sequence[Finding]) -> list[Finding]:
    """What goes on before what is over, the worst before the others, what breaks a run before what slows it."""
    return sorted(
        found,
        key=lambda each: (
            each.until is not None,
            _SEVERITIES.index(each.severity),
            _ORDER.index(each.kind) if each.kind in _ORDER else len(_ORDER),
        ),
    )
