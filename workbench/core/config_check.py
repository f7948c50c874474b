"""Checks a parsed `workbench.toml` and says where it is wrong: file, key, and the nearest right name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from msgspec.structs import replace

from workbench.core.config import (
    ColumnRoles,
    Config,
    ConfigError,
    DriftSpec,
    GateConfig,
    LabelSpec,
    Measure,
    MonitorConfig,
    WindowSpec,
    nearest,
    parse_duration,
)
from workbench.core.expressions import ExpressionError, parse_expression
from workbench.core.model import Direction, MetricKind, Roles

_TIME_UNITS = ("auto", "iso", "s", "ms", "us", "ns")


def checked(path: Path, root: Path, data: Any) -> Config:
    """The settings that a parsed file means.

    Raises:
        ConfigError: an unknown key, or a value of the wrong kind.
    """
    return _Checker(path).config(root, data)


class _Checker:
    """What a parsed file and says where it is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, key: str, why: str) -> ConfigError:
        """The error to raise about a key."""
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
        top = self.table(data, "", ("project", "metrics", "monitor", "gates", "plugins", "panel", "tui"))
        project = self.table(top.get("project", {}), "project", ("ignore", "main_metric"))
        monitors = {
            name: self.monitor(name, value) for name, value in self.named(top, "monitor", "[monitor.NAME] tables")
        }
        metrics = {key: self.roles(key, value) for key, value in self.named(top, "metrics", "[metrics.KEY] tables")}
        return Config(
            root,
            self.path,
            self.texts(project, "project", "ignore"),
            self.text(project, "project", "main_metric"),
            metrics | _measured(monitors.values(), metrics),
            monitors,
            tuple(self.gate(name, value) for name, value in self.named(top, "gates", 'lines such as NAME = "CHECK"')),
            dict(self.named(top, "plugins", "[plugins.NAME] tables")),
            dict(self.named(top, "panel", "[panel.NAME] tables")),
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
        known = (
            "path",
            "format",
            "id",
            "timestamp",
            "timestamp_unit",
            "columns",
            "labels",
            "reference",
            "window",
            "drift",
        )
        table = self.table(data, key, known)
        path = self.text(table, key, "path")
        if not path:
            raise self.fail(key, 'missing `path`, such as path = "exports/*.parquet"')
        reference = self.reference(f"{key}.reference", table.get("reference", {}))
        return MonitorConfig(
            name,
            path,
            self.choice(table, key, "format", ("auto", "parquet", "csv", "jsonl"), "auto"),
            self.text(table, key, "timestamp"),
            self.choice(table, key, "timestamp_unit", _TIME_UNITS, "auto"),
            self.columns(f"{key}.columns", table.get("columns", {})),
            reference[0],
            self.window(f"{key}.window", table.get("window", {})),
            self.text(table, key, "id"),
            self.labels(f"{key}.labels", table["labels"]) if "labels" in table else None,
            *reference[1:],
            drift=self.drift(f"{key}.drift", table.get("drift", {})),
        )

    def drift(self, key: str, data: Any) -> DriftSpec:
        methods = ("method", "num_method", "cat_method")
        thresholds = ("threshold", "num_threshold", "cat_threshold")
        table = self.table(data, key, (*methods, *thresholds))
        for name in thresholds:
            value = table.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise self.fail(f"{key}.{name}", f"expected a number, got {value!r}")
        texts: dict[str, Any] = {name: self.text(table, key, name) for name in methods}
        return DriftSpec(**texts, **{name: table.get(name) for name in thresholds})

    def columns(self, key: str, data: Any) -> ColumnRoles:
        single = ("prediction", "probability", "label", "latency", "status", "error", "weight", "version")
        several = ("features", "ignore", "categorical", "segments", "redact")
        table = self.table(data, key, (*single, "latency_unit", "positive", "business", *several))
        unit = self.choice(table, key, "latency_unit", ("auto", "s", "ms", "us", "ns"), "auto")
        texts: dict[str, Any] = {name: self.text(table, key, name) for name in single}
        lists: dict[str, Any] = {name: self.texts(table, key, name) for name in several}
        if texts["error"]:
            self.expression(f"{key}.error", texts["error"])
        business, measures = self.business(f"{key}.business", table.get("business"))
        return ColumnRoles(
            latency_unit=unit,
            business=business,
            measures=measures,
            positive=self.positive(key, table),
            **texts,
            **lists,
        )

    def positive(self, key: str, table: Mapping[str, Any]) -> str | None:
        value = table.get("positive")
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (bool, int, float)):
            return str(value).lower()
        raise self.fail(f"{key}.positive", f"expected a value of the label, got {value!r}")

    def business(self, key: str, data: Any) -> tuple[str | None, tuple[Measure, ...]]:
        if data is None or isinstance(data, str):
            return data or None, ()
        if not isinstance(data, dict):
            raise self.fail(key, f'expected a column, an expression, or NAME = "EXPRESSION" lines, got {data!r}')
        return None, tuple(self.measure(f"{key}.{name}", name, value) for name, value in data.items())

    def measure(self, key: str, name: str, data: Any) -> Measure:
        if isinstance(data, str):
            data = {"value": data}
        table = self.table(data, key, ("value", "direction"))
        value = self.text(table, key, "value")
        if not value:
            raise self.fail(key, 'missing `value`, a column or an expression such as value = "price * sold"')
        return Measure(name, value, self.choice(table, key, "direction", get_args(Direction), None))

    def expression(self, key: str, text: str) -> None:
        try:
            parse_expression(text)
        except ExpressionError as error:
            raise self.fail(key, str(error)) from error

    def labels(self, key: str, data: Any) -> LabelSpec:
        table = self.table(data, key, ("path", "id", "label", "timestamp", "horizon"))
        path = self.text(table, key, "path")
        if not path:
            raise self.fail(key, 'missing `path`, such as path = "labels/*.csv"')
        names = [self.text(table, key, name) for name in ("id", "label", "timestamp")]
        spec = LabelSpec(path, names[0], names[1], names[2])
        horizon = self.seconds(key, table, "horizon")
        return spec if horizon is None else replace(spec, horizon=horizon)

    def reference(self, key: str, data: Any) -> tuple[str | None, tuple[float, float] | None, str | None]:
        table = self.table(data, key, ("path", "window", "run"))
        if len(table) > 1:
            raise self.fail(key, f"`{'` and `'.join(table)}` exclude each other")
        span = self.text(table, key, "window")
        return (
            self.text(table, key, "path"),
            self.span(f"{key}.window", span) if span is not None else None,
            self.text(table, key, "run"),
        )

    def span(self, key: str, text: str) -> tuple[float, float]:
        """Both days are included; with a time of day, the end is that moment."""
        ends = []
        for part, last in zip(text.split("/"), (False, True), strict=False):
            try:
                moment = datetime.fromisoformat(part.strip())
            except ValueError:
                break
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            whole = last and len(part.strip()) <= len("2026-01-31")
            ends.append((moment + timedelta(days=whole)).timestamp())
        if len(ends) != 2 or text.count("/") != 1 or ends[0] >= ends[1]:
            raise self.fail(key, f'{text!r} is no span of time; write "2026-01-01/2026-01-31"')
        return ends[0], ends[1]

    def window(self, key: str, data: Any) -> WindowSpec:
        table = self.table(data, key, ("every", "rows", "min_rows"))
        if "every" in table and "rows" in table:
            raise self.fail(key, "`every` and `rows` exclude each other")
        min_rows = self.whole(table, key, "min_rows", 30)
        return WindowSpec(self.seconds(key, table, "every"), self.whole(table, key, "rows", None), min_rows or 30)

    def seconds(self, key: str, table: Mapping[str, Any], name: str) -> float | None:
        value = table.get(name)
        try:
            return None if value is None else parse_duration(str(value))
        except ValueError as error:
            raise self.fail(f"{key}.{name}", str(error)) from error


def _measured(monitors: Collection[MonitorConfig], said: Collection[str]) -> dict[str, Roles]:
    """What business metrics with a direction mean, unless `[metrics]` says it."""
    measures = [measure for monitor in monitors for measure in monitor.columns.measures if measure.direction]
    patterns = {f"business.{measure.name}.*": Roles(measure.direction, "", "business") for measure in measures}
    return {key: roles for key, roles in patterns.items() if key not in said}
