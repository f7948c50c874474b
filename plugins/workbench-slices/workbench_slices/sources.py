"""Where predictions are: files that a run logged or that lie in its folder, and the exports of a monitor."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import msgspec

from workbench.plugin.api import Focus, Query, Run, Window
from workbench_slices.model import Columns, Labels, Question, Subject
from workbench_slices.table import format_of

ENOUGH = 5_000
"""Rows that the newest windows are taken together to reach, where no window was chosen."""
_MOST_FILES = 10_000
_NAME = "predictions"
_OWN = ("timestamp", "timestamp_unit", "id")
_AFTERWARDS = ("status", "error", "weight", "version")
"""What became of a row, or who served it: no features of it."""
_ROLES = ("prediction", "probability", "label", "latency", "latency_unit", "positive")


def run_subject(query: Query, run: Run) -> Subject | None:
    """The predictions of a run, if it has any."""
    folder = query.root() / run.path
    found = next((path for path in _in_folder(folder)), None) or _logged(query, run, folder)
    if found is None:
        return None
    return Subject(run.name, found.name, Question((str(found),)), "run")


def _in_folder(folder: Path) -> Iterator[Path]:
    """Files called predictions in a run's folder, the newest first."""
    if folder.is_dir():
        named = [path for path in folder.glob(f"{_NAME}*") if format_of(path.name) and path.is_file()]
        yield from sorted(named, key=lambda path: -path.stat().st_mtime)


def _logged(query: Query, run: Run, folder: Path) -> Path | None:
    """The file that a run logged as data with the role predictions, or as an artifact of that name."""
    rows = query.sql(
        "SELECT kind, key, value FROM fact WHERE run_id = ? AND kind IN ('data', 'artifact') ORDER BY wall_time DESC",
        [run.id],
    ).rows
    for kind, key, value in rows:
        path = _path_in(value)
        named = str(key) == _NAME if kind == "data" else PurePath(str(key)).name.startswith(_NAME)
        if path and format_of(path) and (named or PurePath(path).name.startswith(_NAME)):
            found = _first_file(path, (folder, query.root(), Path(str(run.environment.get("cwd") or "."))))
            if found is not None:
                return found
    return None


def _path_in(value: Any) -> str:
    """The path in a fact about a file; empty where there is none, or where it is a URL."""
    try:
        fact = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return ""
    path = fact.get("path") if isinstance(fact, dict) else None
    return path if isinstance(path, str) and "://" not in path else ""


def _first_file(path: str, folders: Sequence[Path]) -> Path | None:
    """A path as it was logged, from wherever that was."""
    tried = [folder / path for folder in folders]  # an absolute path replaces the folder
    return next((place for place in tried if place.is_file()), None)


def monitor_subject(query: Query, monitor: str, focus: Focus) -> Subject | None:
    """The exports of a monitor, in the window that is looked at, or in the newest ones whose labels have come."""
    windows = [window for window in query.windows(monitor) if not window.segment and window.rows]
    settings = _settings(query.root(), monitor)
    if not windows or not isinstance(settings.get("path"), str):
        return None
    chosen = _chosen(query, windows, focus.window)
    files = _files(query.root(), settings["path"])
    columns, labels = _columns(settings), _labels(query.root(), settings)
    where = _span(windows, chosen, settings)
    if where is None:
        modified = {window.start for window in chosen}
        files = [path for path in files if any(abs(path.stat().st_mtime - at) < 1.5 for at in modified)] or files[-1:]
    kind, (first, last) = where or ("", (0.0, 0.0))
    question = Question(
        tuple(str(path) for path in files), columns, labels, (first, last) if kind == "times" else None,
        (int(first), int(last)) if kind == "numbers" else None,
    )  # fmt: skip
    return Subject(monitor, _words(chosen, where), question, "monitor")


