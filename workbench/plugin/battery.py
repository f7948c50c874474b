"""The battery that plugins are checked with: every size, format and mishap that a real project brings."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import numpy as np

from workbench.core.blocks import Block
from workbench.core.query import Fit, Focus, Query
from workbench.plugin.api import DriftTest, Metric, Panel, Reader, Rule, Section
from workbench.plugin.box import PluginError, answer_of
from workbench.plugin.checks import check_block
from workbench.plugin.loading import check as check_contract
from workbench.plugin.trials import FAILED, Counting, Raising, StoreIsBusy, project_of, told, tried

FITS = tuple(
    Fit(columns, rows, colors, unicode)
    for columns, rows in ((20, 5), (40, 12), (80, 24), (120, 40), (200, 60))
    for colors, unicode in ((256, True), (1, False))
)
MANY = 1000
MOST_QUESTIONS = 100
"""Questions of one kind that a load may ask: more is one a run, which takes seconds on a large project."""
KEYS = ("loss", "train/loss", "val/loss", "val/accuracy", "latency_ms", "lr")


def problems(made: Any, sample: bytes, name: str) -> list[str]:
    """Every way in which a plugin does not keep to the contract."""
    found: list[str] = []
    try:
        check_contract(made)
    except PluginError as error:
        return [str(error)]
    if isinstance(made, Panel):
        _panel(made, found)
    elif isinstance(made, Section):
        from workbench.panels.sections import SectionPanel

        _panel(SectionPanel(made), found)
    elif isinstance(made, Metric):
        _metric(made, found)
    elif isinstance(made, DriftTest):
        _drift_test(made, found)
    elif isinstance(made, Rule):
        _rule(made, found)
    elif isinstance(made, Reader):
        _reader(made, sample, name, found)
    return list(dict.fromkeys(found))


# Panels and sections


def _panel(panel: Panel, found: list[str]) -> None:
    for runs in (0, 1, MANY):
        counting = Counting(project_of(runs, KEYS))
        data = tried(
            found, f"load() with {runs:,} runs", panel.load, counting, _focus(counting), seconds=panel.deadline
        )
        if data is not FAILED:
            _views(panel, data, f"with {runs:,} runs", found)
        for method, times in counting.asked.items():
            if times > MOST_QUESTIONS:
                what = f"load() asked query.{method}() {times:,} times of {runs:,} runs"
                found.append(f"{what}: ask for a few runs, or use sparks(), percentiles(), paces() or sql()")
    _with_trouble(panel, found)


def _focus(query: Any) -> Focus:
    runs = query.query.runs()
    monitors = query.query.monitors()
    marked = tuple(run.id for run in runs[:2])
    return Focus(marked[0] if marked else None, marked, metric="loss", monitor=monitors[0] if monitors else None)


def _views(panel: Panel, data: Any, when: str, found: list[str]) -> None:
    """At every size, in every renderer, twice the same."""
    for fit in FITS:
        where = f"view() {when} at {fit.columns}x{fit.rows}{'' if fit.unicode else ', no colour, ASCII'}"
        block = tried(found, where, _checked, panel, data, fit)
        if block is FAILED:
            return
        tried(found, f"drawing what {where} gave", _drawn, panel, block, fit)
    again = [tried(found, "view() once more", lambda: _as_json(_checked(panel, data, FITS[4]))) for _ in range(2)]
    if again[0] != again[1]:
        found.append("view() gives other blocks for the same data: it must be pure")
    tried(found, f"to_json() {when}", lambda: json.dumps(_clean(panel.to_json(data))))


def _checked(panel: Panel, data: Any, fit: Fit) -> Block:
    block = panel.view(data, fit)
    check_block(block)
    return block


def _with_trouble(panel: Panel, found: list[str]) -> None:
    """A store that cannot be read: the panel raises what it was told, or shows something else."""
    data: Any = None
    try:
        data = answer_of(lambda: panel.load(cast("Query", Raising()), Focus()), panel.deadline)
    except StoreIsBusy:
        return
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is told
        if not _comes_of(error):
            found.append(told("load() where the query raises", error))
        return
    tried(found, "view() of what load() gave where the query raised", lambda: _checked(panel, data, FITS[4]))


def _comes_of(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, StoreIsBusy):
            return True
        error = error.__cause__ or error.__context__
    return False


def _drawn(panel: Panel, block: Block, fit: Fit) -> None:
    """In the report's formats and on the interface's screen."""
    from workbench.render.document import Document, Section
    from workbench.render.formats import FORMATS, render
    from workbench.tui.draw import draw
    from workbench.tui.drawing import Room
    from workbench.tui.look import look_of

    document = Document("check", sections=[Section(panel.title, block, panel.name)])
    for form in FORMATS if fit == FITS[4] else ("text",):
        render(document, form, fit)
    look = look_of({}, True, colors=fit.colors > 1)
    widths = {strip.cell_length for strip in draw(block, Room(fit.columns, fit.rows, look)).strips}
    if widths - {fit.columns}:
        raise PluginError(f"lines of {sorted(widths)} columns on a screen of {fit.columns}")


def _as_json(block: Block) -> Any:
    from workbench.render.document import Document, Section
    from workbench.render.formats import render

    return render(Document("check", sections=[Section("", block)]), "json")


def _clean(shape: Any) -> Any:
    from workbench.render.json import clean

    return clean(shape)


# Functions


def _metric(metric: Metric, found: list[str]) -> None:
    from workbench.plugin.derived import DerivedQuery
    from workbench.plugin.discovery import Loaded
    from workbench.plugin.guard import troubles
    from workbench.plugin.listing import Listed

    keys = (*(names[0] for names in metric.needs), *KEYS)
    plugin = Listed("workbench.metrics", metric.name, "", "", f"check {id(metric)}")
    for runs in (0, 1, MANY):
        query = DerivedQuery(project_of(runs, tuple(dict.fromkeys(keys))), [Loaded(plugin, metric)], {})
        derived = [run for run in query.runs() if metric.name in run.metrics]
        trouble = next((each.error for each in troubles() if each.plugin == plugin), "")
        if trouble:
            found.append(f"with {runs:,} runs: {trouble}")
            return
        for run in derived[:3]:
            query.series(run.id, metric.name)


def _drift_test(test: DriftTest, found: list[str]) -> None:
    draw = np.random.default_rng(7)
    same, far = np.sort(draw.normal(size=500)), np.sort(draw.normal(3.0, 1.0, size=400))
    samples = {
        "equal samples": (same, same), "samples far apart": (same, far), "one value each": (same[:1], far[:1]),
        "constants": (np.ones(50), np.ones(40)), "ties": (np.repeat([1.0, 2.0], 50), np.repeat([1.0, 2.0], [20, 80])),
    }  # fmt: skip
    if test.of == "categories":
        samples = {
            "equal samples": (np.array([50.0, 30.0, 20.0]), np.array([50.0, 30.0, 20.0])),
            "samples far apart": (np.array([90.0, 10.0, 0.0]), np.array([0.0, 20.0, 80.0])),
            "one category": (np.array([50.0]), np.array([40.0])),
        }
    scores: dict[str, Any] = {}
    for what, (reference, current) in samples.items():
        copies = reference.copy(), current.copy()
        scores[what] = tried(found, f"with {what}", lambda *given: _finite(test(*given)), *copies)
        if not (np.array_equal(copies[0], reference) and np.array_equal(copies[1], current)):
            found.append(f"with {what}: it changes the samples it is given")
    if FAILED in (scores["equal samples"], scores["samples far apart"]):
        return
    drifts = {what: _drifts(test, scores[what]) for what in ("equal samples", "samples far apart")}
    if drifts["equal samples"]:
        found.append(f"equal samples score {scores['equal samples']:g}, which is drift by its threshold")
    if not drifts["samples far apart"]:
        found.append(f"samples far apart score {scores['samples far apart']:g}, which is no drift by its threshold")


def _finite(score: Any) -> float:
    if isinstance(score, bool) or not isinstance(score, int | float | np.number) or not math.isfinite(score):
        raise PluginError(f"it gave {score!r} instead of a finite number")
    return float(score)


def _drifts(test: DriftTest, score: float) -> bool:
    return score <= test.threshold if test.p_value else score >= test.threshold


def _rule(rule: Rule, found: list[str]) -> None:
    from workbench.ingest.rules import checked_findings

    for runs in (0, 1, MANY):
        counting = Counting(project_of(runs, KEYS))
        tried(found, f"with {runs:,} runs", lambda query: checked_findings(list(rule(query))), counting)


# Readers


def _reader(reader: Reader, sample: bytes, name: str, found: list[str]) -> None:
    from workbench.plugin.testing import read, same

    if not sample:
        found.append("a reader is checked on a file of its format: check(reader, sample, name), or --sample FILE")
        return
    if reader.framing not in ("lines", "file"):
        found.append(f"readers of {reader.framing} are not checked yet: test claim() and read() yourself")
        return
    whole = tried(found, f"reading {name}", lambda: read(reader, sample, name))
    if whole is FAILED:
        return
    if whole.claim.score <= 0:
        found.append(f"claim() does not want {name}: {whole.claim.why or 'score 0'}")
    if not whole.points and not whole.facts:
        found.append(f"read() finds neither points nor facts in {name}")
    for size in (1, 100, 4096) if reader.framing == "lines" else ():
        cut = partial(read, reader, sample, name, at_once=size)
        pieces = tried(found, f"reading {name}, {size} bytes at a time", cut)
        if pieces is not FAILED and not same(whole, pieces):
            found.append(f"read() finds something else where {name} comes {size} bytes at a time: keep it in `state`")
    damaged = b"\xff\xfe\x00 damaged \x1b[31m\n" + b"x" * 100_000 + b"\n" + sample
    for what, data in (("damaged lines", damaged), ("nothing", b"\n"), ("half a line", sample[: len(sample) // 2])):
        if reader.framing == "lines":
            tried(found, f"reading {what}", read, reader, data, name)
    with contextlib.suppress(StopIteration):
        tried(found, "claim() of a file that is none of its own", lambda: reader.claim(next(_heads())))


def _heads() -> Iterator[Any]:
    from pathlib import PurePath

    from workbench.plugin.api import Head

    yield Head(PurePath("odd"), bytes(range(256)), 256)
