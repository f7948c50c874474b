"""Which words of a line's keys mean something: steps, epochs, metrics, units, and what is none of these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from workbench.core.roles import guess
from workbench.readers.keys import EPOCH_NAMES, STEP_NAMES, metric_like

UNITS = {
    "ns": ("_ns", 1.0), "us": ("_us", 1.0), "\xc2\xb5s": ("_us", 1.0), "\xce\xbcs": ("_us", 1.0), "ms": ("_ms", 1.0),
    "msec": ("_ms", 1.0), "s": ("_s", 1.0), "sec": ("_s", 1.0), "secs": ("_s", 1.0), "seconds": ("_s", 1.0),
    "min": ("_min", 1.0), "h": ("_h", 1.0), "ms/step": ("_ms", 1.0), "us/step": ("_us", 1.0), "s/step": ("_s", 1.0),
    "it/s": ("", 1.0), "s/it": ("", 1.0), "%": ("", 1.0), "k": ("", 1e3), "K": ("", 1e3), "M": ("", 1e6),
    "G": ("", 1e9), "B": ("", 1.0), "T": ("", 1e12), "kB": ("", 1e3), "KB": ("", 1e3), "MB": ("", 1e6), "GB": ("", 1e9),
    "TB": ("", 1e12), "KiB": ("", 2.0**10), "MiB": ("", 2.0**20), "GiB": ("", 2.0**30), "TiB": ("", 2.0**40),
}  # fmt: skip
"""What a unit behind a number adds to the key, and multiplies the value by."""

_STEPS = (frozenset(STEP_NAMES) - {"batch", "it", "tokens", "total_tokens", "tokens_seen"}) | {
    "training_step", "train_step", "num_updates", "iter_num", "current_step", "opt_step", "optimizer_step", "it",
}  # fmt: skip
_PLURALS = frozenset({"steps", "iterations", "num_steps", "timesteps", "epochs", "batches"})
_WITHIN = frozenset({"batch", "batch_idx", "minibatch", "mini_batch"})
_EPOCHS = (frozenset(EPOCH_NAMES) | {"ep", "current_epoch"}) - _PLURALS
_MOMENTS = frozenset({"ts", "timestamp", "_timestamp", "wall_time", "time", "unix_time"})
_NOT_METRICS = frozenset({
    "pid", "tid", "ppid", "line", "port", "version", "v_num", "seed", "rank", "local_rank", "node_rank", "world_size",
    "gpu", "gpu_id", "device", "eta", "remaining", "id", "uid", "year", "month", "day", "date", "host", "ip", "job",
    "jobid", "job_id", "process", "thread", "code", "errno", "exit", "exit_code", "exitcode", "status", "level", "info",
    "debug", "warning", "error_code", "lineno", "signal", "node", "world", "python", "cuda", "torch", "attempt",
    "warn", "critical", "fatal", "notice",
})  # fmt: skip
_LEVELS = frozenset({"info", "debug", "warning", "warn", "error", "critical", "fatal", "notice", "trace", "root"})
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev"})
_QUALIFIERS = _SPLITS | {
    "avg", "average", "mean", "total", "best", "final", "running", "smoothed", "ema", "epoch", "batch", "step", "top",
    "learning", "grad", "gradient", "current", "max", "min", "macro", "micro", "weighted", "policy", "value", "cls",
    "reg", "box", "mask", "kl", "l1", "l2", "aux", "ce", "mlm", "lm", "ntp", "sft", "dpo", "nll", "data", "forward",
}  # fmt: skip
_KNOWN_WORDS = frozenset({"time", "latency", "duration", "dt", "norm", "gnorm", "tok/s", "it/s", "fps", "mfu", "wd"})
_AT = _SPLITS | {"global", "current", "at", "starting"}
_NO_ENDINGS = ("_id", "_port", "_version", "_pid", "_seed")
_SOURCE_FILE = re.compile(r"\.(?:py|pyx|c|cc|cpp|cu|h|hpp|go|rs|java|js|ts|sh|pl|rb)$")


Axis = Literal["step", "epoch", "within"]
"""What a key says of where its line stands; `within` starts over in every epoch."""


@lru_cache(maxsize=4096)
def axis_of(words: tuple[str, ...]) -> Axis | None:
    """The axis that a key's words name, None for a metric."""
    last = words[-1].lower().strip("#[](")
    whole = "_".join(words).lower().strip("#[](")
    for name in (whole, last):
        if name != whole and not all(word.lower() in _AT for word in words[:-1]):
            continue
        if name in _EPOCHS:
            return "epoch"
        if name in _WITHIN:
            return "within"
        if name in _STEPS:
            return "step"
    return None


def is_plural(words: Sequence[str]) -> bool:
    """Whether a key is `steps` or the like: a setting, unless a measurement stands beside it."""
    return words[-1].lower() in _PLURALS


@lru_cache(maxsize=4096)
def measures(key: str) -> bool:
    """Whether a key is certainly a result, and no setting: a loss or a score, not a learning rate."""
    return guess(key).kind == "performance" and guess(key).direction is not None and metric_like(key)


def is_level(word: str) -> bool:
    """Whether a word is how urgent a message is."""
    return word.lower().strip("[]()") in _LEVELS


@lru_cache(maxsize=4096)
def telling(words: tuple[str, ...]) -> int:
    """How many of a key's last words are known: those in front of them are prose."""
    last = words[-1].lower()
    if not (metric_like(words[-1]) or axis_of((last,)) or last in _KNOWN_WORDS or last in _PLURALS):
        return 0
    first = len(words) - 1
    while first and words[first - 1].lower() in _QUALIFIERS:
        first -= 1
    return len(words) - first


@lru_cache(maxsize=4096)
def named(words: tuple[str, ...], unit: str) -> tuple[str, float]:
    """The key of a metric, empty when it has none, and what its value is multiplied by.

    `train loss` is `train/loss`, `lm loss` is `lm_loss`; a unit of time becomes the key's ending: `time_ms`.
    """
    parts, inner = list(words), ""
    if parts[-1][:1] in "([":
        inner = parts.pop().strip("()[]%")
    elif parts[-1][-1:] in ")]":
        parts[-1], _, inner = parts[-1].replace("[", "(").partition("(")
        inner = inner.strip(")]%")
    parts = [cleaned for word in parts if (cleaned := word.strip("'\"()[].,-"))]
    if not parts:
        return "", 1.0
    split = len(parts) > 1 and parts[0].lower() in _SPLITS
    key = f"{parts[0]}/{'_'.join(parts[1:])}" if split else "_".join(parts)
    suffix, scale = UNITS.get(unit, ("", 1.0))
    suffix = suffix or (f"_{inner}" if inner else "")
    return (key if key.lower().endswith(suffix) else key + suffix), scale


@lru_cache(maxsize=4096)
def may_be_metric(words: tuple[str, ...], separator: str | None) -> bool:
    """Not a process, a place in source code, a date, a version."""
    last = words[-1].lower().strip("'\"()[]")
    return (
        last not in _NOT_METRICS
        and "_".join(words).lower() not in _NOT_METRICS
        and last not in _PLURALS
        and not (separator == ":" and _SOURCE_FILE.search(last))
        and not last.endswith(_NO_ENDINGS)
    )


def is_moment(word: str, value: str) -> bool:
    """Whether a number is a time since 1970: its name says so and it has as many digits."""
    return word.lower() in _MOMENTS and len(value.partition(".")[0]) in (10, 13, 16, 19)
