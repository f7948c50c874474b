"""What is told in words follows the user's keys: no text names a key that means something else by now."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

import workbench as package
from tests.support.memory_query import MemoryQuery
from tests.tui.project import LiveQuery, run
from tests.tui.stories import tell, workbench
from workbench.core.blocks import Empty, Note, Stack
from workbench.core.prose import keyed, with_keys
from workbench.core.query import Fit, Focus
from workbench.core.settings_file import SettingsFiles
from workbench.panels.compare import ComparePanel
from workbench.panels.importance import ImportancePanel
from workbench.panels.params import ParamsPanel
from workbench.render.markdown import render_markdown
from workbench.render.text import render_text
from workbench.tui.action import key_name, word_of
from workbench.tui.actions import ACTIONS
from workbench.tui.keymap import action_name, key_of

SOURCES = Path(package.__file__).parent
PLUGINS = SOURCES.parent / "plugins"
TOLD = (SOURCES / "tui", SOURCES / "panels", SOURCES / "report", SOURCES / "cli" / "demo.py", PLUGINS)
VERBS = (
    "shows|changes|clears|marks|chooses|opens|ends|goes|takes|does|tells|lists|writes|puts|closes|picks|turns|sorts|"
    "searches|stops|charts|hides|keeps|brings|jumps|tries|leaves|sets|looks|draws|completes|again|more"
)
NAMES = "space|esc|escape|enter|tab|pgup|pgdn|backspace|shift|[←→↑↓]|\\^[a-z]|ctrl[+-][a-z]"
A_KEY = re.compile(
    rf"(?<![\w.-])(?:{NAMES}|[^\s\w\"'{{}})]|[a-zA-Z0-9])`? (?:{VERBS}|in Runs)\b|\b(?:with|press) `?(?:{NAMES})\b"
)
KEPT = {"tui/keymap.py", "tui/settings_reference.py"}
"""They are about keys as such: what terminals make of them, and how they are written in a file."""


def prose(path: Path) -> list[tuple[int, str]]:
    """Texts in a module that are no docstrings, an f-string as one with its values left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)} | inside
    found = []
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "VALUE" for part in node.values]
            found.append((node.lineno, "".join(map(str, parts))))
    return found


def modules() -> list[Path]:
    found = [path for told in TOLD for path in ([told] if told.is_file() else sorted(told.rglob("*.py")))]
    return [each for each in found if "tests" not in each.parts and not str(each).endswith(tuple(KEPT))]


def test_no_text_of_the_interface_spells_a_key_out():
    stale = [
        f"{path}:{line}: {text!r}" for path in modules() for line, text in prose(path) if A_KEY.search(with_keys(text))
    ]
    assert not stale


@pytest.mark.parametrize(
    "text",
    ["space in Runs marks it", "esc goes back", "/ changes it", "a shows them", "mark them with `space`", " p more ",
     "· ? shows every key", "r tries again", "‖ paused · esc stops", "search, ← moves: → goes on"],
)  # fmt: skip
def test_what_looks_for_them_finds_them(text):
    assert A_KEY.search(text)


def test_every_action_that_prose_names_exists_and_is_typed_as_reports_say():
    known = {(each.scope, each.id): each for each in ACTIONS}
    named = [
        match for path in modules() for _, text in prose(path) for match in re.findall(r"\[\[(\w+)\.([^\]]+)\]\]", text)
    ]
    assert len(named) >= 6
    for name in named:
        assert with_keys(f"[[{name[0]}.{name[1]}]]") == f":{word_of(known[name])}"


def test_reports_tell_the_command_and_leave_what_only_looks_like_a_key():
    block = Stack([Empty("Nothing", "Mark some with `[[runs.mark]]`."), Note("x = [[1.5]] [[a.b]]")])
    text = render_text(keyed(block), Fit(80, 24))
    assert "Mark some with `:mark`." in text
    assert "[[" not in render_markdown(keyed(Empty("No", "[[app.quit]]")))
    assert with_keys("[[a.b]]", lambda scope, action: None) == "[[a.b]]"


