"""What a metric means, read off its name: which way is better, in what unit, and which of the four kinds it is."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice

from msgspec.structs import replace

from workbench.core.model import Direction, MetricKind, Roles, Run

PERCENTILES = (50.0, 95.0, 99.0)
"""The percentiles every latency series is shown with."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOWER: dict[MetricKind, str] = {
    "performance": """loss losses error errors err mae mse rmse mape smape mase rmsle msle medae wer cer ter perplexity
        ppl nll bpb bpc bpd fid kid brier logloss xent crossentropy ece mce hinge deviance eer fpr fnr fdr hamming
        huber chamfer lpips regret mistakes misclassification divergence kld distance rmsd""",
    "latency": "latency duration delay time runtime ttft itl tpot",
    "business": "cost costs churn waste refunds complaints cac",
    "data": "drift missing nulls missingness duplicates staleness",
    "system": "timeouts failures failed rejected retries oom",
}
_HIGHER: dict[MetricKind, str] = {
    "performance": """accuracy acc auc auroc auprc aucpr ap map mar f1 f2 fscore fbeta precision recall prec rec
        sensitivity specificity iou miou dice jaccard bleu sacrebleu rouge rougel rougelsum meteor chrf cider spice
        bertscore r2 rsquared score reward rewards return returns psnr ssim ndcg mrr hit hits win wins winrate mcc
        kappa pearson spearman kendall correlation em match likelihood loglik loglikelihood elo pass tpr tnr npv ppv
        success correct r2score""",
    "business": """revenue profit margin sales conversion conversions ctr lift uplift savings saved orders bookings
        retention roi roas gmv arpu ltv value""",
    "system": "throughput fps qps rps ips utilization mfu",
}
_NEITHER: dict[MetricKind, str] = {
    "system": """gpu cpu mem memory ram vram disk power temp temperature bytes timestamp elapsed walltime eta util
        watts""",
    "data": "rows samples examples records n count nunique unique",
    "other": """lr learning epoch epochs step steps iter iters iteration iterations tokens token norm grad gradnorm
        scale weight weights coef coefficient beta momentum wd seed size ratio threshold bias entropy variance std
        batch batches flops params""",
}
_SKIPPED = _words(
    """train training val valid validation test testing eval evaluation dev holdout oof cv fold mean avg average
    macro micro weighted median ema smoothed total all overall global final current best running batchwise rate
    share pct percent percentage ms s sec secs second seconds us ns min mins minutes top1 top3 top5 metrics metric
    per online offline prod production usd eur kb mb gb mib gib celsius"""
)
_TIME_UNITS = {
    "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms", "us": "us", "micros": "us", "microseconds": "us",
    "ns": "ns", "nanoseconds": "ns", "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "min": "min", "minutes": "min", "hours": "h",
}  # fmt: skip
_UNITS = {"pct": "%", "percent": "%", "percentage": "%", "bytes": "B", "kb": "kB", "mb": "MB", "gb": "GB",
          "gib": "GiB", "mib": "MiB", "usd": "USD", "eur": "EUR", "watts": "W", "celsius": "°C"}  # fmt: skip
_TIMED = _words("latency inference time duration delay elapsed response request predict prediction ttft")
_CLOCKS = frozenset({"time", "walltime", "wall", "elapsed", "total", "timestamp", "relative", *_TIME_UNITS} - {"ms"})
_COUNTERS = frozenset({"epoch", "step"})
_NEGATED = frozenset({"neg", "negative", "minus"})
_BY_DIRECTION: tuple[tuple[Direction | None, dict[MetricKind, str]], ...] = (
    (None, _NEITHER),
    ("lower", _LOWER),
    ("higher", _HIGHER),
)
_KNOWN: dict[str, tuple[Direction | None, MetricKind]] = {
    word: (direction, kind)
    for direction, table in _BY_DIRECTION
    for kind, words in table.items()
    for word in words.split()
}
_PERCENTILE = re.compile(r"(.+)\.p(\d{1,2}(?:\.\d+)?|100)")
_RANK = ("accuracy", "auc", "f1", "map", "score", "loss")


