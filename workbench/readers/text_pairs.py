"""`key=value`, `key: value` and `key value` within a line: which are metrics, which say where the line stands.

Lines come decoded as Latin-1, so that columns are bytes. Every pattern is linear: what repeats is bounded or gives
nothing back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from workbench.core.roles import guess
from workbench.readers.keys import EPOCH_NAMES, STEP_NAMES, metric_like

Role = Literal["metric", "step", "epoch", "position", "total", "steps", "epochs", "moment", "bar", "bars"]
"""What a number is: a metric's value, a step, an epoch, a position within an epoch and how many that has, the number
of steps or epochs planned, seconds since 1970 in some unit, a bare progress bar's position and end.
"""

Span = tuple[int, int]

NUMBER = (
    r"(?:[-+]?+(?:\d++(?:,\d{3}(?!\d))*+(?:\.\d*+)?+(?:[eE][-+]?\d++)?+"
    r"|\.\d++(?:[eE][-+]?\d++)?+|(?i:nan|inf(?:inity)?)))"
)
UNITS = {
    "ns": ("_ns", 1.0), "us": ("_us", 1.0), "\xc2\xb5s": ("_us", 1.0), "\xce\xbcs": ("_us", 1.0), "ms": ("_ms", 1.0),
    "msec": ("_ms", 1.0), "s": ("_s", 1.0), "sec": ("_s", 1.0), "secs": ("_s", 1.0), "seconds": ("_s", 1.0),
    "min": ("_min", 1.0), "h": ("_h", 1.0), "ms/step": ("_ms", 1.0), "us/step": ("_us", 1.0), "s/step": ("_s", 1.0),
    "it/s": ("", 1.0), "s/it": ("", 1.0), "%": ("", 1.0), "k": ("", 1e3), "K": ("", 1e3), "M": ("", 1e6),
    "G": ("", 1e9), "B": ("", 1.0), "T": ("", 1e12), "kB": ("", 1e3), "KB": ("", 1e3), "MB": ("", 1e6), "GB": ("", 1e9),
    "TB": ("", 1e12), "KiB": ("", 2.0**10), "MiB": ("", 2.0**20), "GiB": ("", 2.0**30), "TiB": ("", 2.0**40),
}  # fmt: skip
"""What a unit behind a number adds to the key, and multiplies the value by."""

_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_LETTER = r"A-Za-z_\x80-\xff"
_WORD = rf"{_LETTER}0-9"
_KEY = (
    rf"[{_LETTER}][{_WORD}@%'/.#-]{{0,63}}+(?: [{_LETTER}][{_WORD}@%'/.#-]{{0,31}}+){{0,5}}"
    rf"(?: ?[(\[][{_WORD}/%. ]{{1,24}}[)\]])?"
)
_SEPARATOR = r"(?:[\"']?[ \t]{0,32}+(?P<sep>[:=])(?![:=])[ \t]{0,32}+|[ \t]{1,16}+)[\"'(\[]?[ \t]{0,8}+"
_END = r"(?=[\s,;|)\]}>'\"(/*]|\.?(?:\s|$)|:(?!\d)|-\s|$)"
PAIRS = re.compile(
    rf"(?<![{_WORD}./@$\\-])(?P<key>{_KEY}){_SEPARATOR}(?P<value>{NUMBER}) ?(?P<unit>(?:{_UNIT})(?![{_WORD}/]))?{_END}"
    rf"(?:\s?/\s{{0,8}}(?P<over>\d{{1,18}})(?![\d.:/]))?"
    rf"(?:\s?\(\s{{0,8}}(?P<average>{NUMBER})(?P<percent>%)?\)"
    rf"|\s?(?:\+/-|\xc2\xb1|\+-)\s?(?P<spread>{NUMBER}){_END})?"
)
"""A key of up to six words, a value with its unit, and what may stand behind it: `/ total`, `(average)`, `± spread`."""

MOMENT = re.compile(
    r"(?<!\d)(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d\d):?(\d\d))?(?!\d)"
)

_STEPS = (frozenset(STEP_NAMES) - {"batch", "it"}) | {
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
    "warn", "critical", "fatal", "notice", "elapsed_total",
})  # fmt: skip
_LEVELS = frozenset({"info", "debug", "warning", "warn", "error", "critical", "fatal", "notice", "trace", "root"})
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev"})
_QUALIFIERS = _SPLITS | {
    "avg", "average", "mean", "total", "best", "final", "running", "smoothed", "ema", "epoch", "batch", "step", "top",
    "learning", "grad", "gradient", "current", "max", "min", "macro", "micro", "weighted", "policy", "value", "cls",
    "reg", "box", "mask", "kl", "l1", "l2", "aux", "ce", "mlm", "lm", "ntp", "sft", "dpo", "nll", "data", "forward",
}  # fmt: skip
_KNOWN_WORDS = frozenset({"time", "latency", "duration", "dt", "norm", "gnorm", "tok/s", "it/s", "fps", "mfu", "wd"})
_SOURCE_FILE = re.compile(r"\.(?:py|pyx|c|cc|cpp|cu|h|hpp|go|rs|java|js|ts|sh|pl|rb)$")


@dataclass(frozen=True, slots=True)
class Found:
    """A number in a line: its role, its span, and for a metric its key and what its value is multiplied by."""

    role: Role
    span: Span
    key: str = ""
    scale: float = 1.0
    over: Span | None = None
    """Where the number stands that it is divided by."""
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one line says."""

    dialect: str
    found: tuple[Found, ...]
    names: tuple[Span, ...] = ()
    """Where keys stand: their digits are part of a name, not numbers."""
    is_setting: bool = False
    """It tells of settings where no step was seen yet."""

    def keys(self) -> Iterator[str]:
        """The metrics' keys."""
        return (item.key for item in self.found if item.role == "metric")


