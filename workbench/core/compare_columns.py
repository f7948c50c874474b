"""Runs as a table of columns: parameters, metrics, tags, environment, duration and state, each numbers or names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from workbench.core.compare_noise import flat, is_own_place, is_seed, same_as, settings_of, signature
from workbench.core.compare_values import ChoiceError, Values
from workbench.core.model import Direction, Roles, Run

CONFIG = "config"
"""The column of settings: all parameters but the seed, so that seeds of one configuration stand together."""

_OWN = ("duration", "started", "state", "name", "format", "group")
_PREFIXES = ("param", "metric", "tag", "env")
_LOG_FROM = 50.0
"""Positive values that span more than this factor are spread evenly by their logarithm."""
_TITLE = 48


class RunColumn(Struct, frozen=True):
    """One column over runs, in their order; numbers, or names where `names` lists them."""

    key: str
    """As it is asked for: `param:lr`, `metric:val/loss`, `tag:owner`, `env:git.commit`, `duration`, `config`."""
    values: tuple[float | str | None, ...]
    names: tuple[str, ...] = ()
    """Every name that occurs, sorted; empty for a column of numbers."""
    unit: str = ""
    direction: Direction | None = None

    @property
    def title(self) -> str:
        """The key without its prefix."""
        kind, _, rest = self.key.partition(":")
        return rest if kind in _PREFIXES and rest else self.key

    @property
    def places(self) -> tuple[float | None, ...]:
        """Values as numbers; a name is its place among the names."""
        order = {name: float(place) for place, name in enumerate(self.names)}
        return tuple(order.get(value) if isinstance(value, str) else value for value in self.values)

    @property
    def known(self) -> int:
        """How many runs have a value."""
        return sum(value is not None for value in self.values)

    @property
    def varies(self) -> bool:
        """Whether two runs differ in it."""
        return len({value for value in self.values if value is not None}) > 1

    @property
    def is_log(self) -> bool:
        """Whether its numbers are better seen by their logarithm: all above 0, over more than a decade or two."""
        known = [value for value in self.values if isinstance(value, float)]
        return not self.names and bool(known) and min(known) > 0 and max(known) / min(known) > _LOG_FROM

    @property
    def best(self) -> int | None:
        """Place of the best run; None while it is unknown which way is better."""
        known = [(value, place) for place, value in enumerate(self.values) if isinstance(value, float)]
        if self.direction is None or not known:
            return None
        return (max if self.direction == "higher" else min)(known, key=lambda item: item[0])[1]


def column_keys(runs: Sequence[Run]) -> list[str]:
    """Every column of these runs: parameters, metrics, tags, then what is known of all runs."""
    params = sorted({key for run in runs for key in run.params})
    metrics = sorted({key for run in runs for key in run.metrics})
    tags = sorted({key for run in runs for key in run.tags})
    environment = sorted({key for run in runs for key in flat(run.environment)})
    return [
        *(f"param:{key}" for key in params), *(f"metric:{key}" for key in metrics), *(f"tag:{key}" for key in tags),
        *_OWN, CONFIG, *(f"env:{key}" for key in environment),
    ]  # fmt: skip


def column_key(text: str, runs: Sequence[Run]) -> str:
    """The column that a person means: its key, or a bare name that is a parameter's, a metric's or a tag's.

    Raises:
        ChoiceError: no run has it; the message names the nearest.
    """
    keys = column_keys(runs)
    for wanted in (text, *(f"{prefix}:{text}" for prefix in _PREFIXES)):
        if wanted in keys:
            return wanted
    from workbench.core.config import nearest

    bare = {key.partition(":")[2] or key: key for key in reversed(keys)}
    raise ChoiceError(f"none of these runs has {text!r}{nearest(text, [*bare, *keys])}")


def column_of(
    key: str, runs: Sequence[Run], values: Values, roles: Callable[[str], Roles], now: float | None = None
) -> RunColumn:
    """One column; metrics are those in `values`, and runs under way last until `now`."""
    kind, _, rest = key.partition(":")
    if kind == "metric":
        known = roles(rest)
        return RunColumn(
            key, tuple(_finite(values.get((run.id, rest))) for run in runs), (), known.unit, known.direction
        )
    if kind == "param":
        return _mixed(key, [run.params.get(rest) for run in runs])
    if kind == "env":
        return _mixed(key, [flat(run.environment).get(rest) for run in runs])
    if kind == "tag":
        return _mixed(key, _tags(rest, runs))
    if key == "duration":
        return RunColumn(key, tuple(duration_of(run, now) for run in runs), (), "duration", "lower")
    if key == "started":
        return RunColumn(key, tuple(_finite(run.started_at) for run in runs), (), "time")
    if key == CONFIG:
        return _mixed(key, config_names(runs))
    return _mixed(key, [run.status if key == "state" else getattr(run, key) or None for run in runs])


def duration_of(run: Run, now: float | None = None) -> float | None:
    """Seconds from start to end, to `now` while it runs, else to the last data."""
    if run.started_at is None:
        return None
    end = run.ended_at if run.ended_at is not None else now if run.status == "running" else None
    end = run.updated_at if end is None else end
    return None if end is None else max(end - run.started_at, 0.0)


def config_names(runs: Sequence[Run]) -> list[str]:
    """What tells each run's settings from the others', the seed aside: `lr=0.1 depth=3`."""
    settings = [settings_of(run) for run in runs]
    keys = sorted({key for each in settings for key in each})
    absent = object()
    differing = [key for key in keys if len({_as_key(each.get(key, absent)) for each in settings}) > 1]
    names = [" ".join(f"{key}={_word(each[key])}" for key in differing if key in each) or "same" for each in settings]
    return [_cut(name, each) for name, each in zip(names, settings, strict=True)]


def varying_params(runs: Sequence[Run], values: Values, roles: Callable[[str], Roles]) -> list[RunColumn]:
    """Parameters that differ among the runs, the seed and what names every run anew left out."""
    found = []
    for key in sorted({key for run in runs for key in run.params}):
        column = column_of(f"param:{key}", runs, values, roles)
        distinct = column.names and len(column.names) > max(8, column.known // 2)
        if column.varies and not distinct and not is_seed(key) and not is_own_place(key):
            found.append(column)
    return found


def _as_key(value: object) -> object:
    return same_as(value)


def _cut(name: str, settings: Mapping[str, Any]) -> str:
    """A name of bearable length; a long one ends with what tells it from others that begin alike."""
    if len(name) <= _TITLE:
        return name
    import hashlib

    digest = hashlib.blake2b(repr(signature(settings)).encode("utf-8", "surrogatepass"), digest_size=2).hexdigest()
    return f"{name[: _TITLE - 5]}…{digest}"


def _tags(key: str, runs: Sequence[Run]) -> list[str | None]:
    """A tag's value; of a tag without one, whether the run has it."""
    bare = all(not run.tags[key] for run in runs if key in run.tags)
    return [(("yes" if key in run.tags else "no") if bare else run.tags.get(key)) for run in runs]


def _mixed(key: str, values: Sequence[Any]) -> RunColumn:
    """Numbers where every value is one or a text that reads as one (`1e-4` in YAML), else names."""
    numbers = [_number(value) for value in values]
    if all(value is None or number is not None for value, number in zip(values, numbers, strict=True)):
        return RunColumn(key, tuple(_finite(number) for number in numbers))
    words = tuple(None if value is None else _word(value) for value in values)
    return RunColumn(key, words, tuple(sorted({word for word in words if word is not None}, key=_natural)))


def _natural(word: str) -> tuple[bool, float, str]:
    number = _number(word)
    return (number is None, number or 0.0, word)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
