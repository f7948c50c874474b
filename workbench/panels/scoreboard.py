"""Scoreboard: the four metrics of each released model, now and before, beside what training promised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from workbench.core import units
from workbench.core.compare import delta
from workbench.core.model import Finding, Roles, Run, Window
from workbench.core.moments import moment
from workbench.core.query import Query
from workbench.core.roles import percentile_key, split_percentile, words_of
from workbench.core.strength import drift_share
from workbench.panels import production
from workbench.panels.monitors import NO_MONITOR, no_windows, share_tone
from workbench.panels.parts import delta_tone, that_fit
from workbench.panels.production import TONES, MonitorData
from workbench.panels.shapes import finding_shape, number
from workbench.panels.shapes import moment as iso_moment
from workbench.plugin.api import Block, Cell, Column, Columns, Fit, Focus, Note, Panel, Stack, Table

_KINDS = ("business", "performance", "latency", "data")
_LEADING = {
    "business": ("business.mean", "business."),
    "performance": ("auc", "accuracy", "f1", "mae", "rmse", "estimated.auc", "estimated.accuracy", "estimated."),
    "latency": ("latency_ms.p95", ".p95", ".p99", ".p50"),
}
_OF_KIND = {
    "business": ("business",), "performance": ("performance", "estimated"), "latency": ("latency", "errors"),
    "data": ("drift", "missing", "schema", "quality", "volume", "freshness"),
}  # fmt: skip
_WORDS = {
    "drift": "drifting", "volume": "rows", "freshness": "no rows", "performance": "worse", "business": "worse",
    "estimated": "worse (estimated)", "latency": "slower", "missing": "missing values", "schema": "schema changed",
}  # fmt: skip
"""What is wrong, in a word or two, by the kind of finding."""
_DRIFT = "drift.share"
_WIDE = 100
"""Columns that each of several models has at least."""
_SPLITS = ("test", "val", "valid", "validation", "eval", "final")
_COLUMNS = (
    Column("kind", "", priority=0),
    Column("metric", "metric", priority=1),
    Column("now", "now", align="right", priority=0),
    Column("before", "before", align="right", priority=2),
    Column("trend", "trend", priority=4),
    Column("verdict", "verdict", priority=0),
    Column("training", "training", align="right", priority=3),
    Column("window", "window", priority=5),
)


class Score(Struct, frozen=True):
    """One of the four metrics of a model."""

    kind: str
    key: str | None
    unit: str = ""
    roles: Roles = field(default_factory=Roles)
    now: float | None = None
    before: float | None = None
    training: float | None = None
    window: Window | None = None
    """The newest window that has it."""
    trend: Sequence[float] = ()
    findings: Sequence[Finding] = ()
    """Open ones of its kind, the worst first."""


class ModelData(Struct, frozen=True):
    """One monitor's scores, and the run they are compared with."""

    monitor: str
    scores: Sequence[Score]
    findings: Sequence[Finding]
    windows: Sequence[Window]
    run: str | None = None


class ScoreboardData(Struct, frozen=True):
    """Every monitor, or the focused one."""

    models: Sequence[ModelData] = ()
    monitors: Sequence[str] = ()
    asked: str | None = None


