"""The commands and options of the command line, for the interface to complete and to check what is typed there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from workbench.tui.words import Option, Word

_KINDS = {
    "--where": "where", "--metric": "metric", "--sort": "sort", "--columns": "columns", "--monitor": "monitor",
    "--run": "run", "--mark": "run", "--baseline": "run", "run": "run", "runs": "run", "names": "run",
    "--panel": "panel",
}  # fmt: skip
"""What completes an option or an argument, by its name."""


def vocabulary() -> Sequence[Word]:
    """Every command, those of a group by both words: `export points`."""
    from workbench.cli.main import COMMANDS, cli, summary_of

    found: list[Word] = []
    for name in sorted(COMMANDS):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found += _words(name, command, summary_of(name))
    return found


def _words(name: str, command: click.Command, summary: str) -> Iterator[Word]:
    if not isinstance(command, click.Group):
        yield _word(name, command, summary)
        return
    for inner, each in sorted(command.commands.items()):
        yield from _words(f"{name} {inner}", each, each.get_short_help_str(80))


def _word(name: str, command: click.Command, summary: str) -> Word:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    roots = {each.name: each for each in command.params if each.name == "root"}
    shown = [each.make_metavar(click.Context(command)) for each in arguments if each.name != "root"]
    kind = next((_KINDS[each.name] for each in arguments if each.name in _KINDS), "")
    root = "" if not roots else "argument" if isinstance(roots["root"], click.Argument) else "option"
    return Word(name, summary, " ".join(shown), tuple(_options(command)), kind, root=root)


def _options(command: click.Command) -> Iterator[Option]:
    for each in command.params:
        if isinstance(each, click.Option):
            name = next((opt for opt in each.opts if opt.startswith("--")), each.opts[0])
            choices = tuple(each.type.choices) if isinstance(each.type, click.Choice) else ()
            value = "" if each.is_flag else each.metavar or "|".join(choices) or each.type.name.upper()
            yield Option(name, value, each.help or "", choices, _KINDS.get(name, ""))
