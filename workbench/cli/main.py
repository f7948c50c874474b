"""Entry point: `workbench [ROOT]` opens the terminal interface, every other command is loaded when it is called."""

from __future__ import annotations

import importlib
import os
import stat
import sys
from pathlib import Path

import click

COMMANDS = {
    "baseline": "workbench.cli.annotate:baseline",
    "compare": "workbench.cli.compare:compare",
    "demo": "workbench.cli.demo:demo",
    "detect": "workbench.cli.detect:detect",
    "doctor": "workbench.cli.doctor:doctor",
    "drift": "workbench.cli.drift:drift",
    "export": "workbench.cli.export:export",
    "hide": "workbench.cli.annotate:hide",
    "logs": "workbench.cli.logs:logs",
    "monitor": "workbench.cli.listings:monitor",
    "note": "workbench.cli.annotate:note",
    "pack": "workbench.cli.report:pack",
    "panel": "workbench.cli.panel:panel",
    "plugins": "workbench.cli.plugins:plugins",
    "rename": "workbench.cli.annotate:rename",
    "report": "workbench.cli.report:report",
    "runs": "workbench.cli.listings:runs",
    "serve": "workbench.cli.serve:serve",
    "settings": "workbench.cli.settings:settings",
    "show": "workbench.cli.listings:show",
    "sources": "workbench.cli.listings:sources",
    "sql": "workbench.cli.sql:sql",
    "tag": "workbench.cli.annotate:tag",
    "tracking": "workbench.cli.tracking:tracking",
    "tui": "workbench.cli.tui:tui",
    "watch": "workbench.cli.watch:watch",
}
_SUMMARIES = {
    "baseline": "Choose the run that others are compared with.",
    "compare": "Runs side by side: metrics with deltas, differing parameters.",
    "demo": "Train the sample project in a scratch folder and look at it.",
    "detect": "Say which reader takes a file, and why.",
    "doctor": "Check store, sources and installation.",
    "drift": "Compare two tables column by column.",
    "export": "Write points as CSV, Parquet or JSON.",
    "hide": "Leave runs out of listings, or show them again.",
    "logs": "A run's output and text logs: tail, follow, search.",
    "monitor": "Windows of a production monitor.",
    "note": "Add a note to a run, or take it away.",
    "pack": "Pack this project's state for `report --against`.",
    "panel": "One view of the interface, printed.",
    "plugins": "List, make, check and trust plugins.",
    "rename": "Show a run under another name.",
    "report": "Report and gates: text, Markdown, HTML, JSON, JUnit.",
    "runs": "List runs, newest first.",
    "serve": "The terminal interface in a browser, on this machine.",
    "settings": "Settings of the interface: what each holds, and who said so.",
    "show": "Everything about one run.",
    "sources": "Files read, how far, and what was refused.",
    "sql": "One SELECT over the store.",
    "tag": "Tag a run, or take tags away.",
    "tracking": "Copy the logging API into a training project.",
    "tui": "Open the terminal interface (the default).",
    "watch": "Read logs into the store, once or for as long as it runs.",
}


_EPILOG = """\b
Examples:
  workbench                                    open the folder you are in
  workbench --read-only                        the same, and nothing is written
  workbench runs --where 'val/loss<0.4 not tag:broken' --format json
  workbench report --gate 'best(val/accuracy) >= 0.9' --gate 'latency_ms.p95 <= 1.1 * baseline'
  workbench drift january.parquet july.parquet

\b
Exit codes: 0 ok; 1 a gate failed; 2 usage or configuration; 3 the store is busy or broken;
4 input unreadable; 70 a mistake of workbench itself. stdout is data, stderr is narration.
"""
_OF_TUI = ("--read-only", "--safe", "--theme")
"""Options that may stand first: `workbench --read-only` is `workbench tui --read-only`."""
_MISTAKE = 70
"""Exit code of an error nobody foresaw, so that CI never takes it for a failed gate."""


def summary_of(name: str) -> str:
    """One line on a command, known without loading it."""
    return _SUMMARIES[name]


class _Commands(click.Group):
    """Loads a command's module only when it is run; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options of the interface need no command before them; `--safe` may stand before any."""
        safe_command = args[:1] == ["--safe"] and args[1:2] and args[1] in COMMANDS
        if args and args[0].partition("=")[0] in _OF_TUI and not safe_command:
            args = ["tui", *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SUMMARIES[name]) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`workbench ROOT` is `workbench tui ROOT`; a mistyped command gets the nearest one."""
        if args[0] not in COMMANDS:
            if not Path(args[0]).is_dir():
                ctx.fail(_unknown(args[0]))
            args = ["tui", *args]
        return super().resolve_command(ctx, args)


def _unknown(word: str) -> str:
    """What is wrong with a first word that is neither a command nor a folder."""
    from workbench.core.config import nearest
    from workbench.core.text import plain

    shown = plain(word)
    if Path(word).exists():
        return f"{shown} is a file, not a folder; what it is taken for says: workbench detect {shown}"
    if os.sep in word or word.startswith((".", "~")):
        return f"no folder {shown!r}"
    return f"no command and no folder {shown!r}{nearest(word, COMMANDS)}"


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"workbench {version('mlworkbench')}")
        ctx.exit()


def _safe(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Leave plugins out of this process and of those that it starts."""
    if value and not ctx.resilient_parsing:
        os.environ["WORKBENCH_SAFE"] = "1"


@click.command(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="[ROOT | COMMAND] …", epilog=_EPILOG,
)  # fmt: skip
@click.option("--safe", is_flag=True, is_eager=True, expose_value=False, callback=_safe, help="Without any plugin.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """The terminal an ML engineer keeps open: runs, comparisons, drift and latency from the logs that are there.

    Without a command it opens the interface on ROOT, the current folder by default.
    """
    if ctx.invoked_subcommand is None:
        command = cli.get_command(ctx, "tui")
        assert command is not None
        ctx.invoke(command, root=Path("."))


def main() -> None:
    """Run a command; exit 0 ok, 1 a gate failed, 2 usage or configuration, 3 the store, 4 unreadable input, 70 a bug.

    It leaves the process and never returns.
    """
    output = _output_file()
    code = _code()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            pass
    if output is not None:
        from workbench.core.written import remember

        remember(output)
    os._exit(code)  # without tearing the interpreter down: with threads still ending, DuckDB's bindings print warnings


def _code() -> int:
    """Run the command that the arguments name, and return its exit code."""
    try:
        code = cli.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return 0
    except Exception:  # noqa: BLE001 - the last resort; its words may come from a log, so they are made safe
        import traceback

        from workbench.core.text import plain

        sys.stderr.write(plain(traceback.format_exc(), multiline=True))
        return _MISTAKE


def _output_file() -> Path | None:
    """The new file that the shell has put in the place of standard output: what comes is no log of a training."""
    try:
        found = os.fstat(1)
        if not stat.S_ISREG(found.st_mode) or found.st_size:
            return None
        if sys.platform == "darwin":
            import fcntl

            return Path(os.fsdecode(fcntl.fcntl(1, 50, bytes(1024)).rstrip(b"\0")))  # F_GETPATH
        return Path(os.readlink("/proc/self/fd/1"))
    except OSError:
        return None


if __name__ == "__main__":
    main()
