"""Points of a snapshot written as CSV, Parquet or JSON, in file order within each series."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workbench.core.model import Run
from workbench.core.text import plain

_POINTS = """
    SELECT r.run_id, r.run, p.key, p.step, p.wall_time, p.value
    FROM point p JOIN exported r ON r.run_id = p.run_id
    ORDER BY r.position, p.key, p.source_id, p.generation, p.byte_offset
"""


def export_points(snapshot: Path, runs: Sequence[Run], form: str, out: Path | None, stdout: BinaryIO) -> None:
    """Write the points of some runs to a file or stream; `form` is csv, parquet or json.

    CSV names are made safe for terminals and spreadsheets; Parquet and JSON keep them as they are.
    """
    import duckdb

    con = duckdb.connect(str(snapshot), read_only=True, config={"threads": 2, "memory_limit": "1GB"})
    try:
        _register(con, runs, safe=form == "csv")
        if form == "json":
            with out.open("wb") if out else nullcontext(stdout) as stream:
                _write_json(con, stream)
            return
        with tempfile.TemporaryDirectory(dir=out.parent if out else None) as folder:
            file = Path(folder) / f"points.{form}"
            options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet"
            source = _safe_points() if form == "csv" else _POINTS
            con.execute(f"COPY ({source}) TO '{str(file).replace(chr(39), chr(39) * 2)}' ({options})")
            if out:
                file.replace(out)
            else:
                with file.open("rb") as written:
                    shutil.copyfileobj(written, stdout)
                stdout.flush()
    finally:
        con.close()


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
    cursor = con.execute(_POINTS)
    names = [column[0] for column in cursor.description]
    stream.write(b"[")
    separator = b"\n"
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            stream.write(separator + json.dumps(dict(zip(names, map(_json_value, row), strict=True))).encode())
            separator = b",\n"
    stream.write(b"\n]\n")
    stream.flush()


def _json_value(value: Any) -> Any:
    """Strict JSON has no NaN: it is written by name."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _texts(values: Sequence[str]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = [value.encode("utf-8", "replace").decode() for value in values]
    return column
