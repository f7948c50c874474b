"""Every kind of hostile plugin installed at once: the interface and the report go on, and the box says who."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.conftest import Site, sections
from tests.support.command_line import PROGRAM
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
REACH = "from textual._context import active_app; active_app.get().exit(); return 'gone'"
HOSTILE = {
    "raises_at_import": ("", "raise ImportError('libsky.so is missing')"),
    "leaves_at_import": ("", "import os, sys\nprint('goodbye')\nsys.exit(3)"),
    "raises_in_load": ("panel", "raise RuntimeError('no satellite')"),
    "sleeps": ("panel", "import time; time.sleep(10_000)"),
    "floods": ("panel", "return 10_000_000"),
    "shouts": (
        "panel",
        "import os, sys; print('LOUD' * 3); os.write(2, b'LOUD'); os.system('echo LOUD'); return 'quiet'",
    ),
    "reaches": ("panel", REACH),
    "dies": ("panel", "import os; os._exit(9)"),
    "crashes": ("panel", "import ctypes; ctypes.string_at(0)"),
    "writes": ("panel", "open('/dev/tty', 'w').write('LOUD'); return 'written'"),
    "well": ("panel", "return 'all is well'"),
}
SAID = {
    "raises_in_load": "RuntimeError: no satellite",
    "sleeps": "no answer within 0.5 s",
    "floods": "10,000,000 cells, more than 300,000",
    "reaches": "LookupError",
    "dies": "its process ended with exit code 9",
    "crashes": "its process was ended by SIGSEGV",
    "writes": "OSError: [Errno 6]",
}
CODE = """
from workbench.plugin.api import Cell, Column, Note, Panel, Table

class Made(Panel):
    name = {name!r}
    title = {name!r}
    deadline = 0.5 if name == "sleeps" else 30.0
    isolate = name in ("dies", "crashes", "writes")

    def load(self, query, focus):
        {load}

    def view(self, data, fit):
        return Table([Column("a")], [[Cell(1)]] * data) if self.name == "floods" else Note(data)
"""


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    made = make_site()
    for name, (kind, load) in HOSTILE.items():
        made.add(name, CODE.format(name=name, load=load) if kind else load)
    return made


def test_the_report_goes_on_and_says_who(site: Site, project: Path) -> None:
    ran = site.run("report", "--format", "json", cwd=project)
    assert ran.returncode == 0
    found = sections(json.loads(ran.stdout)["sections"])
    for name, words in SAID.items():
        data = found[name]["data"]
        assert isinstance(data, dict)
        assert words in data["error"] and data["plugin"] == f"wb-{name} 1.2"
    left_out = {each["name"]: each["error"] for each in found["plugins"]["data"]}  # type: ignore[attr-defined]
    assert left_out["raises_at_import"] == "ImportError: libsky.so is missing"
    assert left_out["leaves_at_import"] == "SystemExit: 3"
    assert found["well"]["block"]["text"] == "all is well"  # type: ignore[index]
    assert "LOUD" not in ran.stdout and "panel shouts printed: LOUD" in ran.stderr


def opened(terminal: Terminal, name: str) -> None:
    """Choose a panel from the list of all of them."""
    for keys, shown in (("p", b"Panels"), (name, name.encode())):
        before = len(terminal.output)
        terminal.keys(keys)
        terminal.wait_for(lambda output, before=before, shown=shown: shown in output[before:], 60)  # type: ignore[misc]
    terminal.keys("\r")


def test_the_interface_goes_on_and_says_who(site: Site, project: Path) -> None:
    path = os.pathsep.join([str(site.folder), str(ROOT)])
    with Terminal([*PROGRAM, str(project)], project, 120, 45, PYTHONPATH=path) as terminal:
        terminal.wait_for(lambda output: b"p more" in output, 60)
        for name, words in {**SAID, "shouts": "quiet", "well": "all is well"}.items():
            opened(terminal, name)
            terminal.wait_for(lambda output, words=words: words.encode() in output, 60)  # type: ignore[misc]
            assert name not in SAID or f"Panel {name} failed in".encode() in terminal.output
        terminal.keys("q")
        assert terminal.leave() == 0
    assert b"LOUD" not in terminal.output
