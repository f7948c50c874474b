"""Writes a new plugin: a package with its tests, or one file of a project."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from msgspec import Struct

_TEMPLATES = Path(__file__).parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class ScaffoldError(ValueError):
    """The plugin cannot be written; the message says why, and what can be done."""


class Part(Struct, frozen=True):
    """One kind of plugin that a package can have."""

    module: str
    group: str
    target: str
    """What the entry point names in the module; a template."""
    entry: str
    """What the entry point is called; a template."""
    words: str


PARTS: Mapping[str, Part] = {
    "panel": Part(
        "panel", "panels", "${camel}Panel", "${name}", "a panel: a tab of the interface, a section of reports"
    ),
    "reader": Part("reader", "readers", "${camel}Reader", "${name}", "a reader of a log format"),
    "metric": Part("metrics", "metrics", "gap", "${name}-gap", "a metric made of logged ones: column, gate, curve"),
    "section": Part("sections", "sections", "states", "${name}-states", "a section of reports"),
    "rule": Part("rules", "rules", "diverged", "${name}-diverged", "a rule, which tells findings"),
    "drift-test": Part("drift_tests", "drift_tests", "median_shift", "${name}-median", "a drift test, used by name"),
}
"""By the option of `workbench plugins new`."""


def write_package(folder: Path, name: str, parts: Sequence[str]) -> list[Path]:
    """Write `workbench-NAME/` into a folder: pyproject, modules, tests, README; returns the files.

    Raises:
        ScaffoldError: the name is no name, or the folder has something of that name.
    """
    words = _words(name)
    root = folder / f"workbench-{name}"
    if root.exists():
        raise ScaffoldError(f"{root} is there already; choose another name, or another folder with --in")
    chosen = [PARTS[part] for part in parts]
    package = root / words["package"]
    entries = "\n".join(_entry(part, words) for part in chosen)
    contents = "\n".join(f"- {part.words}: `{words['package']}/{part.module}.py`" for part in chosen)
    files = {
        root / "pyproject.toml": _filled("pyproject.toml", {**words, "entry_points": f"\n{entries}"}),
        root / "README.md": _filled("README.md", {**words, "contents": contents}),
        package / "__init__.py": _filled("__init__.py", words),
        package / "py.typed": "",
    }
    for part in chosen:
        files[package / f"{part.module}.py"] = _filled(f"{part.module}.py", words)
        files[root / "tests" / f"test_{words['package']}_{part.module}.py"] = _filled(f"test_{part.module}.py", words)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def write_file(project: Path, name: str) -> Path:
    """Write `.workbench/plugins/NAME.py` into a project.

    Raises:
        ScaffoldError: the name is no name, or there is such a file.
    """
    from workbench.plugin.listing import FOLDER

    words = _words(name)
    path = project / FOLDER / f"{words['file']}.py"
    if path.exists():
        raise ScaffoldError(f"{path} is there already; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_filled("file.py", words), encoding="utf-8")
    return path


def _words(name: str) -> dict[str, str]:
    if not _NAME.fullmatch(name):
        raise ScaffoldError(f"{name!r} is no name for a plugin: lower case letters and digits, with - between words")
    camel = "".join(word.capitalize() for word in name.split("-"))
    plain = name.replace("-", "_")
    title = name.replace("-", " ").capitalize()
    return {"name": name, "package": f"workbench_{plain}", "file": plain, "camel": camel, "title": title}


def _entry(part: Part, words: Mapping[str, str]) -> str:
    entry, target = (Template(text).substitute(words) for text in (part.entry, part.target))
    return f'[project.entry-points."workbench.{part.group}"]\n{entry} = "{words["package"]}.{part.module}:{target}"\n'


def _filled(template: str, words: Mapping[str, str]) -> str:
    return Template((_TEMPLATES / f"{template}.in").read_text(encoding="utf-8")).substitute(words)
