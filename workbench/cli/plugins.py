"""`plugins`: list, make, check and trust them; listing reads metadata and imports none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workbench.cli.project import fail, format_option, root_option, teaches, use_plugins

_NAMES = ("group", "name", "distribution", "version", "target", "state")
_PRIORITIES = {"name": 0, "state": 0, "why": 0, "group": 2, "version": 3, "target": 4}
_NEXT = "workbench plugins new NAME writes one; a package adds some with entry points such as workbench.panels"


@click.group()
def plugins() -> None:
    """What other packages and this project's own files add: panels, readers, metrics, sections, rules, drift tests."""


@plugins.command("list")
@click.option("--check", is_flag=True, help="Load each, and say which fail and why; exit 2 when one does.")
@root_option
@format_option
@click.pass_context
@teaches
def list_plugins(ctx: click.Context, check: bool, root: Path, form: str) -> None:
    """List installed plugins and the project's files; none is imported without --check."""
    from workbench.cli.output import print_listing
    from workbench.cli.project import tell
    from workbench.core.blocks import Block, Cell, Column, Empty, Table
    from workbench.plugin.discovery import SAFE, listed, safe_mode

    use_plugins(root)
    rows: list[dict[str, Any]] = [{name: getattr(item, name) for name in _NAMES} for item in listed()]
    if safe_mode():
        tell(f"{SAFE} is set: none of them is loaded")
    why = _problems() if check and not safe_mode() else []
    if check and not safe_mode():
        broken = [plugin for plugin, _ in why]
        rows = [row | {"state": "off" if row["state"] == "off" else "ok", "why": ""} for row in rows
                if row not in broken]  # fmt: skip
        rows = [*(_failed(plugin, words) for plugin, words in why), *rows]
    names = list(rows[0]) if rows else []
    tones = {"failed": "bad", "untrusted": "warn", "off": "dim"}
    table = [[Cell(row[name], tones.get(row[name], "") if name == "state" else "") for name in names] for row in rows]  # type: ignore[arg-type]
    block: Block = Table([Column(name, name, priority=_PRIORITIES.get(name, 1)) for name in names], table)
    if not rows:
        block = Empty("No plugins", _NEXT)
    print_listing(form, lambda: block, lambda: rows)
    for row in rows:
        if row["state"] == "untrusted":
            tell(f"{row['target']} is not trusted: read it, then run: workbench plugins trust {row['target']}")
    if why:
        ctx.exit(2)


def _failed(plugin: dict[str, Any], words: str) -> dict[str, Any]:
    state = plugin["state"] if plugin["state"] == "untrusted" else "failed"
    return plugin | {"state": state, "why": words}


def _problems() -> list[tuple[dict[str, Any], str]]:
    """Plugins that fail, as rows of the listing, each with its reason."""
    from workbench.panels.registry import plugin_problems

    return [({name: getattr(one.plugin, name) for name in _NAMES}, one.error) for one in plugin_problems()]


@plugins.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--no-longer", is_flag=True, help="Take the trust back.")
@teaches
def trust(files: tuple[Path, ...], no_longer: bool) -> None:
    """Let a project's own FILES run as plugins, as they are now; a file that changes is asked about again.

    What you trust runs with your rights, so read it first. It is remembered by the file's hash in your own state
    folder, never in the project, so that nobody's repository can trust itself.
    """
    from workbench.cli.project import tell
    from workbench.plugin.listing import FOLDER
    from workbench.plugin.trust import distrust
    from workbench.plugin.trust import trust as trusted

    for file in files:
        if no_longer:
            tell(f"{file}: {'no longer trusted' if distrust(file) else 'was not trusted'}")
            continue
        digest = trusted(file)
        where = "" if file.resolve().parent.as_posix().endswith(FOLDER) else f"; it is found in {FOLDER}/ of a project"
        tell(f"{file}: trusted as it is now ({digest[:12]}){where}")


@plugins.command()
@click.argument("name")
@click.option("--panel", "parts", flag_value="panel", multiple=True, help="With a panel.")
@click.option("--reader", "parts", flag_value="reader", multiple=True, help="With a reader of a log format.")
@click.option("--metric", "parts", flag_value="metric", multiple=True, help="With a metric made of logged ones.")
@click.option("--section", "parts", flag_value="section", multiple=True, help="With a section of reports.")
@click.option("--rule", "parts", flag_value="rule", multiple=True, help="With a rule, which tells findings.")
@click.option("--drift-test", "parts", flag_value="drift-test", multiple=True, help="With a drift test.")
@click.option("--in", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("."), metavar="DIR",
              help="Where to write the package; the current folder by default.")  # fmt: skip
@click.option("--file", "single", is_flag=True, help="One file of the project in DIR instead of a package.")
@teaches
def new(name: str, parts: tuple[str, ...], folder: Path, single: bool) -> None:
    """Write a new plugin, workbench-NAME, with tests that pass at once: a panel and a reader, or what options say."""
    from workbench.cli.project import tell
    from workbench.plugin.scaffold import PARTS, ScaffoldError, write_file, write_package
    from workbench.plugin.trust import trust as trusted

    try:
        if single:
            path = write_file(folder, name)
            trusted(path)
            click.echo(path)
            tell(f"it is trusted as it is now; after a change: workbench plugins trust {path}")
            return
        chosen = [part for part in PARTS if part in parts] or ["panel", "reader"]
        for path in write_package(folder, name, chosen):
            click.echo(path)
    except ScaffoldError as error:
        raise fail(str(error), 2) from error
    place = folder / f"workbench-{name}"
    tell(f"next: pip install -e {place} && python -m pytest {place}")


@plugins.command()
@click.argument("names", nargs=-1)
@click.option("--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, metavar="FILE",
              help="A file of the format, which readers are checked on.")  # fmt: skip
@root_option
@click.pass_context
@teaches
def check(ctx: click.Context, names: tuple[str, ...], sample: Path | None, root: Path) -> None:
    """Run the battery on plugins, all by default: no runs and many, every size and format, trouble with the store.

    Exit code 1 when one has a problem.
    """
    from workbench.cli.plugins_check import check_plugins

    use_plugins(root)
    if not check_plugins(names, sample):
        ctx.exit(1)


@plugins.command()
def guide() -> None:
    """Print the guide for authors."""
    from importlib.resources import files

    bundled = files("workbench").joinpath("_guide", "README.md")
    source = Path(__file__).parents[2] / "plugins" / "README.md"
    click.echo(bundled.read_text(encoding="utf-8") if bundled.is_file() else source.read_text(encoding="utf-8"))