@lru_cache(maxsize=16_384)
def guess(key: str) -> Roles:
    """Roles of a metric by its name alone; `direction` stays None where the name does not say."""
    if key.startswith("quality."):  # of a window: shares of rows that are wrong, by column
        return Roles("lower", "", "data")
    if key.startswith("business."):
        named = guess(key.removeprefix("business.").removesuffix(".sum"))
        return replace(named, kind="business")
    base = split_percentile(key)
    words = words_of(base[0] if base else key)
    rate = _per_time(words)
    if rate:
        return Roles("higher", f"/{rate}", "system")
    cut = words[: words.index("per")] if "per" in words[1:] else words
    timed = _is_timed(cut)
    unit = _unit(cut, timed)
    direction, kind = _direction(cut)
    if timed and kind != "latency":
        direction, kind = "lower", "latency"
    if kind == "latency" and cut == words and set(words) <= _CLOCKS:
        return Roles(None, unit, "system")  # seconds since the start: a clock, not a latency
    if _NEGATED & set(cut) and direction:
        direction = "lower" if direction == "higher" else "higher"
    return Roles(direction, unit, kind)


def words_of(key: str) -> list[str]:
    """A metric's name in lower-case words: `val/top-1 AccuracyTop5` is val, top, 1, accuracy, top5."""
    return [*_words_of(key)]


@lru_cache(maxsize=4096)
def _words_of(key: str) -> tuple[str, ...]:
    words: list[str] = []
    for part in re.split(r"[^0-9A-Za-z%²]+", key):
        lower = part.lower().replace("²", "2")
        if not lower:
            continue
        if lower in _KNOWN or lower in _SKIPPED:
            words.append(lower)
        else:
            words += re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", part).lower().split()
    return tuple(words)


def _direction(words: Sequence[str]) -> tuple[Direction | None, MetricKind]:
    """Direction and kind by the last word that means something; a name that starts with `loss` is one too."""
    telling = [word for word in words if not _says_nothing(word)]
    while len(telling) > 1 and telling[-1] in _COUNTERS:
        telling.pop()  # `train/loss_epoch` is a loss
    if not telling:
        percentile = any(re.fullmatch(r"p\d+", word) for word in words)
        return ("lower", "latency") if percentile else (None, "other")
    first, last = telling[0], telling[-1]
    known = _KNOWN.get(last, _KNOWN.get(last.rstrip("0123456789")))
    if known is not None:
        if last == "score" and (named := _KNOWN.get(_before(words, "score"))) is not None:
            return named
        return known
    if first in ("loss", "losses", "accuracy", "acc"):
        return _KNOWN[first]
    return None, "other"


def _before(words: Sequence[str], word: str) -> str:
    index = len(words) - 1 - list(reversed(words)).index(word)
    return words[index - 1] if index else ""


def _says_nothing(word: str) -> bool:
    """Splits, averages, counts and single letters, which stand after the word that matters."""
    return (
        word in _SKIPPED or word.isdigit() or re.fullmatch(r"p\d+|top\d+|fold\d+|[a-z%]", word) is not None
    ) and word != "n"


def _is_timed(words: Sequence[str]) -> bool:
    """Whether the name carries a unit of time as a latency does: `*_ms`, `*_seconds`, `inference_s`."""
    if not words:
        return False
    tail = next((word for word in reversed(words) if not re.fullmatch(r"p\d+|mean|avg|median|max|total", word)), "")
    unit = _TIME_UNITS.get(tail)
    if unit is None:
        return False
    plain = tail in ("ms", "seconds", "milliseconds", "us", "ns", "msec", "secs", "millis")
    return plain or bool(_TIMED & set(words))


