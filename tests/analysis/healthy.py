"""Healthy runs of many shapes, each from its seed: what no rule of the diagnosis may speak up about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.diagnosis import Curve
from workbench.core.roles import guess

Floats = NDArray[np.float64]
Random = np.random.Generator
BEGAN = 1_767_600_000.0


def curve(key: str, value: Floats, *, every: int = 1, seconds: float = 2.0) -> Curve:
    """A curve with a value every so many steps, each step as long as the others."""
    step = np.arange(len(value), dtype=np.int64) * every
    value = np.asarray(value, np.float64)
    broken = int((~np.isfinite(value)).sum())
    return Curve(key, guess(key), step, BEGAN + seconds * step, value, n=len(value), broken=broken)


def _noise(random: Random, n: int) -> Floats:
    """Normal, heavy-tailed, skewed or correlated noise of about standard deviation 1."""
    kind = random.integers(4)
    if kind == 0:
        return random.normal(size=n)
    if kind == 1:
        return random.standard_t(4, size=n) / np.sqrt(2)
    if kind == 2:
        return (random.gamma(3, 1, size=n) - 3) / np.sqrt(3)
    drift = random.normal(size=n)
    rho = random.uniform(0.3, 0.8)
    for at in range(1, n):
        drift[at] = rho * drift[at - 1] + np.sqrt(1 - rho * rho) * drift[at]
    return drift


def _points(random: Random) -> int:
    """From a handful to several thousand, as many of each size."""
    return int(np.exp(random.uniform(np.log(20), np.log(4000))))


def sgd_loss(random: Random) -> list[Curve]:
    """A loss that falls as a power or exponentially, noise on top, its validation beside it or not."""
    n = _points(random)
    t = np.arange(n) / n
    floor, height = random.uniform(0.01, 2), random.uniform(0.5, 8)
    if random.random() < 0.5:
        fall = (1 + 200 * t) ** -random.uniform(0.3, 0.8)
    else:
        fall = np.exp(-t * random.uniform(2, 8))
    clean = floor + height * fall
    loss = clean * np.exp(random.uniform(0.005, 0.15) * _noise(random, n))
    if random.random() < 0.5:
        return [curve("train/loss", loss)]
    few = max(5, n // int(random.integers(5, 40)))
    at = np.linspace(0, n - 1, few).astype(int)
    val = (clean[at] + random.uniform(0, 0.3) * floor) * np.exp(random.uniform(0.002, 0.05) * _noise(random, few))
    return [curve("train/loss", loss), curve("val/loss", val, every=max(1, n // few))]


def cosine_lr(random: Random) -> list[Curve]:
    """Warm-up, then a cosine: the loss rises a little at first, and its noise goes with the rate."""
    n = _points(random)
    t = np.arange(n) / n
    warm = random.uniform(0.01, 0.1)
    rate = np.minimum(t / warm, 1.0) * 0.5 * (1 + np.cos(np.pi * t))
    clean = 1.5 + 3 * np.exp(-t * 5) + 0.5 * rate * random.uniform(0, 1) - 0.3 * t
    clean[: int(warm * n)] += random.uniform(0, 0.4) * np.sin(np.linspace(0, np.pi, int(warm * n)))
    loss = clean + (0.02 + 0.15 * rate) * random.uniform(0.2, 1) * _noise(random, n)
    return [curve("loss", loss), curve("lr", 1e-3 * rate)]


def warm_restarts(random: Random) -> list[Curve]:
    """The rate jumps up again and again, and the loss with it."""
    n = max(60, _points(random))
    t = np.arange(n) / n
    cycles = int(random.integers(2, 6))
    phase = (t * cycles) % 1.0
    clean = 0.4 + 2 * np.exp(-6 * t) + random.uniform(0.05, 0.3) * 0.5 * (1 + np.cos(np.pi * phase)) * (t > 0.02)
    return [curve("train_loss", clean + random.uniform(0.005, 0.04) * _noise(random, n))]


def top_accuracy(random: Random) -> list[Curve]:
    """An accuracy that reaches its top early and stays there."""
    n = _points(random)
    t = np.arange(n) / n
    top = random.uniform(0.9, 0.999)
    clean = top - (top - random.uniform(0.1, 0.5)) * np.exp(-t * random.uniform(5, 60))
    value = np.clip(clean + random.uniform(0.0005, 0.03) * _noise(random, n) * (1.02 - clean), 0, 1)
    return [curve("val/accuracy", value)]


def slow_accuracy(random: Random) -> list[Curve]:
    """An accuracy that goes on improving to the end, by little, with its training's far above it."""
    n = _points(random)
    t = np.arange(n) / n
    val = random.uniform(0.1, 0.3) + random.uniform(0.2, 0.5) * (t + 0.02) ** random.uniform(0.2, 0.6)
    train = np.clip(val + 0.3 * t, 0, 1)
    spread = random.uniform(0.002, 0.03)
    return [
        curve("train/accuracy", np.clip(train + spread * _noise(random, n), 0, 1)),
        curve("val/accuracy", np.clip(val + spread * _noise(random, n), 0, 1)),
    ]


