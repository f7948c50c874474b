"""`workbench.toml`: read, checked, and turned into records; every error names file, key and the nearest right name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from workbench.core.model import Direction, Roles

CONFIG_NAME = "workbench.toml"
ANNOTATIONS_FOLDER = ".workbench/annotations"
"""Where what people say about runs is appended, relative to the project."""
_LISTED = 30
"""Names listed where none is near: a project may have thousands."""
_DURATION = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


class ConfigError(ValueError):
    """The configuration cannot be used; the message names file, key and what would be right."""


class Measure(Struct, frozen=True):
    """A business metric: its name, the column or expression it comes from, and which way is better."""

    name: str
    value: str
    direction: Direction | None = None


class ColumnRoles(Struct, frozen=True):
    """Which columns of an export play which role; None where nobody said."""

    prediction: str | None = None
    probability: str | None = None
    label: str | None = None
    latency: str | None = None
    latency_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    status: str | None = None
    business: str | None = None
    features: tuple[str, ...] = ()
    """Columns tested for drift; empty is every column without another role."""
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    positive: str | None = None
    """The class that probabilities are about, as text."""
    error: str | None = None
    """An expression that is true of a request that failed; without it the status says."""
    weight: str | None = None
    """Column or expression: how many requests a row stands for."""
    measures: tuple[Measure, ...] = ()
    """Named business metrics; `business` is the one without a name."""
    segments: tuple[str, ...] = ()
    version: str | None = None
    redact: tuple[str, ...] = ()
    """Columns whose values are hashed, with a key of the project, before anything is kept."""


class LabelSpec(Struct, frozen=True):
    """Where labels that come later are, and which columns tell what they belong to; None is guessed by name."""

    path: str
    """Glob relative to the project."""
    id: str | None = None
    label: str | None = None
    timestamp: str | None = None
    horizon: float = 90 * 86_400.0
    """Seconds for which rows wait for their labels."""


class WindowSpec(Struct, frozen=True):
    """How production rows are sliced: by time, by count, or (neither) by file."""

    every: float | None = None
    """Seconds."""
    rows: int | None = None
    min_rows: int = 30


class DriftSpec(Struct, frozen=True):
    """Which drift methods and thresholds a monitor uses, by the names of `workbench drift`; None is the default."""

    method: str | None = None
    num_method: str | None = None
    cat_method: str | None = None
    threshold: float | None = None
    num_threshold: float | None = None
    cat_threshold: float | None = None


class MonitorConfig(Struct, frozen=True):
    """One `[monitor.NAME]`: where rows come from, what columns mean, what they are compared with."""

    name: str
    path: str
    """Glob relative to the project."""
    format: str = "auto"
    timestamp: str | None = None
    timestamp_unit: Literal["auto", "iso", "s", "ms", "us", "ns"] = "auto"
    columns: ColumnRoles = field(default_factory=ColumnRoles)
    reference: str | None = None
    """Path or glob relative to the project."""
    window: WindowSpec = field(default_factory=WindowSpec)
    id: str | None = None
    """The column that names a row, by which labels find it."""
    labels: LabelSpec | None = None
    reference_window: tuple[float, float] | None = None
    """A span of production itself: from and until, seconds since 1970, the end excluded."""
    reference_run: str | None = None
    """Name or id of the run whose logged data is the reference."""
    drift: DriftSpec = field(default_factory=DriftSpec)


class GateConfig(Struct, frozen=True):
    """A rule that fails CI: `check` is an expression, judged on the newest run that matches `where`."""

    name: str
    check: str
    where: str = ""


class Config(Struct, frozen=True):
    """A project's settings; the defaults serve without a file."""

    root: Path
    path: Path | None = None
    ignore: tuple[str, ...] = ()
    """Globs of folders and files never looked at, relative to the project."""
    main_metric: str | None = None
    metrics: Mapping[str, Roles] = field(default_factory=dict)
    """By exact name or glob pattern."""
    monitors: Mapping[str, MonitorConfig] = field(default_factory=dict)
    gates: tuple[GateConfig, ...] = ()
    plugins: Mapping[str, Any] = field(default_factory=dict)
    panels: Mapping[str, Any] = field(default_factory=dict)
    """`[panel.NAME]` tables as they stand: each panel knows its own options."""


def load_config(root: Path) -> Config:
    """Read `workbench.toml` of a project, or the defaults where there is none.

    Raises:
        ConfigError: not TOML, an unknown key, or a value of the wrong kind.
    """
    path = root / CONFIG_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Config(root)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: {error}") from error
    from workbench.core.config_check import checked

    return checked(path, root, data)


def parse_duration(text: str) -> float:
    """Seconds of `15m`, `1h`, `7d`, `1w`, or a bare number of seconds.

    Raises:
        ValueError: neither.
    """
    match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*([smhdw]?)\s*", text, re.ASCII)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is no duration; write 15m, 1h, 1d or 1w")
    return float(match[1]) * _DURATION[match[2] or "s"]


def nearest(name: str, known: Collection[str]) -> str:
    """` – did you mean 'x'?` for the closest known name, or the list of them."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f" – did you mean {close[0]!r}?"
    listed = sorted(known)
    more = ", …" if len(listed) > _LISTED else ""
    return f" – known: {', '.join(listed[:_LISTED])}{more}" if known else ""
