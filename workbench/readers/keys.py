"""What a column's name and first values say: step, epoch, time, metric, or a column of production rows."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

STEP_NAMES = (
    "step", "_step", "global_step", "trainer/global_step", "train/global_step", "steps", "iteration", "iterations",
    "training_iteration", "iter", "it", "num_steps", "timestep", "timesteps", "total_timesteps",
    "time/total_timesteps", "timesteps_total", "current_step", "train_step", "train/step", "optimizer_step",
    "global_iter", "n_iter", "num_updates", "n_updates", "updates", "update", "round", "batch", "total_tokens",
    "tokens_seen", "tokens",
)  # fmt: skip
"""Names of a training step, the likeliest first; compared in lower case."""

EPOCH_NAMES = ("epoch", "epochs", "epoch_num", "train/epoch")
"""Names of an epoch: the axis where there is no step, else a series."""

TIME_NAMES = (
    "timestamp", "_timestamp", "@timestamp", "ts", "wall_time", "wall time", "created_at", "datetime", "time",
    "asctime", "created", "date",
)  # fmt: skip
"""Names that may hold a moment; whether one does, its values decide: `time` is as often a duration."""

WITHIN_EPOCH = frozenset({"batch"})
"""Step names that start over in every epoch, and therefore are no axis beside an epoch."""

_WEAK_STEPS = frozenset(
    {"it", "update", "updates", "n_iter", "round", "batch", "tokens", "total_tokens", "tokens_seen"}
)

_NAMING = ("name", "metric", "metric_name", "tag", "key", "variable")
_VALUES = ("value", "val", "metric_value")
_MESSAGES, _LEVELS = frozenset({"event", "msg", "message"}), frozenset({"level", "levelname", "severity", "log_level"})
BOOKKEEPING = frozenset({
    "lineno", "levelno", "line", "pid", "process", "thread", "msecs", "relativecreated", "process_id", "thread_id",
})  # fmt: skip
"""Numbers that a logging library writes about a line itself."""

Unit = Literal["iso", "s", "ms", "us", "ns"]
UNIT_NAMES: dict[Unit, str] = {
    "iso": "ISO text", "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds",
}  # fmt: skip

_PER_SECOND: dict[Unit, float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_EARLIEST, _LATEST = 631_152_000.0, 4_102_444_800.0  # 1990 and 2100: the four units' ranges then do not touch
_INT64 = 2**63
_ISO = re.compile(r"\s*\d{4}([-/])\d\d\1\d\d([T ]\d\d:\d\d|\s*$)")
_ZONE = re.compile(r"(\d) (Z|[-+]\d\d:?\d\d)$")
_WORD = re.compile(r"[a-z]+\d*")

_METRIC_WORDS = frozenset({
    "loss", "acc", "accuracy", "auc", "auroc", "f1", "precision", "recall", "mae", "mse", "rmse", "mape", "r2", "lr",
    "perplexity", "ppl", "bleu", "rouge", "wer", "cer", "iou", "miou", "map", "reward", "return", "error", "err",
    "logloss", "nll", "elbo", "kl", "dice", "psnr", "ssim", "fid", "top1", "top5", "entropy", "throughput", "mfu",
})  # fmt: skip
_PREDICTION = frozenset({
    "prediction", "predictions", "predicted", "pred", "y_pred", "ypred", "yhat", "y_hat", "predicted_label",
    "predicted_class", "predicted_value", "prediction_score", "probability", "proba", "y_prob", "y_proba", "y_score",
})  # fmt: skip
_SERVED = re.compile(
    r"(?:.*[_.])?latency(?:_\w+)?|response_time\w*|duration_ms|status|status_code|http_status|y_true|ground_truth"
)
_ROW_ID = re.compile(r"id|uuid|guid|.*_id|.*_uuid|user|customer")
_FOLDER_WORDS = frozenset({
    "metrics", "metric", "log", "logs", "logger", "result", "results", "history", "training", "train", "trainer",
    "val", "valid", "validation", "eval", "evaluation", "test", "scalars", "scalar", "progress", "events", "event",
    "evals", "stats", "summary", "loss", "losses", "output", "stdout", "monitor",
})  # fmt: skip


def number(text: str) -> float | int | None:
    """The number a text spells as Python's `float` reads it, without its underscores and non-ASCII digits.

    Whole numbers that float64 cannot hold come back as int, so that a step stays exact.
    """
    try:
        value = float(text)
    except ValueError:
        return None
    if "_" in text or not text.isascii():
        return None
    if 2**53 <= abs(value) <= _INT64:
        try:
            return int(text)
        except ValueError:
            return value
    return value


def whole(value: float | int) -> int | None:
    """The value as a step: an integer that fits int64, or None."""
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = int(value)
    return value if -_INT64 <= value < _INT64 else None


def plain_name(name: str) -> str:
    """A name as it is compared: without padding, in lower case."""
    return name.strip().lower()


class Roles(Struct, frozen=True):
    """Which of a row's keys may be its step, epoch and time, each with the likeliest first."""

    steps: tuple[str, ...]
    epoch: str | None
    times: tuple[str, ...]
    naming: str | None = None
    """The key whose text names the metric that `value` is of: one metric a row."""
    value: str | None = None
    logged: bool = False
    """A line of a logging library: its texts are prose, and some of its numbers are about the line."""