def _unit(words: Sequence[str], timed: bool) -> str:
    tail = [word for word in words if not re.fullmatch(r"p\d+|mean|avg|median|max|total", word)][-1:]
    if not tail:
        return ""
    return _TIME_UNITS.get(tail[0], "") if timed else _UNITS.get(tail[0], "%" if tail[0] == "%" else "")


def _per_time(words: Sequence[str]) -> str:
    """`s` for things per second: `tokens_per_sec`, `samples/s`, `it/s`."""
    if len(words) < 2:
        return ""
    counted = words[-2] in ("it", "its", "iter", "iters", "steps", "step", "samples", "tokens", "examples", "images")
    per = words[-2] == "per" and len(words) > 2 and words[-3] not in ("ms", "seconds", "sec", "s", "time")
    return "s" if words[-1] in ("s", "sec", "second") and (counted or per) else ""


def split_percentile(key: str) -> tuple[str, float] | None:
    """`latency_ms.p95` as the series and the percentile, None for any other name."""
    match = _PERCENTILE.fullmatch(key)
    return (match[1], float(match[2])) if match else None


def percentile_key(key: str, percentile: float) -> str:
    """The name a series' percentile goes by: `latency_ms.p95`."""
    return f"{key}.p{percentile:g}"


def roles_for(key: str, configured: Mapping[str, Roles], goals: Mapping[str, Direction] | None = None) -> Roles:
    """Roles as configured by exact name, else by the first pattern that fits; what was left open is guessed.

    `goals` are directions that the logs themselves tell: they come after what is configured and before the guess.
    """
    guessed = guess(key)
    said = configured.get(key)
    base = split_percentile(key)
    goal = (goals or {}).get(key) or (goals or {}).get(base[0] if base else key)
    if goal:
        guessed = replace(guessed, direction=goal)
    if said is None and base is not None:
        said = configured.get(base[0])
    if said is None:
        said = next((roles for pattern, roles in configured.items() if fnmatch.fnmatchcase(key, pattern)), None)
    if said is None:
        return guessed
    return replace(
        guessed,
        direction=said.direction or guessed.direction,
        unit=said.unit or guessed.unit,
        kind=said.kind if said.kind != "other" else guessed.kind,
    )


def main_metric(
    runs: Iterable[Run], roles: Callable[[str], Roles] = guess, preferred: str | None = None, sample: int = 500
) -> str | None:
    """The metric shown first: the preferred one where a run has it, else the best-placed of the newest runs' metrics.

    Validation before training, accuracy and its like before loss, and only what at least half the runs have, unless
    nothing is so common. None where no run has a metric.
    """
    looked_at = list(islice(runs, sample))
    counts = Counter(key for run in looked_at for key in run.metrics)
    if preferred is not None and (preferred in counts or not counts):
        return preferred if counts else None
    measured = sum(bool(run.metrics) for run in looked_at)
    return min(counts, key=lambda key: _place(key, counts[key], measured, roles(key)), default=None)


def _place(key: str, count: int, runs: int, roles: Roles) -> tuple[bool, int, int, int, int, str]:
    """Sort key of a candidate; the smallest is shown first."""
    words = words_of(key)
    split = 0 if set(words) & {"val", "valid", "validation", "eval", "dev"} else 1 if "test" in words else 2
    split = 3 if set(words) & {"train", "training"} else split
    meaning = {"performance": 0, "business": 1, "latency": 3}.get(roles.kind, 4) if roles.direction else 5
    aliases = {"acc": "accuracy", "auroc": "auc", "map50": "map"}
    named = [aliases.get(word, word) for word in words]
    rank = next((place for place, word in enumerate(_RANK) if word in named), len(_RANK) - 1)
    return (2 * count < runs, meaning, split, rank, -count, key)


def shown_percentiles(keys: Iterable[str], roles: Callable[[str], Roles]) -> list[str]:
    """Those of the keys that are latencies, and so are shown with their percentiles."""
    return [key for key in keys if roles(key).kind == "latency"]
