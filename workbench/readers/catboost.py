"""CatBoost's `catboost_info/`: everything it writes there is in one JSON file, written anew at each iteration."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Reader
from workbench.readers.gathering import (
    Gathering,
    NotYetError,
    grown,
    list_of,
    mapping_of,
    mark_of,
    number_of,
    object_of,
    scalar_of,
    whole_of,
)

_COVERED = ("learn_error.tsv", "test_error.tsv", "time_left.tsv", "*/events.out.tfevents")
_GOALS = {"Min": "min", "Max": "max"}
_TIMES = ("passed_time", "remaining_time")


class CatBoostReader(Reader):
    """Reads `catboost_training.json`; the TSV and event files beside it say the same with less."""

    name: ClassVar[str] = "catboost"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("catboost_training.json",)

    def claim(self, head: Head) -> Claim:
        """Certain when the head has CatBoost's description of the training."""
        if b'"meta"' in head.data and (b'"iteration_count"' in head.data or b'"learn_metrics"' in head.data):
            return Claim(1.0, "CatBoost's record of a training", covers=_COVERED)
        return Claim(0.0, "named catboost_training.json, but without meta and iteration_count", nearly=True)

    def read(self, chunk: Chunk) -> Batch:
        """The iterations that were added; all of them when another training took the file over."""
        try:
            loaded = object_of(chunk.place)
        except NotYetError as problem:
            return Batch(state=chunk.state, message=str(problem))
        meta = mapping_of(loaded.get("meta"))
        rows = [row for row in list_of(loaded.get("iterations")) if isinstance(row, dict)]
        done = grown(rows, mapping_of(chunk.state.get("rows")))
        if done is None or (chunk.start and chunk.state.get("meta") != meta):
            return Batch(restart=True, message="another training took the file over; read again")
        found = Gathering()
        for position, row in enumerate(rows[done:], done):
            _row(row, position, meta, found)
        if not chunk.start:
            found.facts += _facts(meta, chunk.path)
        found.facts += _best(rows, meta) if done < len(rows) else ()
        state = {"rows": mark_of(rows), "meta": meta}
        return found.batch(len(rows) - done + (not chunk.start), state, accepted=len(rows) - done)


def _row(row: Mapping[str, Any], position: int, meta: Mapping[str, Any], found: Gathering) -> None:
    """One iteration: for each set the values of its metrics, and the time it took."""
    step = whole_of(row.get("iteration"))
    if step is None:
        return
    for subset, names in _sets(meta):
        for name, value in zip(names, list_of(row.get(subset)), strict=False):
            number = number_of(value)
            if number is not None:
                found.point(f"{subset}/{name}", step, number, offset=position)
    for name in _TIMES:
        number = number_of(row.get(name))
        if number is not None:
            found.point(name, step, number, offset=position)


def _sets(meta: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each set of rows that was evaluated, with the names of its metrics in order."""
    for kind in ("learn", "test"):
        names = [str(mapping_of(item).get("name")) for item in list_of(meta.get(f"{kind}_metrics"))]
        for subset in list_of(meta.get(f"{kind}_sets")):
            yield str(subset), names


def _facts(meta: Mapping[str, Any], path: PurePath) -> Iterator[Fact]:
    total = whole_of(meta.get("iteration_count"))
    if total and total > 0:
        yield Fact("total_steps", total)
        yield Fact("param", total, "iterations")
    if meta.get("parameters"):
        yield Fact("environment", scalar_of(meta["parameters"]), "parameters")
    if meta.get("name") not in (None, "", "experiment"):
        yield Fact("name", str(meta["name"]))
    elif path.parent.name == "catboost_info" and path.parent.parent.name:
        yield Fact("name", path.parent.parent.name)
    for kind in ("learn", "test"):
        ways = {str(mapping_of(item).get("name")): mapping_of(item).get("best_value")
                for item in list_of(meta.get(f"{kind}_metrics"))}  # fmt: skip
        for subset in list_of(meta.get(f"{kind}_sets")):
            for name, way in ways.items():
                if isinstance(way, str) and way in _GOALS:
                    yield Fact("goal", _GOALS[way], f"{subset}/{name}")


def _best(rows: list[dict[str, Any]], meta: Mapping[str, Any]) -> Iterator[Fact]:
    """The best iteration by the first metric of the first test set, the one that CatBoost stops by."""
    metrics, sets = list_of(meta.get("test_metrics")), list_of(meta.get("test_sets"))
    if not metrics or not sets:
        return
    way = mapping_of(metrics[0]).get("best_value")
    values = [(number_of(next(iter(list_of(row.get(str(sets[0])))), None)), row.get("iteration")) for row in rows]
    scored = [(value, at) for value, at in values if value is not None and not math.isnan(value)]
    if scored and way in _GOALS:
        best = (min if way == "Min" else max)(scored, key=lambda pair: pair[0])
        yield Fact("summary", best[1], "best_iteration")
