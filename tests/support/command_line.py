"""The command line as a user calls it: in this process where that makes no difference, else as a program."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from workbench.cli.main import cli

PROGRAM = (sys.executable, "-m", "workbench.cli.main")


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The strict JSON on stdout."""
        return json.loads(self.out, parse_constant=_refuse)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The CSV on stdout."""
        return list(csv.DictReader(io.StringIO(self.out)))


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def workbench(*arguments: str | Path, code: int = 0) -> Answer:
    """Run a command in this process and check its exit code."""
    words = [str(argument) for argument in arguments]
    done = CliRunner().invoke(cli, words, env={"COLUMNS": "120"}, prog_name="workbench")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, (arguments, done.exit_code, done.stdout[-2000:], done.stderr)
    return Answer(done.exit_code, done.stdout, done.stderr)


def program(*arguments: str | Path, cwd: Path | None = None, **options: Any) -> Answer:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "COLUMNS": "120"}, **options,
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr)


def record(kind: str, **fields: Any) -> str:
    """One line of the tracking API's log."""
    return json.dumps({"v": 1, "t": kind, **fields}) + "\n"
