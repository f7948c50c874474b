"""Evidently's own report, made in a process of its own: it takes seconds and hundreds of megabytes to import.

Run as `python -m workbench.monitor.evidently_worker JSON`; each stage is a line on stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from workbench.monitor.registry import EVIDENTLYS_CHOICE, MethodChoice
from workbench.monitor.tables import DriftInputError, expand, sniff_format
from workbench.monitor.worker import run_worker, say


class EvidentlyError(RuntimeError):
    """Evidently did not make its report; the message carries what it said last and what to do."""


def evidently_html(
    reference: Path | str, current: Path | str, out: Path, progress: Callable[[str], None] | None = None
) -> None:
    """Write Evidently's data drift report of two tables to an HTML file; see `evidently_report`."""
    evidently_report(reference, current, html=out, progress=progress)


def evidently_report(
    reference: Path | str,
    current: Path | str,
    *,
    html: Path | None = None,
    snapshot: Path | None = None,
    choice: MethodChoice = EVIDENTLYS_CHOICE,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Let Evidently compare two tables, and write its report as HTML, as a snapshot (JSON), or both.

    choice: methods and thresholds other than its own. progress: told each stage in words.

    Raises:
        DriftInputError: a table that does not exist.
        EvidentlyError: Evidently could not be imported, ran out of memory, or failed on these tables.
    """
    for path in (reference, current):
        expand(path)
    for out in (html, snapshot):
        if out is not None and not out.parent.is_dir():
            raise EvidentlyError(f"{out}: the folder {out.parent} does not exist; create it first")
    tell = progress or (lambda _words: None)
    tell("starting Evidently, this takes some seconds")
    asked = {
        "reference": str(reference), "current": str(current), "html": str(html or ""), "json": str(snapshot or ""),
        "choice": structs.asdict(choice),
    }  # fmt: skip
    ended = run_worker("workbench.monitor.evidently_worker", [json.dumps(asked)], tell)
    if ended.code:
        raise EvidentlyError(_explain(ended.code, ended.said))


def _explain(code: int, said: Sequence[str]) -> str:
    last = said[-1] if said else f"exit status {code}"
    if code == -9:
        return "Evidently was killed, most likely for memory: it holds both tables whole; try fewer rows"
    if any("ImportError" in line or "ModuleNotFoundError" in line for line in said[-1:]):
        return f"Evidently cannot be imported: {last}; install evidently>=0.7.23,<0.8 with pandas<3.1"
    return f"Evidently made no report: {last}"


def _read(path: str) -> Any:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

    read = {
        "parquet": pd.read_parquet,
        "csv": lambda file: pd.read_csv(file, sep="\t" if ".tsv" in file.name else ","),
        "jsonl": lambda file: pd.read_json(file, lines=True),
    }
    frames = [read[sniff_format(file)](file) for file in expand(path)]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def _comparable(reference: Any, current: Any) -> list[str]:
    """Columns that Evidently can compare: one it cannot would end the whole report."""
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

    names = []
    for name in current.columns:
        if name not in reference.columns:
            continue
        sides = [side[name].replace([np.inf, -np.inf], np.nan).dropna() for side in (reference, current)]
        numeric = {bool(pd.api.types.is_numeric_dtype(side)) for side in sides}
        if all(len(side) for side in sides) and len(numeric) == 1:
            names.append(name)
    return names


def _write(asked: Mapping[str, Any]) -> None:
    say("reading the tables")
    left, right = _read(asked["reference"]), _read(asked["current"])
    names = _comparable(left, right)
    if not names:
        raise DriftInputError("the tables have no column in common that holds values on both sides")
    if dropped := [str(name) for name in right.columns if name not in names]:
        say(f"left out, as Evidently cannot compare them: {', '.join(dropped)}")
    say("importing Evidently")
    from evidently import Report
    from evidently.presets import DataDriftPreset

    say(f"comparing {len(names)} columns of {len(left):,} and {len(right):,} rows")
    preset = DataDriftPreset(**_options(asked["choice"], names))
    snapshot = Report([preset], include_tests=True).run(right[names], left[names])
    say("writing the report")
    for form, save in (("html", snapshot.save_html), ("json", lambda part: Path(part).write_text(snapshot.dumps()))):
        if out := asked[form]:
            # Written aside and moved, so that a report that failed half way leaves nothing under its name.
            save(f"{out}.part")
            Path(f"{out}.part").replace(out)


def _options(choice: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The choice under the preset's names; an empty one is left to Evidently."""
    own = {"column_methods": "per_column_method", "column_thresholds": "per_column_threshold"}
    options = {key: value for key, value in choice.items() if key not in own and value is not None}
    for key, name in own.items():
        if kept := {column: value for column, value in choice[key].items() if column in names}:
            options[name] = kept
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the worker; 0 is a written report."""
    import warnings

    warnings.simplefilter("ignore")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    try:
        _write(json.loads(arguments[0]))
    except Exception as error:  # noqa: BLE001 – whatever a foreign library raises ends as one line for the caller
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
