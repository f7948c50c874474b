"""`workbench.toml`: read, checked, and turned into records; every error names file, key and the nearest right name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from workbench.core.model import Direction, MetricKind, Roles

CONFIG_NAME = "workbench.toml"
ANNOTATIONS_FOLDER = ".workbench/annotations"
"""Where what people say about runs is appended, relative to the project."""
_LISTED = 30
"""Names listed where none is near: a project may have thousands."""
_DURATION = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


class ConfigError(ValueError):
    """The configuration cannot be used; the message names file, key and what would be right."""


@dataclass(frozen=True, slots=True)
class ColumnRoles:
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


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """How production rows are sliced: by time, by count, or (neither) by file."""

    every: float | None = None
    """Seconds."""
    rows: int | None = None
    min_rows: int = 30


@dataclass(frozen=True, slots=True)
class MonitorConfig:
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


@dataclass(frozen=True, slots=True)
class GateConfig:
    """A rule that fails CI: `check` is an expression, judged on the newest run that matches `where`."""

    name: str
    check: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Config:
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
    return _Checker(path).config(root, data)


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


class _Checker:
    """Walks a parsed file and says where it is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, key: str, why: str) -> ConfigError:
        return ConfigError(f"{self.path}: {key}: {why}")

    def table(self, data: Any, key: str, known: Collection[str]) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self.fail(key, f"expected a table, got {type(data).__name__}")
        for name in data:
            if name not in known:
                raise self.fail(f"{key}.{name}" if key else name, f"unknown key{nearest(name, known)}")
        return data

    def named(self, top: Mapping[str, Any], key: str, expected: str) -> Collection[tuple[str, Any]]:
        """Names, which are free, and what is said of each."""
        data = top.get(key, {})
        if not isinstance(data, dict):
            raise self.fail(key, f"expected {expected}, got {type(data).__name__}")
        return list(data.items())

    def text(self, table: Mapping[str, Any], key: str, name: str, default: str | None = None) -> str | None:
        value = table.get(name, default)
        if value is not None and not isinstance(value, str):
            raise self.fail(f"{key}.{name}", f"expected text, got {value!r}")
        return value

    def choice(self, table: Mapping[str, Any], key: str, name: str, known: Collection[str], default: Any) -> Any:
        value = table.get(name, default)
        if value != default and value not in known:
            raise self.fail(f"{key}.{name}", f"{value!r} is not one of them{nearest(str(value), known)}")
        return value

    def texts(self, table: Mapping[str, Any], key: str, name: str) -> tuple[str, ...]:
        value = table.get(name, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(f"{key}.{name}", f"expected a list of texts, got {value!r}")
        return tuple(value)

    def whole(self, table: Mapping[str, Any], key: str, name: str, default: int | None) -> int | None:
        value = table.get(name, default)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise self.fail(f"{key}.{name}", f"expected a whole number above 0, got {value!r}")
        return value

    def config(self, root: Path, data: Any) -> Config:
        top = self.table(data, "", ("project", "metrics", "monitor", "gates", "plugins"))
        project = self.table(top.get("project", {}), "project", ("ignore", "main_metric"))
        return Config(
            root,
            self.path,
            self.texts(project, "project", "ignore"),
            self.text(project, "project", "main_metric"),
            {key: self.roles(key, value) for key, value in self.named(top, "metrics", "[metrics.KEY] tables")},
            {name: self.monitor(name, value) for name, value in self.named(top, "monitor", "[monitor.NAME] tables")},
            tuple(self.gate(name, value) for name, value in self.named(top, "gates", 'lines such as NAME = "CHECK"')),
            dict(self.named(top, "plugins", "[plugins.NAME] tables")),
        )

    def roles(self, name: str, data: Any) -> Roles:
        key = f"metrics.{name}"
        table = self.table(data, key, ("direction", "unit", "kind"))
        return Roles(
            self.choice(table, key, "direction", get_args(Direction), None),
            self.text(table, key, "unit", "") or "",
            self.choice(table, key, "kind", get_args(MetricKind), "other"),
        )

    def gate(self, name: str, data: Any) -> GateConfig:
        key = f"gates.{name}"
        if isinstance(data, str):
            return GateConfig(name, data)
        table = self.table(data, key, ("check", "where"))
        check = self.text(table, key, "check")
        if not check:
            raise self.fail(key, 'missing `check`, such as check = "best(val/accuracy) >= 0.9"')
        return GateConfig(name, check, self.text(table, key, "where", "") or "")

    def monitor(self, name: str, data: Any) -> MonitorConfig:
        key = f"monitor.{name}"
        known = ("path", "format", "timestamp", "timestamp_unit", "columns", "reference", "window")
        table = self.table(data, key, known)
        path = self.text(table, key, "path")
        if not path:
            raise self.fail(key, 'missing `path`, such as path = "exports/*.parquet"')
        reference = self.table(table.get("reference", {}), f"{key}.reference", ("path",))
        return MonitorConfig(
            name,
            path,
            self.choice(table, key, "format", ("auto", "parquet", "csv", "jsonl"), "auto"),
            self.text(table, key, "timestamp"),
            self.choice(table, key, "timestamp_unit", ("auto", "iso", "s", "ms", "us", "ns"), "auto"),
            self.columns(f"{key}.columns", table.get("columns", {})),
            self.text(reference, f"{key}.reference", "path"),
            self.window(f"{key}.window", table.get("window", {})),
        )

    def columns(self, key: str, data: Any) -> ColumnRoles:
        single = ("prediction", "probability", "label", "latency", "status", "business")
        several = ("features", "ignore", "categorical")
        table = self.table(data, key, (*single, "latency_unit", *several))
        unit = self.choice(table, key, "latency_unit", ("auto", "s", "ms", "us", "ns"), "auto")
        texts: dict[str, Any] = {name: self.text(table, key, name) for name in single}
        lists: dict[str, Any] = {name: self.texts(table, key, name) for name in several}
        return ColumnRoles(latency_unit=unit, **texts, **lists)

    def window(self, key: str, data: Any) -> WindowSpec:
        table = self.table(data, key, ("every", "rows", "min_rows"))
        if "every" in table and "rows" in table:
            raise self.fail(key, "`every` and `rows` exclude each other")
        every = table.get("every")
        try:
            seconds = None if every is None else parse_duration(str(every))
        except ValueError as error:
            raise self.fail(f"{key}.every", str(error)) from error
        min_rows = self.whole(table, key, "min_rows", 30)
        return WindowSpec(seconds, self.whole(table, key, "rows", None), min_rows or 30)