def _chosen(query: Query, windows: Sequence[Window], start: float | None) -> Sequence[Window]:
    """The window that begins at `start`, or the newest ones that are whole and labelled, oldest first."""
    opened = [window for window in windows if start is not None and abs(window.start - start) < 0.5]
    if opened:
        return opened
    labelled = [window for window in windows if _is_measured(query, window)] or list(windows)
    taken: list[Window] = []
    for window in reversed(labelled):
        taken.append(window)
        if sum(each.rows for each in taken) >= ENOUGH:
            break
    return taken[::-1]


def _is_measured(query: Query, window: Window) -> bool:
    """Whether how right the model was in a window is known, not only estimated."""
    share = window.metrics.get("labelled.share")
    if share is not None:
        return share > 0.5
    return any(
        value is not None and math.isfinite(value) and query.roles(key).kind == "performance"
        for key, value in window.metrics.items()
        if not key.startswith("estimated.")
    )


def _span(
    windows: Sequence[Window], chosen: Sequence[Window], settings: Mapping[str, Any]
) -> tuple[str, tuple[float, float]] | None:
    """Which rows the windows are: of two times, or of two numbers; None where each window is a file."""
    first, last = chosen[0].start, chosen[-1].end
    spec = settings.get("window")
    by_rows = isinstance(spec, dict) and "rows" in spec
    if all(window.end - window.start == window.rows and window.start < 1e8 for window in windows):
        return "numbers", (first, last)
    if first == last or (not by_rows and not (isinstance(spec, dict) and "every" in spec)):
        return None
    return "times", (first, math.nextafter(last, math.inf) if by_rows else last)


def _settings(root: Path, monitor: str) -> Mapping[str, Any]:
    """`[monitor.NAME]` of the project's settings; empty where there is none that can be read."""
    try:
        told = tomllib.loads((root / "workbench.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    monitors = told.get("monitor")
    own = monitors.get(monitor) if isinstance(monitors, dict) else None
    return own if isinstance(own, dict) else {}


def _columns(settings: Mapping[str, Any]) -> Columns:
    given = settings.get("columns")
    given = given if isinstance(given, dict) else {}
    told = {role: given[role] for role in _ROLES if isinstance(given.get(role), str)}
    told |= {name: settings[name] for name in _OWN if isinstance(settings.get(name), str)}
    lists = {name: tuple(map(str, given.get(name) or ())) for name in ("features", "ignore")}
    business = given.get("business")
    after = [*(given.get(name) for name in _AFTERWARDS), *(given.get("redact") or ())]
    after += list(business.values()) if isinstance(business, dict) else [business]
    lists["ignore"] += tuple(name for name in after if isinstance(name, str))
    return msgspec.convert(told | lists, Columns)


def _labels(root: Path, settings: Mapping[str, Any]) -> Labels | None:
    given = settings.get("labels")
    if not isinstance(given, dict) or not isinstance(given.get("path"), str):
        return None
    files = tuple(str(path) for path in _files(root, given["path"]))
    named = [given[name] if isinstance(given.get(name), str) else None for name in ("id", "label")]
    return Labels(files, *named)


def _files(root: Path, pattern: str) -> list[Path]:
    """Files below the project that match, in order of their names; a pattern that leaves it matches nothing."""
    relative = PurePath(pattern)
    if relative.is_absolute() or ".." in relative.parts:
        return []
    return sorted(path for path in root.glob(pattern) if format_of(path.name) and path.is_file())[:_MOST_FILES]


def _words(chosen: Sequence[Window], where: tuple[str, tuple[float, float]] | None) -> str:
    """The windows in words."""
    from datetime import UTC, datetime

    many = "1 window" if len(chosen) == 1 else f"{len(chosen)} windows"
    if where is None:
        return many
    kind, (first, last) = where
    if kind == "numbers":
        return f"{many}, rows {first:,.0f} to {last:,.0f}"
    days = [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") for at in (first, last)]
    return f"{many}, {days[0]} to {days[1]}"