class ScoreboardPanel(Panel):
    """Is the model fine, since when not, why, and what next."""

    name = "scoreboard"
    title = "Scoreboard"
    key = "6"

    def load(self, query: Query, focus: Focus) -> ScoreboardData:
        """The focused monitor's scores, or those of all."""
        names = list(query.monitors())
        wanted = names if focus.monitor is None else [name for name in names if name == focus.monitor]
        return ScoreboardData([_model(query, name) for name in wanted], names, focus.monitor)

    def view(self, data: ScoreboardData, fit: Fit) -> Block:
        """A table a model, its worst finding below it, and the next step."""
        if not data.models:
            return NO_MONITOR if data.asked is None else no_windows(data.asked, data.monitors)
        several, across = len(data.models) > 1, max(fit.columns // _WIDE, 1)
        room = replace(fit, columns=fit.columns // across - 2) if several and across > 1 else fit
        blocks: list[Block] = []
        for first in range(0, len(data.models), across):
            row = [_model_blocks(model, room, several=several) for model in data.models[first : first + across]]
            blocks += row[0] if len(row) == 1 else [Columns([Stack(each) for each in row])]
        return Stack(blocks, self.title if len(data.models) > 1 else f"{self.title}: {data.models[0].monitor}")

    def to_json(self, data: ScoreboardData) -> Any:
        """A list of models with their scores and open findings."""
        return [_shape(model) for model in data.models] or None


def _model(query: Query, name: str) -> ModelData:
    data = production.load_monitor(query, Focus(monitor=name))
    open_ones = [each for each in data.findings if each.until is None and not each.segment and each.severity != "info"]
    run = query.trained_by(name)
    promised = _promised(query, run) if run is not None else {}
    scores = [_score(data, kind, open_ones, promised) for kind in _KINDS] if data.windows else []
    return ModelData(name, scores, data.findings, data.windows, run.name if run is not None else None)


def _score(data: MonitorData, kind: str, open_ones: Sequence[Finding], promised: dict[str, float]) -> Score:
    findings = [each for each in open_ones if each.kind in _OF_KIND[kind]]
    if kind == "data":
        return _data_score(data, findings)
    key = _leading(data, kind)
    if key is None:
        return Score(kind, None, findings=findings)
    known = [window for window in data.windows if production.value_of(window, key) is not None]
    window = known[-1] if known else None
    return Score(
        kind, key, data.unit(key), data.roles[key],
        production.value_of(window, key) if window is not None else None,
        production.usual(production.before_it(data, key, findings), key), promised.get(_plain(key)), window,
        _trend([production.value_of(each, key) for each in data.windows]), findings,
    )  # fmt: skip


def _data_score(data: MonitorData, findings: Sequence[Finding]) -> Score:
    shares = [drift_share(window) for window in data.windows]
    known = [(window, share) for window, share in zip(data.windows, shares, strict=True) if share is not None]
    if not known:
        return Score("data", None, findings=findings)
    since = [each.since for each in findings if each.kind == "drift" and each.since is not None]
    earlier = [share for window, share in known[:-1] if not since or window.start < min(since)]
    before = sorted(earlier)[len(earlier) // 2] if len(earlier) >= production.EARLIER else None
    roles = Roles("lower", "share", "data")
    return Score("data", _DRIFT, "share", roles, known[-1][1], before, None, known[-1][0], _trend(shares), findings)


def _leading(data: MonitorData, kind: str) -> str | None:
    """The metric that stands for its kind; measured performance before estimated, unless labels are only to come."""
    keys = [key for key in data.roles if _kind(data, key) == kind and not key.endswith(".sum")]
    filled = [key for key in keys if any(production.value_of(window, key) is not None for window in data.windows)]

    def place(key: str) -> tuple[int, str]:
        patterns = _LEADING[kind]
        fits = (at for at, each in enumerate(patterns) if key == each or (each in key and each[:1] == ".")
                or (each[-1:] == "." and key.startswith(each)))  # fmt: skip
        return next(fits, len(patterns)), key

    return min(filled, key=place, default=None)


def _kind(data: MonitorData, key: str) -> str:
    if key.startswith("business."):
        return "business"
    if key.startswith(("quality.", "drift.", "labelled.")):
        return "data"
    return "performance" if key.startswith("estimated.") else data.roles[key].kind


def _trend(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values[-24:]]


def _promised(query: Query, run: Run) -> dict[str, float]:
    """What training promised, by the metric's last word and by percentile; validation before anything else."""
    found: dict[str, float] = {}
    keys = [key for key in run.metrics if query.roles(key).kind == "latency"]
    for (_, key), values in query.percentiles([run.id], keys, (50, 95, 99)).items():
        found.update({percentile_key(key, q): value for q, value in zip((50.0, 95.0, 99.0), values, strict=True)})
    for key in sorted(run.metrics, key=lambda key: (not set(words_of(key)) & set(_SPLITS), key)):
        summary = run.metrics[key]
        value = summary.best if summary.best is not None else summary.last
        if value is not None and "train" not in words_of(key):
            found.setdefault(words_of(key)[-1], value)
    return found


def _plain(key: str) -> str:
    """A production metric as training calls it."""
    if split_percentile(key) is not None:
        return key
    return words_of(key)[-1] if words_of(key) else key


def _model_blocks(model: ModelData, fit: Fit, *, several: bool) -> list[Block]:
    title = model.monitor if several else ""
    if not model.windows:
        return [Note(f"{model.monitor}: no windows yet – `workbench watch --once` reads its exports", "dim")]
    rows = [_row(model, score) for score in model.scores]
    kept = that_fit(_COLUMNS, rows, fit)
    if model.run is None:
        kept = [at for at in kept if _COLUMNS[at].key != "training"]
    table = Table(
        [_COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in rows], title,
        [f"{model.monitor}:{score.kind}" for score in model.scores],
    )  # fmt: skip
    worst = [each for each in model.findings if each.until is None and each.severity != "info"]
    notes: list[Block] = [production.finding_note(each) for each in worst[: 2 if several else 4]]
    if worst:
        notes.append(Note(f"Next: {production.next_step(worst[0])}.", "dim"))
    else:
        count, last = len(model.windows), moment(model.windows[-1].start, model.windows)
        notes.append(Note(f"nothing worth attention in {count} windows up to {last}", "good"))
    return [table, *notes]


def _row(model: ModelData, score: Score) -> list[Cell]:
    now = units.value(score.now, score.unit)
    change = delta(score.now, score.before, score.roles.direction)
    relative = None if change is None or score.kind == "data" else change.relative
    promised = delta(score.now, score.training, score.roles.direction)
    words, tone = _verdict(model, score)
    stale = score.window is not None and score.window.start < model.windows[-1].start
    label = "" if score.window is None else moment(score.window.start, model.windows)
    return [
        Cell(score.kind),
        Cell(score.key or "–"),
        Cell(score.now, delta_tone(change) if tone in ("bad", "warn") else "", relative, text=now if score.key else ""),
        Cell(score.before, text=units.value(score.before, score.unit)),
        Cell(None, spark=score.trend),
        Cell(words, tone),
        Cell(score.training, delta_tone(promised), text=units.value(score.training, score.unit)),
        Cell(label, "warn" if stale else ""),
    ]


def _verdict(model: ModelData, score: Score) -> tuple[str, Any]:
    """In a few words: fine, or what is wrong and since when."""
    told = [each for each in score.findings if each.severity != "info"]
    if told:
        alike = [each for each in told if each.severity == told[0].severity and each.kind == told[0].kind]
        worst = min(alike, key=lambda each: each.since or 0.0)
        since = "" if worst.since is None else f" since {moment(worst.since, model.windows)}"
        return f"{_WORDS.get(worst.kind, worst.kind)}{since}", TONES[worst.severity]
    if score.key is None:
        return {"performance": "no labels", "business": "not configured", "latency": "not configured"}.get(
            score.kind, "no reference"
        ), "dim"
    if score.kind == "data" and score.now:
        return "some columns", share_tone(score.now)
    return "fine", "good"


def _shape(model: ModelData) -> dict[str, Any]:
    return {
        "monitor": model.monitor,
        "run": model.run,
        "scores": [
            {
                "kind": score.kind, "metric": score.key, "now": number(score.now), "before": number(score.before),
                "training": number(score.training), "verdict": _verdict(model, score)[0],
                "window": iso_moment(score.window.start) if score.window is not None else None,
            }
            for score in model.scores
        ],
        "findings": [finding_shape(each) for each in model.findings if each.until is None],
    }  # fmt: skip