@dataclass(slots=True)
class Gathering:
    """What is being found in a line; a key that comes twice keeps its last value."""

    dialect: str
    found: dict[str, Found] = field(default_factory=dict)
    names: list[Span] = field(default_factory=list)

    def metric(self, key: str, span: Span, name: Span | None = None, scale: float = 1.0, **more: object) -> None:
        """Add a metric's value."""
        self.found.pop(key, None)
        self.found[key] = Found("metric", span, key, scale, **more)  # type: ignore[arg-type]
        if name is not None:
            self.names.append(name)

    def rename(self, new: Callable[[str], str | None]) -> None:
        """Give every metric another key; those that get None are left out."""
        for name, item in list(self.found.items()):
            if item.role == "metric":
                del self.found[name]
                if (key := new(item.key)) is not None:
                    self.found[key] = replace(item, key=key)

    def axis(self, role: Role, span: Span) -> None:
        """Add what says where the line stands; the first of a role holds."""
        self.found.setdefault(f"\0{role}", Found(role, span))

    def has(self, *roles: Role) -> bool:
        """Whether any of these roles was found."""
        return any(f"\0{role}" in self.found for role in roles)

    def reading(self, *, is_setting: bool = False) -> Reading | None:
        """The reading, None when nothing was found."""
        if not self.found:
            return None
        return Reading(self.dialect, tuple(self.found.values()), tuple(self.names), is_setting)


def text_of(key: str) -> str:
    """A key as text: lines are decoded as Latin-1, whatever they are."""
    return key.encode("latin-1").decode("utf-8", "replace")


def gather_pairs(
    into: Gathering, line: str, start: int = 0, *, any_word: bool = False, end: int | None = None
) -> None:
    """Find the pairs of a line from a column on; `any_word` takes a word before a number for a key, whatever it is."""
    for match in PAIRS.finditer(line, start, len(line) if end is None else end):
        _gather(into, match, any_word)


def _gather(into: Gathering, match: re.Match[str], any_word: bool) -> None:
    words = [(word.start(), word[0]) for word in re.finditer(r"\S+", match["key"])]
    while len(words) > 1 and words[0][1].lower().strip("[]()") in _LEVELS:
        words = words[1:]
    spaced = match["sep"] is None
    if spaced and not any_word:
        words = _vocabulary(words)
    elif len(words) > 2 and (telling := _vocabulary(words)):
        words = telling
    if not words:
        return
    offset = match.start("key") + words[0][0]
    raw = [word for _, word in words]
    axis = _axis(raw, into)
    if axis is not None and (spaced or match["sep"]):
        _gather_axis(into, match, axis)
        return
    key, unit_scale = _named(raw, match["unit"] or "")
    if key is None or match["unit"] in ("s/it",) or not _may_be_metric(raw, match):
        return
    key = text_of(key)
    name = (offset, match.end("key"))
    if match["over"]:
        _gather_ratio(into, match, key, name)
        return
    if plain_moment(raw, match["value"]):
        into.axis("moment", match.span("value"))
        return
    into.metric(key, match.span("value"), name, unit_scale)
    if match["average"] and not match["percent"]:
        into.metric(f"{key}_avg", match.span("average"), None, unit_scale)
    if match["spread"]:
        into.metric(f"{key}_std", match.span("spread"), None, unit_scale)


