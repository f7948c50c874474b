"""What trackio's databases and its inbox have in common: values, configurations and alerts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from workbench.plugin.api import Fact, Histogram
from workbench.readers.gathering import (
    LONGEST_TEXT,
    Gathering,
    list_of,
    mapping_of,
    number_of,
    scalar_of,
    utc_seconds,
    whole_of,
)

_DEEPEST = 16
_MOST_BINS = 4_096
_HISTOGRAM = "trackio.histogram"
_OWN = {"_Username": "user", "_Created": "started", "_Group": "group"}


def native_id(folder: PurePath, project: str, run_id: Any, name: Any) -> str:
    """The id of a run: trackio's own, or its project and name where an older version kept none.

    The folder is trackio's, so that a database and the inbox beside it tell of the same runs.
    """
    return f"trackio:{folder}:{run_id}" if run_id else f"trackio:{folder}:{project}:{name}"


def json_object(data: Any) -> Mapping[str, Any]:
    """The object in a column of JSON, text or bytes; empty where there is none."""
    if not isinstance(data, (str, bytes)):
        return {}
    try:
        return mapping_of(json.loads(data))
    except (ValueError, RecursionError):
        return {}


def add_values(
    found: Gathering, values: Mapping[str, Any], *, prefix: str, step: Any, wall: float | None, run: str, row: int
) -> None:
    """Add one row of metrics: numbers as points, histograms as such, texts as the latest of their key."""
    at = whole_of(step)
    if at is None:
        return
    for key, value in _leaves(values, prefix, 1):
        number = number_of(value)
        if number is not None:
            found.point(key, at, number, wall=wall, run=run, offset=row)
        elif isinstance(value, Mapping):
            histogram = _histogram(key, value, at, wall, run, row)
            if histogram is not None:
                found.histograms.append(histogram)
        elif isinstance(value, str):
            found.facts.append(Fact("summary", value[:LONGEST_TEXT], key, wall, row, run))


def _leaves(values: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every (key, value), nested keys joined by `/`; what trackio made of an object of its own stays whole."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and "_type" not in value and depth < _DEEPEST:
            yield from _leaves(value, f"{key}/", depth + 1)
        else:
            yield key, value


def _histogram(
    key: str, value: Mapping[str, Any], step: int, wall: float | None, run: str, row: int
) -> Histogram | None:  # fmt: skip
    if value.get("_type") != _HISTOGRAM:
        return None
    edges = [number_of(edge) for edge in list_of(value.get("bins"))[: _MOST_BINS + 1]]
    counts = [number_of(count) for count in list_of(value.get("values"))[:_MOST_BINS]]
    if len(edges) != len(counts) + 1 or None in edges or None in counts:
        return None
    bounds = np.array(edges, np.float64)
    if not np.isfinite(bounds).all() or (np.diff(bounds) < 0).any():
        return None
    return Histogram(key, step, math.nan if wall is None else wall, bounds, np.array(counts, np.float64), row, run)


def add_config(found: Gathering, config: Mapping[str, Any], *, run: str, row: int = 0) -> None:
    """Add a configuration: what trackio put into it is told apart from the author's params."""
    found.param_facts({key: value for key, value in config.items() if key not in _OWN}, run=run, offset=row)
    started = utc_seconds(config.get("_Created"))
    if started is not None:
        found.facts.append(Fact("started", started, "", None, row, run))
    if config.get("_Group"):
        found.facts.append(Fact("group", str(config["_Group"]), "", None, row, run))
    if config.get("_Username"):
        found.facts.append(Fact("environment", str(config["_Username"]), "user", None, row, run))


def add_alert(found: Gathering, alert: Mapping[str, Any], *, run: str, wall: float | None, row: int) -> None:
    """Add an alert as a note, with its level and step in words."""
    step = whole_of(alert.get("step"))
    at = "" if step is None else f" at step {step:,}"
    text = f": {alert['text']}" if alert.get("text") else ""
    note = f"{alert.get('level') or 'warn'}{at}: {alert.get('title') or 'alert'}{text}"
    found.facts.append(Fact("note", scalar_of(note), str(alert.get("alert_id") or f"alert {row}"), wall, row, run))