def roles_of(names: Iterable[str]) -> Roles:
    """Sort out which names are axes."""
    named: dict[str, list[str]] = {}
    for name in sorted(names):
        named.setdefault(plain_name(name), []).append(name)
    epochs = _in_order(named, EPOCH_NAMES)
    steps = _in_order(named, [name for name in STEP_NAMES if not (epochs and name in WITHIN_EPOCH)])
    naming, value = _in_order(named, _NAMING), _in_order(named, _VALUES)
    long = bool(naming and value)
    return Roles(
        steps, epochs[0] if epochs else None, _in_order(named, TIME_NAMES), naming[0] if long else None,
        value[0] if long else None, bool(named.keys() & _MESSAGES and named.keys() & _LEVELS),
    )  # fmt: skip


def _in_order(named: Mapping[str, Sequence[str]], wanted: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for plain in wanted for name in named.get(plain, ()))


class Clock(Struct, frozen=True):
    """The key that holds a source's wall time, and how its values are read."""

    key: str
    unit: Unit

    def seconds(self, value: float | int | str | None) -> float:
        """Seconds since 1970, or NaN where the value is no moment."""
        if isinstance(value, str):
            moment = iso_seconds(value)
            return math.nan if moment is None else moment
        if value is None or isinstance(value, bool) or self.unit == "iso":
            return math.nan
        return float(value) / _PER_SECOND[self.unit]

    @property
    def per_second(self) -> float:
        """How many of the unit make a second; 1 for ISO text."""
        return _PER_SECOND.get(self.unit, 1.0)


def moment_unit(value: float | int | str) -> Unit | None:
    """The unit in which a value is a moment between 1990 and 2100, or None: then it is a duration, a count, a text."""
    if isinstance(value, str):
        return "iso" if iso_seconds(value) is not None else None
    return next((u for u, per in _PER_SECOND.items() if _EARLIEST * per <= value <= _LATEST * per), None)


def iso_seconds(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 text; without a zone it is local time, as `datetime.now()` writes it.

    Also `2024/05/01 10:00:00`, the comma before milliseconds of the logging module, and a zone behind a space.
    """
    if not _ISO.match(text):
        return None
    plain = _ZONE.sub(r"\1\2", text.strip().replace("/", "-", 2))
    try:
        return dt.datetime.fromisoformat(plain).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def metric_like(name: str) -> bool:
    """Whether a name has a word of a usual metric in it: `train/loss`, `val_acc`, `LearningRate`."""
    words = _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return any(w in _METRIC_WORDS or w.endswith("loss") for w in words) or {"learning", "rate"} <= set(words)


def claimed_axis(names: Iterable[str]) -> str:
    """The axis that makes these columns a training log, empty if none; `round` or `batch` need a metric beside them."""
    names = list(names)
    roles = roles_of(names)
    strong = [name for name in roles.steps if plain_name(name) not in _WEAK_STEPS]
    if strong or roles.epoch:
        return (*strong, roles.epoch or "")[0]
    return roles.steps[0] if roles.steps and any(map(metric_like, names)) else ""


def production_columns(names: Iterable[str]) -> tuple[str, ...]:
    """The names that make these columns rows of a model in production, empty for a training log."""
    names = list(names)
    plain = [plain_name(name) for name in names]
    predicted = [name for name, p in zip(names, plain, strict=True) if p in _PREDICTION]
    roles = roles_of(names)
    if roles.epoch or any(not predicted or plain_name(name) not in _WEAK_STEPS for name in roles.steps):
        return ()
    served = [name for name, p in zip(names, plain, strict=True) if _SERVED.fullmatch(p)]
    located = bool(roles.times) or any(_ROW_ID.fullmatch(p) for p in plain)
    if predicted or (served and located and not any(map(metric_like, names))):
        return tuple(predicted + served)
    return ()


def view_of_folder(file_name: str) -> bool:
    """Whether a file has a conventional name (`metrics.csv`, `train_log.jsonl`) and so belongs to its folder's run."""
    stem = file_name.lower().rsplit(".", 1)[0]
    words = [w for w in re.split(r"[^a-z0-9]+", stem) if w and not re.fullmatch(r"rank\d*|jsonl?|csv|tsv", w)]
    rank_free = [w for i, w in enumerate(words) if not (w.isdigit() and "rank" in stem and i == len(words) - 1)]
    return bool(rank_free) and all(w in _FOLDER_WORDS for w in rank_free)
