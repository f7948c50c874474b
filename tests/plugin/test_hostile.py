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
    "raises_in_load": ("J", "raise RuntimeError('no satellite')"),
    "sleeps": ("K", "import time; time.sleep(10_000)"),
    "floods": ("U", "return 10_000_000"),
    "shouts": ("V", "import os, sys; print('LOUD' * 3); os.write(2, b'LOUD'); os.system('echo LOUD'); return 'quiet'"),
    "reaches": ("O", REACH),
    "dies": ("P", "import os; os._exit(9)"),
    "crashes": ("Q", "import ctypes; ctypes.string_at(0)"),
    "writes": ("R", "open('/dev/tty', 'w').write('LOUD'); return 'written'"),
    "well": ("W", "return 'all is well'"),
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
    key = {key!r}
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
    for name, (key, load) in HOSTILE.items():
        made.add(name, CODE.format(name=name, key=key, load=load) if key else load)
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


def test_the_interface_goes_on_and_says_who(site: Site, project: Path) -> None:
    path = os.pathsep.join([str(site.folder), str(ROOT)])
    with Terminal([*PROGRAM, str(project)], project, 320, 45, PYTHONPATH=path) as terminal:
        terminal.wait_for(lambda output: b"well" in output, 60)
        for name, words in SAID.items():
            terminal.keys(HOSTILE[name][0])
            terminal.wait_for(lambda output, words=words: words.encode() in output, 60)  # type: ignore[misc]
            assert f"Panel {name} failed in".encode() in terminal.output
        terminal.keys("V")
        terminal.wait_for(lambda output: b"quiet" in output, 60)
        terminal.keys("W")
        terminal.wait_for(lambda output: b"all is well" in output, 60)
        terminal.keys("q")
        assert terminal.leave() == 0
    assert b"LOUD" not in terminal.output