def plain_moment(words: list[str], value: str) -> bool:
    """Whether a number is seconds or milliseconds since 1970: its name says so and it has as many digits."""
    return words[-1].lower() in _MOMENTS and len(value.partition(".")[0]) in (10, 13, 16, 19)


def _gather_axis(into: Gathering, match: re.Match[str], axis: str) -> None:
    """A step or an epoch, with how many of them there are."""
    value, whole = match.span("value"), match["value"].isdigit()
    if axis == "epoch":
        if whole:
            into.axis("epoch", value)
            if match["over"]:
                into.axis("epochs", match.span("over"))
        else:
            into.metric("epoch", value)
        return
    if not whole:
        return
    if match["over"] and (axis == "within" or into.has("epoch")):
        into.axis("position", value)
        into.axis("total", match.span("over"))
    elif axis == "step":
        into.axis("step", value)
        if match["over"]:
            into.axis("steps", match.span("over"))
    elif not into.has("epoch"):
        into.axis("step", value)


def _gather_ratio(into: Gathering, match: re.Match[str], key: str, name: Span) -> None:
    """`9830/10000`: the share, where it is one of a metric."""
    if metric_like(key):
        into.metric(key, match.span("value"), name, over=match.span("over"))


def _axis(words: list[str], into: Gathering) -> str | None:
    last = words[-1].lower().strip("#[](")
    whole = "_".join(words).lower().strip("#[](")
    for name in (whole, last):
        if name in _EPOCHS and (name == whole or _is_split(words[:-1])):
            return "epoch"
        if name in _WITHIN and (name == whole or _is_split(words[:-1])):
            return "within"
        if name in _STEPS and (name == whole or _is_split(words[:-1])):
            return "step" if name not in _PLURALS or _measured(into) else None
    return None


def _is_split(words: Iterable[str]) -> bool:
    return all(word.lower() in _SPLITS | {"global", "current", "at", "starting"} for word in words)


def _measured(into: Gathering) -> bool:
    """Whether a measurement was found before: `lr=0.1 steps=500` is a setting, `loss=0.1 steps=500` a step."""
    return any(item.role == "metric" and measures(item.key) for item in into.found.values())


def measures(key: str) -> bool:
    """Whether a key is certainly a result, and no setting: a loss or a score, not a learning rate."""
    return guess(key).kind == "performance" and guess(key).direction is not None and metric_like(key)


def _vocabulary(words: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The last words of a key that are known: those in front of them are prose."""
    last = words[-1][1]
    if not (metric_like(last) or _axis([last], Gathering("")) or last.lower() in _KNOWN_WORDS or last.lower() in _PLURALS):
        return []
    first = len(words) - 1
    while first and words[first - 1][1].lower() in _QUALIFIERS:
        first -= 1
    return words[first:]


def _named(words: list[str], unit: str) -> tuple[str | None, float]:
    """The key of a metric and what its value is multiplied by; None when it is none."""
    inner = ""
    if words[-1][:1] in "([":
        inner = words.pop().strip("()[]%")
    elif words[-1][-1:] in ")]":
        head, _, inner = words[-1].replace("[", "(").partition("(")
        words[-1], inner = head, inner.strip(")]%")
    words = [cleaned for word in words if (cleaned := word.strip("'\"()[].,-"))]
    if not words:
        return None, 1.0
    if len(words) > 1 and words[0].lower() in _SPLITS:
        key = f"{words[0]}/{'_'.join(words[1:])}"
    else:
        key = "_".join(words)
    suffix, scale = UNITS.get(unit, ("", 1.0))
    if unit in ("k", "K", "M", "G", "T", "B") and key.lower().endswith(("_mem", "memory")):
        scale = UNITS[unit][1]
    if inner and not suffix:
        suffix = f"_{inner}"
    return (key if not suffix or key.lower().endswith(suffix) else key + suffix), scale


def _may_be_metric(words: list[str], match: re.Match[str]) -> bool:
    """Not a process, a place in source code, a date, a version."""
    last = words[-1].lower().strip("'\"()[]")
    return (
        last not in _NOT_METRICS
        and "_".join(words).lower() not in _NOT_METRICS
        and not (_SOURCE_FILE.search(last) and match["sep"] == ":")
        and last not in _PLURALS
        and not last.endswith(("_id", "_port", "_version", "_pid", "_seed"))
    )
