"""`report` and `pack`: what CI reads, with exit code 1 when a gate fails."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import (
    Project,
    fail,
    find_run,
    open_project,
    read_news,
    root_argument,
    root_option,
    teaches,
    tell,
    where_option,
    writing,
)

if TYPE_CHECKING:
    from workbench.core.config import GateConfig
    from workbench.report.pack import Pack

_SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "md",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".xml": "junit",
}


@click.command()
@root_argument
@click.option("--format", "forms", type=click.Choice(["text", "md", "html", "json", "junit"]), multiple=True,
              help="Repeat it for several; text by default, or what the names of --out end in.")  # fmt: skip
@click.option("--out", "outs", type=click.Path(dir_okay=False, path_type=Path), multiple=True, metavar="FILE",
              help="A file; repeat it. It takes the format its name ends in (.txt .md .html .json .xml), else the next "
              "one of --format; formats without a file go to stdout.")  # fmt: skip
@click.option("--gate", "gates", multiple=True, metavar="CHECK",
              help="A gate besides those of workbench.toml; repeat it.")  # fmt: skip
@where_option
@click.option("--baseline", default=None, metavar="RUN", help="Compare with this run instead of the chosen baseline.")
@click.option("--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, metavar="PACK",
              help="Changes to what `workbench pack` kept of the main branch.")  # fmt: skip
@click.option("--replay", type=click.IntRange(min=1), default=None, metavar="N",
              help="Say which of the last N windows would have failed the gates on production.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 4 when some input could not be read.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE",
              help="A view option of the panels: value=best, by=model, scatter_x=lr; repeat it.")  # fmt: skip
@click.pass_context
@teaches
def report(
    ctx: click.Context, root: Path, forms: tuple[str, ...], outs: tuple[Path, ...], gates: tuple[str, ...], where: str,
    baseline: str | None, against: Path | None, replay: int | None, strict: bool, options: tuple[str, ...],
) -> None:  # fmt: skip
    """Report on the project at ROOT (the current folder by default): gates, runs, comparison, production, problems.

    Without a store the files are read into a private one, and nothing is left behind. Gates are judged on the newest
    visible run, or the newest that matches --where:

    \b
      best(val/accuracy) >= 0.9            best, last, first, min, max, n of a metric
      latency_ms.p95 <= 1.1 * baseline     percentiles; the baseline's own value
      flights.auc >= 0.6                   any metric of a monitor's newest closed window with enough rows
      drift(flights).share < 0.3           its columns: share, drifted, tested
      missing(flights.carrier) < 5%        values a column lacks
      findings(flights) == 0               open warnings and bad ones; .bad, .warn, .info

    Exit codes: 0 all gates passed; 1 a gate failed or could not be evaluated; 2 usage or configuration; 3 the store;
    4 with --strict, gates passed but some input could not be read.
    """
    from workbench.core.config import GateConfig

    targets, main, chosen = _targets(forms, outs), _pack(against), dict(map(_option, options))
    with _opened(root) as project:
        extra = [GateConfig(check, check, where) for check in gates]
        code = print_report(
            project, targets, extra, where, baseline, main, strict=strict, replayed=replay, options=chosen
        )
    ctx.exit(code)


@click.command()
@root_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("main.wbpack"), show_default=True,
              metavar="FILE", help="The file to write.")  # fmt: skip
@teaches
def pack(root: Path, out: Path) -> None:
    """Pack the project's metrics, latency and drift into one small file for `report --against`.

    Write it on the main branch and keep it as an artifact: `report --against main.wbpack` on a change then shows what
    the change did, without a server. Without a store the files are read into a private one.
    """
    from workbench.report.pack import write_pack

    with _opened(root) as project:
        data = write_pack(project.query, project.config)
    with writing(out):
        out.write_bytes(data)
    tell(f"wrote {out}, {len(data):,} bytes")


def print_report(
    project: Project, targets: Sequence[tuple[str, Path | None]] = (("text", None),), extra: Sequence[GateConfig] = (),
    where: str = "", baseline: str | None = None, against: Pack | None = None, *, strict: bool = False,
    replayed: int | None = None, options: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """Write the report to every target and return the exit code; `replayed` windows are judged as if they were new."""
    from workbench.cli.output import colors_wanted, screen_fit
    from workbench.core.query import Focus
    from workbench.core.written import remember
    from workbench.panels.registry import all_panels, all_sections, check_options
    from workbench.render.formats import render
    from workbench.report.build import build, exit_code
    from workbench.rules import evaluate_all, replay

    check_options(project.config)
    chosen = find_run(project.query, baseline).id if baseline else None
    gates, now = [*project.config.gates, *extra], time.time()
    known = project.config.monitors
    results = evaluate_all(gates, project.query, baseline=chosen, monitors=known, now=now)
    past = None if replayed is None else replay(gates, project.query, replayed, monitors=known, now=now)
    focus = Focus(where=where, baseline=chosen, options=options or {})
    panels = [*all_panels(project.config), *all_sections()]
    for form, out in targets:
        on_screen = out is None and form == "text"
        fit = screen_fit() if on_screen else None
        document = build(
            project.query, project.config, focus, panels, results, against=against,
            replayed=past, generated_at=now, **({"fit": fit} if fit else {}),
        )  # fmt: skip
        text = render(document, form, fit, color=on_screen and colors_wanted())
        if out is None:
            click.echo(text, nl=not text.endswith("\n"))
        else:
            with writing(out):
                out.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
                remember(out)
            tell(f"wrote {out}")
    return exit_code(results, project.query, strict=strict)


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise click.UsageError(f"--option {text}: is not NAME=VALUE, such as value=best")
    return name, value


def _targets(forms: Sequence[str], outs: Sequence[Path]) -> list[tuple[str, Path | None]]:
    """Formats paired with files: by suffix where that names an asked format or none is left, else in turn."""
    open_forms = list(forms)
    named = {at: _SUFFIXES[out.suffix.lower()] for at, out in enumerate(outs) if out.suffix.lower() in _SUFFIXES}
    chosen: dict[int, str] = {}
    for at, form in named.items():
        if form in open_forms:
            open_forms.remove(form)
            chosen[at] = form
    for at, out in enumerate(outs):
        if at not in chosen:
            form = open_forms.pop(0) if open_forms else named.get(at, "")
            if not form:
                raise click.UsageError(f"{out}: which format? add --format text|md|html|json|junit")
            chosen[at] = form
    files: list[tuple[str, Path | None]] = [(chosen[at], out) for at, out in enumerate(outs)]
    return [*files, *((form, None) for form in open_forms)] or [("text", None)]


@contextmanager
def _opened(root: Path) -> Iterator[Project]:
    """The project's store brought up to date, or a private one read from the files where there is none."""
    from workbench.store.place import Place, place_of

    place = place_of(root)
    if place.database.exists():
        yield open_project(root)
        return
    with tempfile.TemporaryDirectory(prefix="workbench-report-") as folder:
        private = Place(place.root, place.state, Path(folder))
        project = open_project(root, fresh=False, place=private)
        read_news(project, None, final=True, spoken=sys.stderr.isatty())
        try:
            yield project
        finally:
            project.store.close()


def _pack(path: Path | None) -> Pack | None:
    if path is None:
        return None
    from workbench.report.pack import PackError, read_pack

    try:
        return read_pack(path.read_bytes())
    except (PackError, OSError) as error:
        raise fail(f"{path}: {error}", 2) from error
