"""The guide for authors of plugins is true: each of its blocks of code is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.conftest import Site, sections

GUIDE = Path(__file__).parents[2] / "plugins" / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
(PLUGIN, TESTS), (PYPROJECT,), (COMMANDS,) = (
    [code for language, code in BLOCKS if language == wanted] for wanted in ("python", "toml", "sh")
)


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """The guide's plugin, as pip would have installed it from the guide's pyproject.toml."""
    made = make_site()
    project = tomllib.loads(PYPROJECT)["project"]
    ((name, target),) = project["entry-points"]["workbench.panels"].items()
    (made.folder / f"{target.partition(':')[0]}.py").write_text(PLUGIN)
    info = made.folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text(f"[workbench.panels]\n{name} = {target}\n")
    return made


def test_every_block_of_the_guide_is_run_here() -> None:
    assert [language for language, _ in BLOCKS] == ["python", "toml", "sh", "python"]


def test_the_commands_show_the_plugin(site: Site, project: Path) -> None:
    answers = []
    for line in COMMANDS.splitlines():
        words = shlex.split(line)
        env = dict(word.split("=", 1) for word in words if "=" in word)
        assert words[len(env)] == "workbench"
        ran = site.run(*words[len(env) + 1 :], cwd=project, env=env)
        assert ran.returncode == 0, f"{line}: {ran.stderr}"
        answers.append(ran.stdout)
    listing, checked, report, safe = answers
    assert "workbench-runtime  0.1.0    runtime:RuntimePanel" in listing
    assert re.search(r"workbench-runtime .* ok", checked)
    block = sections(json.loads(report)["sections"])["runtime"]["block"]
    assert [column["key"] for column in block["columns"]] == ["run", "seconds"]  # type: ignore[index]
    assert len(block["rows"]) == 1  # type: ignore[index]
    assert "Run time" not in safe


def test_the_tests_of_the_guide_pass(site: Site) -> None:
    (site.folder / "test_runtime.py").write_text(TESTS)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "test_runtime.py"],
        cwd=site.folder,
        env={**os.environ, "PYTHONPATH": str(site.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_guide_names_the_real_groups_and_variable() -> None:
    from workbench.plugin.discovery import KINDS, SAFE

    text = GUIDE.read_text(encoding="utf-8")
    assert all(group in text for group in KINDS)
    assert f"{SAFE}=1" in text
