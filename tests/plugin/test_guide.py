"""The guide for authors is true: followed word for word, in an empty folder, and complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM
from workbench.core.query import Query
from workbench.plugin import api, testing
from workbench.plugin.discovery import KINDS, SAFE

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "plugins" / "README.md"
TEXT = GUIDE.read_text(encoding="utf-8")
BLOCKS = re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', TEXT, re.MULTILINE | re.DOTALL)
OFFLINE = "--quiet --no-deps --no-build-isolation --no-index --disable-pip-version-check --target"


@dataclass(frozen=True)
class Followed:
    """The folder the guide was followed in, and what its commands said, by a part of the block."""

    folder: Path
    said: dict[str, str]

    def of(self, part: str) -> str:
        return next(said for block, said in self.said.items() if part in block)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Write each file and run each command, in the guide's order."""
    folder, tools = tmp_path_factory.mktemp("fresh"), tmp_path_factory.mktemp("bin")
    site = tmp_path_factory.mktemp("site")
    pip = f'if [ "$2" = pip ]; then exec {sys.executable} -m pip install {OFFLINE} {site} "$4"; fi\n'
    programs = {"workbench": f'exec {" ".join(PROGRAM)} "$@"\n', "python": f'{pip}exec {sys.executable} "$@"\n'}
    for name, code in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{code}")
        (tools / name).chmod(0o755)
    env = {
        **os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100",
        "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")),
    }  # fmt: skip
    said: dict[str, str] = {}
    for language, title, code in BLOCKS:
        if title:
            (folder / title).write_text(code, encoding="utf-8")
            continue
        assert language == "sh", f"a block of {language} without a title is not run"
        ran = subprocess.run(
            ["sh", "-e", "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=280
        )
        assert ran.returncode == 0, f"{code}\n{ran.stdout}\n{ran.stderr}"
        said[code] = ran.stdout + ran.stderr
    return Followed(folder, said)


def test_every_file_of_the_guide_is_written_and_every_command_run(followed: Followed) -> None:
    assert TEXT.count("```") == 2 * len(BLOCKS)
    assert {language for language, title, _ in BLOCKS if title} == {"python", "toml"}
    assert len(followed.said) == sum(language == "sh" for language, _, _ in BLOCKS)


def test_a_file_is_listed_trusted_and_in_the_report(followed: Followed) -> None:
    said = followed.of("workbench plugins trust .workbench/plugins/runtime.py")
    assert "is not trusted: read it, then run: workbench plugins trust .workbench/plugins/runtime.py" in said
    assert ".workbench/plugins/runtime.py: trusted as it is now" in said
    assert "Run time\n───" in said and "2m 00s" in said


def test_the_functions_do_what_the_guide_says(followed: Followed) -> None:
    said = followed.of("last(gap) <= 0.6")
    assert '"gap"' in said and '"best gap"' in said
    assert "the gate passed" in said
    assert "Runs that learn by heart\n───" in said and "tree does much worse on what it has not seen" in said
    assert re.search(r"x +num +median-shift|median-shift", said), said[-800:]


def test_the_reader_is_found_and_checked(followed: Followed) -> None:
    said = followed.of("workbench detect bush/train.pairs")
    assert "pairs" in said and "lines of key=value with a step" in said
    assert "✓ file pairs of .workbench/plugins/pairs.py" in said


def test_the_package_passes_its_tests_and_is_listed(followed: Followed) -> None:
    said = followed.of("workbench plugins new lab")
    assert re.search(r"\d+ passed", said)
    assert re.search(r"workbench-lab +0\.1\.0 +workbench_lab\.panel:LabPanel +ok", said)
    shown = tomllib.loads((followed.folder / "workbench-lab" / "pyproject.toml").read_text())
    assert shown["project"]["entry-points"]["workbench.readers"] == {"lab": "workbench_lab.reader:LabReader"}


def test_the_guides_tests_and_the_battery_pass(followed: Followed) -> None:
    said = followed.of("python -m pytest test_runtime.py")
    assert "2 passed" in said
    assert "✗" not in said
    for name in ("runtime", "slowest", "gap", "by-heart", "median-shift", "clock"):
        assert re.search(rf"✓ .*\b{name}\b", said), name


def test_apart_and_without_any(followed: Followed) -> None:
    said = followed.of("isolate = true")
    assert '"anchor": "slowest"' in said.replace('"anchor":"slowest"', '"anchor": "slowest"')
    assert said.count("Workbench report: ") == 3
    assert said.rpartition('"anchor"')[2].count("Run time\n") == 0


def test_every_public_name_is_documented() -> None:
    told = set(re.findall(r"`([^`\n]+)`", TEXT))
    words = {word for each in told for word in re.findall(r"\w+", each)}
    assert set(api.__all__) <= words, sorted(set(api.__all__) - words)
    assert set(testing.__all__) - {"Reading"} <= words, sorted(set(testing.__all__) - words)
    for kind in (api.Panel, api.Reader, api.WidgetPanel, Query):
        public = {name for name in vars(kind) if not name.startswith("_")}
        assert public <= words, f"{kind.__name__}: {sorted(public - words)}"


def test_the_guide_names_the_real_groups_variable_and_version() -> None:
    assert all(group in TEXT for group in KINDS)
    assert f"{SAFE}=1" in TEXT
    assert f"This is version {api.API} of the contract." in TEXT


def test_every_public_name_says_what_it_is() -> None:
    for name in api.__all__:
        made = getattr(api, name)
        if callable(made) and getattr(made, "__module__", "").startswith("workbench."):
            assert made.__doc__, name