TYPING = ("prompt", "command", "sql_edit", "chooser", "columns", "views")
"""Where a character is text, and only a named key can be an action's."""


def remapped() -> dict[tuple[str, str], str]:
    """A key of its own for every action, none of which is anybody's key by default."""
    letters = iter([*map(chr, range(0x410, 0x44F)), *map(chr, range(0x3B1, 0x3C2)), *map(chr, range(0x531, 0x557)),
                    *map(chr, range(0x10D0, 0x10F0)), *map(chr, range(0x13A0, 0x13F0))])  # fmt: skip
    spare = {scope: iter(["f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f12", "^k", "^n"]) for scope in TYPING}
    return {(each.scope, action_name(each)): next(spare.get(each.scope, letters)) for each in ACTIONS}


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "settings.toml"
    keys = remapped()
    places = dict.fromkeys(scope for scope, _ in keys)
    parts = []
    for place in places:
        parts.append(f"[keys.{place}]")
        parts += [f'"{name}" = "{key}"' for (scope, name), key in keys.items() if scope == place]
    path.write_text("\n".join(parts), encoding="utf-8")
    return SettingsFiles(path)


def stale_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if A_KEY.search(line)]


def test_with_every_key_remapped_no_screen_tells_an_old_one(tmp_path, settings):
    keys = remapped()
    panels = [ComparePanel(), ParamsPanel(), ImportancePanel()]

    async def story():
        async with workbench(
            tmp_path, (120, 40), LiveQuery(MemoryQuery([replace(run(3), hidden=True)])), panels, settings=settings
        ) as sitting:
            assert not sitting.app.problems
            seen = [sitting.text]

            async def press(scope, action):
                await sitting.press(key_of(keys[scope, action]))
                seen.append(sitting.text)

            await press("app", "help")
            assert f"{keys['reader', 'accept']} or a double click does one" in sitting.text
            await press("reader", "close")
            assert f"{keys['runs', 'show_hidden']} shows them, {keys['runs', 'hide']} on one" in sitting.text
            await press("runs", "show_hidden")
            await press("runs", "filter")
            await sitting.type("nothing-like-it")
            await press("prompt", "accept")
            assert f"{keys['runs', 'filter']} changes it, {keys['app', 'back']} clears it" in sitting.text
            await press("app", "back")
            for name, _, key in sitting.app.tabs:
                await sitting.press(key) if key else sitting.app.action_panel(name)
                await sitting.settle()
                seen.append(sitting.text)
            assert any(f"`{keys['runs', 'mark']}`" in each for each in seen)
            assert any(f"{keys['runs', 'mark']} in Runs marks" in each for each in seen)
            sitting.app.action_command_line()
            await sitting.settle()
            seen.append(sitting.text)
            assert not [line for each in seen for line in stale_in(each)]
            old = {key_name(each.keys[0]) for each in ACTIONS if each.footer and each.scope != "sql"}
            for each in seen:
                shown = re.findall(r"(?:^| )(\S+) ([a-z][a-z/ ]+?)(?=  |$)", each.splitlines()[-1])
                assert not [pair for pair in shown if pair[0] in old - set(keys.values())]

    tell(story)


def test_what_logs_and_people_wrote_is_not_taken_for_prose():
    quoted = "see [[wiki.page]] and [[app.quit]]"
    block = Stack([Note(quoted), Empty("Nothing yet", "[[app.quit]] leaves.")])
    shown = keyed(block)
    assert shown == Stack([Note(quoted), Empty("Nothing yet", ":quit leaves.")])


def test_what_is_told_of_a_panel_without_runs_is_told_with_keys_that_hold():
    panel = ComparePanel()
    query = MemoryQuery([])
    hint = panel.view(panel.load(query, Focus()), Fit(80, 24)).hint
    assert with_keys(hint, lambda scope, action: f"<{scope}.{action}>").startswith("Mark runs with `<runs.mark>`")
