"""What `import workbench` may load, and that the one file stays copyable."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import workbench
from workbench import tracking

PROJECT = Path(workbench.__file__).parents[1]


def loaded_by(module: str) -> set[str]:
    """What importing a module adds to a bare interpreter that has `os` already, as one with site-packages has."""
    code = f"import os, sys; sys.path.insert(0, {str(PROJECT)!r}); old = set(sys.modules)\nimport {module}\n"
    command = [sys.executable, "-I", "-S", "-c", f"{code}print(*set(sys.modules) - old)"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_importing_workbench_loads_nothing_else():
    assert loaded_by("workbench") == {"workbench", "__future__"}


def test_importing_the_tracking_api_loads_not_even_json_or_regular_expressions():
    assert loaded_by("workbench.tracking") == {"workbench", "workbench.tracking", "__future__"}


def test_the_file_imports_only_the_standard_library():
    tree = ast.parse(Path(tracking.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_version_is_that_of_the_distribution():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project.get("version", workbench.__version__) == workbench.__version__


def test_public_names_are_there_and_listed():
    assert {"init", "log", "finish", "run", "config", "summary", "__version__"} <= set(dir(workbench))
    assert workbench.init is tracking.init and workbench.log is tracking.log
