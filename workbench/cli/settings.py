"""`settings`: what every setting of the interface holds, and which file said so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.project import format_option, root_argument, teaches, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.blocks import Table
    from workbench.core.settings import Problem, Settings
    from workbench.tui.keymap import Keymap


@click.command()
@root_argument
@click.option("--keys", is_flag=True, help="List the actions instead: their names in [keys], and their keys.")
@click.option("--reference", is_flag=True, help="The page of the manual about settings, as Markdown.")
@format_option
@teaches
def settings(root: Path, keys: bool, reference: bool, form: str) -> None:
    """Every setting of the interface, what it holds on ROOT, and who said so.

    The user's file is settings.toml in ~/.config/workbench (XDG_CONFIG_HOME is honoured); a project says what concerns
    it under [tui] in workbench.toml. Exits with 2 where a file has a mistake.
    """
    from workbench.cli.output import print_listing
    from workbench.core.settings import settings_path
    from workbench.core.settings_file import load_settings
    from workbench.tui.keymap import keymap_of

    if reference:
        from workbench.tui.settings_reference import reference_page

        click.echo(reference_page(), nl=False)
        return
    path = settings_path()
    tell(f"the user's file is {path}{'' if path.exists() else ', which is not there'}")
    found = load_settings(path, root.resolve())
    keymap = keymap_of(found.keys)
    if keys:
        print_listing(form, lambda: _key_table(keymap), lambda: _key_shape(keymap))
    else:
        print_listing(form, lambda: _table(found), lambda: _shape(found))
    _fail_on((*found.problems, *keymap.problems))


def _fail_on(problems: Sequence[Problem]) -> None:
    """Say what is wrong on stderr."""
    for problem in sorted(problems, key=lambda each: (str(each.path), each.line or 0)):
        tell(str(problem))
    if problems:
        raise SystemExit(2)


def _table(found: Settings) -> Table:
    from workbench.core.blocks import Cell, Column, Table
    from workbench.core.settings import SETTINGS, said_by, shown

    columns = [Column("setting", "setting", priority=0), Column("value", "value", priority=0), Column("from", "from")]
    rows = []
    for setting in SETTINGS:
        chosen = found.of(setting.name)
        cells = [Cell(setting.name), Cell(shown(chosen.value)), Cell(said_by(chosen))]
        rows.append([*cells, Cell(setting.help, "dim")])
    return Table([*columns, Column("about", "about", priority=2)], rows)


def _shape(found: Settings) -> list[dict[str, Any]]:
    from workbench.core.settings import SETTINGS

    listed = []
    for setting in SETTINGS:
        chosen = found.of(setting.name)
        path = None if chosen.path is None else str(chosen.path)
        entry: dict[str, Any] = {"setting": setting.name, "value": chosen.value, "default": setting.default}
        listed.append({**entry, "from": chosen.origin, "path": path, "line": chosen.line, "about": setting.help})
    return listed


def _key_table(keymap: Keymap) -> Table:
    from workbench.core.blocks import Cell, Column, Table

    names = ("place", "action", "keys", "about")
    columns = [Column(name, name, priority=2 if name == "about" else 0) for name in names]
    rows = [[Cell(row["place"]), Cell(row["action"]), Cell(row["shown"]), Cell(row["about"])] for row in _keys(keymap)]
    return Table(columns, rows)


def _key_shape(keymap: Keymap) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "shown"} for row in _keys(keymap)]


def _keys(keymap: Keymap) -> list[dict[str, Any]]:
    from workbench.tui.keymap import action_name

    return [
        {"place": each.scope, "action": action_name(each), "keys": list(each.keys)}
        | {"shown": each.shown_keys, "about": each.help}
        for each in keymap.actions
    ]