def opponents(random: Random) -> list[Curve]:
    """Losses that swing around a level, as of networks that play against each other."""
    n = max(40, _points(random))
    t = np.arange(n) / n
    swings = random.uniform(4, 40)
    phase = random.uniform(0, 2 * np.pi) + 0.5 * np.cumsum(random.normal(size=n)) / np.sqrt(n)
    swing = np.sin(2 * np.pi * swings * t + phase) * random.uniform(0.1, 0.5)
    level = random.uniform(0.8, 1.5) + random.uniform(0, 1) * np.exp(-20 * t)
    loss = np.maximum(level + swing + random.uniform(0.02, 0.2) * _noise(random, n), 0.01)
    return [curve("loss_a" if random.random() < 0.5 else "train/loss", loss)]


def step_drops(random: Random) -> list[Curve]:
    """The rate falls tenfold twice or thrice, and the loss falls with it."""
    n = max(40, _points(random))
    t = np.arange(n) / n
    clean = 0.5 + 2 * np.exp(-12 * t)
    for at in np.sort(random.uniform(0.25, 0.9, int(random.integers(1, 4)))):
        clean = clean * np.where(t >= at, random.uniform(0.5, 0.8), 1.0)
    return [curve("train/loss", clean * np.exp(random.uniform(0.01, 0.1) * _noise(random, n)))]


def few_points(random: Random) -> list[Curve]:
    """A handful of epochs."""
    n = int(random.integers(1, 20))
    t = np.arange(n) / max(n, 5)
    loss = 0.3 + 2 * np.exp(-4 * t)
    return [
        curve("train/loss", loss * np.exp(0.03 * _noise(random, n))),
        curve("val/loss", (loss + 0.05) * np.exp(0.05 * _noise(random, n))),
        curve("val/f1", np.clip(1 - loss / 3 + 0.02 * _noise(random, n), 0, 1)),
    ]


def reward(random: Random) -> list[Curve]:
    """An episode's reward: noisy, rising, negative at first."""
    n = max(30, _points(random))
    t = np.arange(n) / n
    clean = -200 + 400 / (1 + np.exp(-(t - random.uniform(0.2, 0.7)) * random.uniform(5, 20)))
    return [curve("rollout/ep_rew_mean", clean + random.uniform(5, 80) * _noise(random, n))]


def gaps(random: Random) -> list[Curve]:
    """A validation a little above its training, both still falling, the gap between them growing."""
    n = max(12, _points(random) // 10)
    t = np.arange(n) / n
    train = 2 * np.exp(-5 * t) + 0.1
    val = 2 * np.exp(-3 * t) + 0.5 + random.uniform(0, 0.02) * t
    return [
        curve("train_loss", train * np.exp(random.uniform(0.005, 0.05) * _noise(random, n))),
        curve("val_loss", val * np.exp(random.uniform(0.002, 0.04) * _noise(random, n))),
    ]


SHAPES: tuple[Callable[[Random], list[Curve]], ...] = (
    sgd_loss, cosine_lr, warm_restarts, top_accuracy, slow_accuracy, opponents, step_drops, few_points, reward, gaps,
)  # fmt: skip


def healthy(seed: int) -> tuple[str, list[Curve]]:
    """The run of a seed, with the name of its shape: the shapes take turns."""
    shape = SHAPES[seed % len(SHAPES)]
    return shape.__name__, shape(np.random.default_rng(seed))
