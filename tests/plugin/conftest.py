"""Throw-away distributions: what pip leaves behind, made in a folder that a child process has on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

PANEL = """
from pathlib import Path
from workbench.plugin.api import Block, Fit, Focus, Note, Panel, Query

Path(__file__).with_suffix(".imported").touch()

class Made(Panel):
    name = "{name}"
    title = "{title}"

    def load(self, query, focus):
        {load}

    def view(self, data, fit):
        {view}
"""


@dataclass(frozen=True)
class Site:
    """A folder of installed distributions, and a way to run the command line with them."""

    folder: Path

    def add(self, name: str, code: str, target: str = "", group: str = "workbench.panels") -> Path:
        """Install one module `wb_NAME` with one entry point; returns the file that exists once it was imported."""
        module = f"wb_{name}"
        (self.folder / f"{module}.py").write_text(dedent(code))
        info = self.folder / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wb-{name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target or module + ':Made'}\n")
        return self.folder / f"{module}.imported"

    def add_panel(self, name: str, load: str = "return 'rain'", view: str = "return Note(data)") -> Path:
        """Install a panel whose two methods are these statements."""
        return self.add(name, PANEL.format(name=name, title=name.title(), load=load, view=view))

    def run(self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `workbench` with these distributions beside those of this environment."""
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "COLUMNS": "100",
            **(env or {}),
        }
        return subprocess.run(
            [sys.executable, "-m", "workbench.cli.main", *arguments],
            cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture(scope="module")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Site]:
    return lambda: Site(tmp_path_factory.mktemp("site-packages"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished log."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "metrics.csv").write_text("step,loss\n1,0.5\n2,0.4\n3,0.3\n")
    return folder


def sections(report: Sequence[Mapping[str, object]]) -> dict[object, Mapping[str, object]]:
    """Sections of a JSON report by anchor."""
    return {section["anchor"]: section for section in report}
