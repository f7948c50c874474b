"""How fast a run goes: its usual gap, its pace, and GPUs that wait for it."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from msgspec import Struct

from workbench.analysis.diagnosis_curves import Curve, Floats, Steps
from workbench.core import units
from workbench.core.model import Finding
from workbench.core.roles import words_of
from workbench.core.timely import sureness

_IDLE = 0.1
_WAITING = 20
"""Samples, and ten minutes, that a GPU must have been idle."""
_LONG_ENOUGH = 600.0
_USED = frozenset({"util", "utilization", "utilisation", "usage", "load", "busy"})
_NOT_USE = frozenset({"memory", "mem", "temp", "temperature", "power", "watts", "clock", "fan", "allocated", "bytes"})


class Rhythm(Struct, frozen=True):
    """How often a run says something, and how fast it goes."""

    gap: float | None = None
    """Usual seconds between two points; None where points carry no times."""
    pace: float | None = None
    """Steps a second, pauses aside."""


def rhythm(step: Steps, wall: Floats) -> Rhythm:
    """The rhythm of a series, of its whole length."""
    from workbench.core.progress import pace

    known = np.isfinite(wall)
    gaps = np.diff(np.sort(wall[known]))
    gaps = gaps[gaps > 0]
    if len(gaps) < 3:
        return Rhythm()
    return Rhythm(float(np.median(gaps)), pace(step, wall))


@lru_cache(maxsize=4096)
def is_gpu_use(key: str) -> bool:
    """Whether a metric is how much of a GPU is used: `system/gpu.0.gpu`, `gpu_util`, `GPU 1 utilization`."""
    words = words_of(re.sub(r"(\d+)", r" \1 ", key))
    named = [word for word in words if word in ("gpu", "gpus", "cuda", "nvidia")]
    if not named or _NOT_USE & set(words):
        return False
    return bool(_USED & set(words)) or (len(named) > 1 and words[-1] == "gpu") or words in (["gpu"], ["system", "gpu"])


def gpu_idle(curve: Curve, active_until: float | None) -> Finding | None:
    """A GPU that did next to nothing for the last ten minutes or more, while its run went on saying something."""
    known = np.isfinite(curve.value) & np.isfinite(curve.wall)
    value, wall = curve.value[known], curve.wall[known]
    if len(value) < _WAITING:
        return None
    share = value / (100.0 if float(value.max()) > 1.0 else 1.0)
    busy = np.flatnonzero(share >= _IDLE)
    start = int(busy[-1]) + 1 if len(busy) else 0
    idle, seconds = share[start:], float(wall[-1] - wall[min(start, len(wall) - 1)])
    whole = float(np.median(share)) < _IDLE and float(np.mean(share < _IDLE)) > 0.8
    if whole:
        start, idle, seconds = 0, share, float(wall[-1] - wall[0])
    if len(idle) < _WAITING or seconds < _LONG_ENOUGH:
        return None
    if active_until is not None and active_until < float(wall[start]) + _LONG_ENOUGH:
        return None
    place = int(np.flatnonzero(known)[start])
    step, since = curve.at(place)
    median = float(np.median(idle))
    said = f"{curve.key} is idle: {units.percent(median)} in the median for {units.duration(seconds)}"
    evidence = {
        "step": step,
        "median": median,
        "seconds": seconds,
        "before": float(np.median(share[:start])) if start else None,
    }
    sure = sureness(min(seconds / _LONG_ENOUGH, len(idle) / _WAITING))
    return Finding("gpu-idle", curve.key, "warn", said, since, None, sure, evidence)
