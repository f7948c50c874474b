"""Entry point: `python -m tests.bench [NAMES] [--quick] [--json FILE] [--md FILE]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from tests.bench.figures import Figure, as_markdown, as_text
from tests.bench.processes import Plan
from workbench.core.config import nearest

SUBJECTS = ("startup", "plugins", "tracking", "ingest", "many", "live", "table", "charts", "frames", "drift", "memory")


def main() -> int:
    """Measure, print, and end with 1 when something could not be measured; a missed budget is no error."""
    options = _options()
    scratch = options.scratch or Path(tempfile.mkdtemp(prefix="workbench-bench-"))
    scratch.mkdir(parents=True, exist_ok=True)
    plan = Plan(options.quick, options.rounds or (3 if options.quick else 5), scratch, _tell)
    figures: list[Figure] = []
    began = os.getloadavg()[0]
    try:
        for name in options.names or SUBJECTS:
            figures += _measured(name, plan)
    finally:
        if options.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    _tell("")
    _write(options, figures, f"{_machine()}; load {began:.1f} before, {os.getloadavg()[0]:.1f} after")
    return int(any(figure.ours is None for figure in figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Every budget beside its peer.")
    parser.add_argument("names", nargs="*", metavar="NAMES", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, three rounds")
    parser.add_argument("--rounds", type=int, help="runs of each side; the median counts (5, or 3 with --quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--md", type=Path, metavar="FILE", help="also write the table as Markdown")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="keep the data here, and take it from here")
    options = parser.parse_args()
    for name in options.names:
        if name not in SUBJECTS:
            parser.error(f"no subject {name!r}{nearest(name, SUBJECTS)}")
    return options


def _measured(name: str, plan: Plan) -> Sequence[Figure]:
    """The figures of a subject; one that cannot be measured says why, and the others go on."""
    try:
        figures: Sequence[Figure] = importlib.import_module(f"tests.bench.{name}").measure(plan)
    except Exception as error:
        figures = [Figure(name, "", None, note=f"{type(error).__name__}: {error}")]
    return figures


def _write(options: argparse.Namespace, figures: Sequence[Figure], machine: str) -> None:
    print(f"{as_text(figures)}\n\n{machine}")
    if options.md:
        options.md.write_text(f"{as_markdown(figures)}\n{machine}\n", encoding="utf-8")
    if options.json:
        rows = [{**asdict(figure), "against": figure.against, "passed": figure.passed} for figure in figures]
        options.json.write_text(json.dumps({"machine": machine, "figures": rows}, indent=1), encoding="utf-8")


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars", "textual", "evidently"))
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{system}, Python {platform.python_version()}, {libraries}"


def _tell(words: str) -> None:
    """Narrate on stderr: one line that redraws itself on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{words}")
    elif words:
        sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
