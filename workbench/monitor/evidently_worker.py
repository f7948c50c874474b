"""Evidently's own HTML report, made in a process of its own: it takes seconds and hundreds of megabytes to import.

Run as `python -m workbench.monitor.evidently_worker REFERENCE CURRENT OUT`; each stage is a line on stderr.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench.monitor.tables import DriftInputError, expand, sniff_format

STAGE = "stage: "
"""What a line of progress on the worker's stderr starts with; other lines are errors."""
_KEPT_LINES = 20


class EvidentlyError(RuntimeError):
    """Evidently did not make its report; the message carries what it said last and what to do."""


def evidently_html(
    reference: Path | str, current: Path | str, out: Path, progress: Callable[[str], None] | None = None
) -> None:
    """Write Evidently's data drift report of two tables to an HTML file.

    progress: told each stage in words.

    Raises:
        DriftInputError: a table that does not exist.
        EvidentlyError: Evidently could not be imported, ran out of memory, or failed on these tables.
    """
    for path in (reference, current):
        expand(path)
    if not out.parent.is_dir():
        raise EvidentlyError(f"{out}: the folder {out.parent} does not exist; create it first")
    tell = progress or (lambda _words: None)
    tell("starting Evidently, this takes some seconds")
    # -P: a file of the project named like a library must not be imported in its place.
    command = [sys.executable, "-P", "-m", "workbench.monitor.evidently_worker", str(reference), str(current), str(out)]
    environment = {**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        encoding="utf-8", errors="replace", env=environment,
    ) as worker:  # fmt: skip
        try:
            said = _follow(worker, tell)
        except BaseException:
            worker.kill()
            raise
    if worker.returncode:
        raise EvidentlyError(_explain(worker.returncode, said))


def _follow(worker: subprocess.Popen[str], tell: Callable[[str], None]) -> list[str]:
    """Pass stages on as they come, and keep the last of the other lines."""
    said: list[str] = []
    for line in worker.stderr or ():
        if line.startswith(STAGE):
            tell(line.removeprefix(STAGE).strip())
        elif line.strip():
            said = [*said, line.strip()][-_KEPT_LINES:]
    return said


def _explain(code: int, said: Sequence[str]) -> str:
    last = said[-1] if said else f"exit status {code}"
    if code == -9:
        return "Evidently was killed, most likely for memory: it holds both tables whole; try fewer rows"
    if any("ImportError" in line or "ModuleNotFoundError" in line for line in said[-1:]):
        return f"Evidently cannot be imported: {last}; install evidently>=0.7.23,<0.8 with pandas<3.1"
    return f"Evidently made no report: {last}"


def _say(stage: str) -> None:
    sys.stderr.write(f"{STAGE}{stage}\n")
    sys.stderr.flush()


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


def _write(reference: str, current: str, out: str) -> None:
    _say("reading the tables")
    left, right = _read(reference), _read(current)
    names = _comparable(left, right)
    if not names:
        raise DriftInputError("the tables have no column in common that holds values on both sides")
    if dropped := [str(name) for name in right.columns if name not in names]:
        _say(f"left out, as Evidently cannot compare them: {', '.join(dropped)}")
    _say("importing Evidently")
    from evidently import Report
    from evidently.presets import DataDriftPreset

    _say(f"comparing {len(names)} columns of {len(left):,} and {len(right):,} rows")
    snapshot = Report([DataDriftPreset()], include_tests=True).run(right[names], left[names])
    _say("writing the report")
    # Written aside and moved, so that a report that failed half way leaves nothing under its name.
    part = Path(f"{out}.part")
    snapshot.save_html(str(part))
    part.replace(out)


def main(arguments: Sequence[str]) -> int:
    """Run the worker; 0 is a written report."""
    import warnings

    warnings.simplefilter("ignore")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    try:
        _write(*arguments)
    except Exception as error:  # noqa: BLE001 – whatever a foreign library raises ends as one line for the caller
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
