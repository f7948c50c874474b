"""Points of a snapshot written as CSV, Parquet or JSON, in file order within each series."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workbench.core.model import Run
from workbench.core.text import plain
from workbench.core.written import remember
from workbench.store.settings import connected
from workbench.store.spill import Spill

_POINTS = """
    SELECT r.run_id, r.run, p.key, p.step, p.wall_time, p.value
    FROM point p JOIN exported r ON r.run_id = p.run_id JOIN source s ON s.source_id = p.source_id
    ORDER BY r.position, p.key, s.first_step NULLS LAST, s.path, p.generation, p.byte_offset
"""
_MOST_SPILLED = "16GB"
"""Sorting 100 M points takes more than memory: what goes to disk goes beside the store."""
_FETCH = 10_000
"""Rows in memory at a time."""


def export_points(snapshot: Path, runs: Sequence[Run], form: str, out: Path | None, stdout: BinaryIO) -> None:
    """Write the points of some runs to a file or stream; `form` is csv, parquet or json.

    Runs keep their order, keys are sorted, points stand as in their file. The sources of one series follow by first
    step and path: a rotated file comes before the one that took its name. A file appears when it is whole. CSV names
    are made safe for terminals and spreadsheets; Parquet and JSON keep them.

    Raises:
        OSError: the file or stream cannot be written.
    """
    import duckdb

    regular = out is not None and (out.is_file() or not out.exists())
    spill = Spill(snapshot.parent.parent)
    con = connected(str(snapshot), spill, read_only=True, most_spilled=_MOST_SPILLED)
    try:
        _register(con, runs, safe=form == "csv")
        with tempfile.TemporaryDirectory(dir=out.resolve().parent if out and regular else None) as folder:
            made = Path(folder) / f"points.{form}"
            _write(con, form, made)
            if out and regular:
                remember(made, out.resolve())
                made.replace(out.resolve())
                return
            with made.open("rb") as written, out.open("wb") if out else nullcontext(stdout) as stream:
                shutil.copyfileobj(written, stream)
                stream.flush()
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    finally:
        con.close()
        spill.close()


def _write(con: Any, form: str, file: Path) -> None:
    if form == "json":
        with file.open("wb") as stream:
            _write_json(con, stream)
        return
    options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet"
    source = _safe_points() if form == "csv" else _POINTS
    con.execute(f"COPY ({source}) TO '{str(file).replace(chr(39), chr(39) * 2)}' ({options})")


def _register(con: Any, runs: Sequence[Run], *, safe: bool) -> None:
    columns = {
        "run_id": _texts([run.id for run in runs]),
        "run": _texts([_csv_text(run.name) if safe else run.name for run in runs]),
        "position": np.arange(len(runs)),
    }
    con.execute("CREATE TEMP TABLE exported (run_id VARCHAR, run VARCHAR, position BIGINT)")
    con.register("incoming", columns)
    con.execute("INSERT INTO exported SELECT * FROM incoming")
    con.unregister("incoming")


def _safe_points() -> str:
    """Keys hold no control characters in CSV; a leading formula sign is quoted."""
    bad = r"[\x00-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
    key = f"regexp_replace(p.key, '{bad}', '�', 'g')"
    quoted = f"CASE WHEN regexp_matches({key}, '^[=+@-]') THEN '''' || {key} ELSE {key} END AS key"
    return _POINTS.replace("r.run, p.key,", f"r.run, {quoted},")


def _csv_text(text: str) -> str:
    shown = plain(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def _write_json(con: Any, stream: BinaryIO) -> None:
    """A list of objects, one a line; NaN and infinities by name, since strict JSON has no numbers for them."""
    cursor = con.execute(_POINTS)
    heads = [json.dumps(column[0]) for column in cursor.description]
    stream.write(b"[")
    separator = "\n"
    while rows := cursor.fetchmany(_FETCH):
        for row in rows:
            values = zip(heads, row, strict=True)
            stream.write(f"{separator}{{{', '.join(f'{head}: {_json(value)}' for head, value in values)}}}".encode())
            separator = ",\n"
    stream.write(b"\n]\n")


@lru_cache(maxsize=4096)
def _json_text(text: str) -> str:
    return json.dumps(text)


def _json(value: str | float | int | None) -> str:
    """One value: names come again and again, numbers are written so that they read back the same."""
    if isinstance(value, str):
        return _json_text(value)
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
    return repr(value)


def _texts(values: Sequence[str]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = [value.encode("utf-8", "replace").decode() for value in values]
    return column
