"""scikit-learn's `cv_results_`, saved as a table or as JSON: a run a candidate, its scores and its times."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, ClassVar

import numpy as np

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Points, Reader, no_points
from workbench.readers.csv.header import MISSING, guess_header
from workbench.readers.keys import number
from workbench.readers.lines import UTF8_BOM, decode
from workbench.tracking import redact

_PARAM = "param_"
_MARKS = (b"mean_fit_time", b"mean_test_", b"rank_test_")
_MAX_TEXT = 512
_TRUTH = {"True": True, "False": False}


class SearchReader(Reader):
    """Reads a grid, random or halving search: params from `param_*`, everything else that is a number as a metric."""

    name: ClassVar[str] = "sklearn"
    framing: ClassVar[Framing] = "file"
    names: ClassVar[Sequence[str]] = ("*.csv", "*.tsv", "*.txt", "*.json")

    def claim(self, head: Head) -> Claim:
        """Certain by the columns that every search has."""
        if sum(mark in head.data for mark in _MARKS) < 2 or b"param" not in head.data:
            return Claim(0.0, "not the results of a search: no mean_fit_time, params and rank_test_*")
        return Claim(0.95, "the results of a scikit-learn search: mean_fit_time and rank_test_*", many_runs=True)

    def read(self, chunk: Chunk) -> Batch:
        """A run a row, in the group of the file."""
        try:
            candidates = list(_candidates(chunk))
        except (ValueError, RecursionError, csv.Error) as error:
            return Batch(message=f"no complete table of a search: {error}")
        facts: list[Fact] = []
        scores: list[tuple[int, str, float]] = []
        for i, candidate in enumerate(candidates):
            facts += _facts(chunk.path, i, candidate)
            scores += [(i, key, value) for key, value in _scores(candidate)]
        return Batch(
            points=_points(chunk, len(candidates), scores), facts=facts, accepted=len(candidates),
            consumed=len(chunk.data),
        )  # fmt: skip


def _candidates(chunk: Chunk) -> Iterator[Mapping[str, Any]]:
    text = decode(chunk.data.removeprefix(UTF8_BOM))[0]
    if text.lstrip()[:1] in ("{", "["):
        yield from _of_json(json.loads(text))
        return
    header = guess_header(text.partition("\n")[0].rstrip("\r"))
    table = csv.reader(io.StringIO(text, newline=""), delimiter=header.delimiter)
    next(table, None)
    for row in table:
        if len(row) == header.width:
            yield {
                name: value
                for name, cell in zip(header.fields, row, strict=True)
                if name is not None and (value := _cell(cell)) is not None
            }


def _cell(text: str) -> Any:
    """A cell as what it spells; None where nothing does, or where a parameter did not apply."""
    if text.strip() in (*MISSING, "--"):
        return None
    value = number(text)
    return _TRUTH.get(text, text) if value is None else _whole(text, value)


def _whole(text: str, value: float | int) -> float | int:
    return int(value) if text.strip().lstrip("-").isdecimal() and math.isfinite(value) else value


def _of_json(loaded: Any) -> Iterator[Mapping[str, Any]]:
    """Candidates from a list of objects, or from columns as lists or, as pandas writes them, as objects by row."""
    if isinstance(loaded, list):
        yield from (item for item in loaded if isinstance(item, dict))
        return
    if not isinstance(loaded, dict):
        raise ValueError("neither an object nor a list")
    columns = {
        name: list(column.values()) if isinstance(column, dict) else column
        for name, column in loaded.items()
        if isinstance(column, (dict, list))
    }
    for i in range(max(map(len, columns.values()), default=0)):
        yield {name: column[i] for name, column in columns.items() if i < len(column)}


def _run(path: PurePath, i: int) -> str:
    return f"{path}#{i}"


def _facts(path: PurePath, i: int, candidate: Mapping[str, Any]) -> Iterator[Fact]:
    """The search itself is the group; candidates have no names, so they get their number."""
    run = _run(path, i)
    yield Fact("native_id", run, run=run)
    yield Fact("name", f"{path.stem} #{i}", run=run)
    yield Fact("group", str(path), run=run)
    yield Fact("status", "finished", "the search scored it", run=run)
    given = candidate.get("params")
    params = dict(given) if isinstance(given, dict) else {}
    for key, value in candidate.items():
        if key.startswith(_PARAM) and value is not None:
            params.setdefault(key.removeprefix(_PARAM), value)
    for key, value in redact("", params).items():
        yield Fact("param", value if isinstance(value, (bool, int, float)) else _text(value), key, run=run)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value, default=str))[:_MAX_TEXT]


def _scores(candidate: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in candidate.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not key.startswith(_PARAM):
            yield key, float(value)


def _points(chunk: Chunk, runs: int, scores: Sequence[tuple[int, str, float]]) -> Points:
    """One value a score, at step 0, when the file was written."""
    if not scores:
        return no_points()
    keys = {key: code for code, key in enumerate(dict.fromkeys(key for _, key, _ in scores))}
    n = len(scores)
    run = np.array([i for i, _, _ in scores], np.int32)
    return Points(
        tuple(keys), np.array([keys[key] for _, key, _ in scores], np.int32), np.zeros(n, np.int64),
        np.full(n, chunk.modified or np.nan), np.array([value for *_, value in scores], np.float64),
        run.astype(np.int64), tuple(_run(chunk.path, i) for i in range(runs)), run,
    )  # fmt: skip
