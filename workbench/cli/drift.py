"""`drift`: compare two tables column by column, with Evidently's methods, thresholds and scores."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.project import fail, format_option, teaches, tell


@click.command()
@click.argument("reference")
@click.argument("current")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Only these columns; repeat it.")
@click.option("--ignore", multiple=True, metavar="NAME", help="All columns but these; repeat it.")
@click.option("--evidently-html", "html", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
              help="Also write Evidently's own report, in a process of its own.")  # fmt: skip
@format_option
@teaches
def drift(
    reference: str, current: str, columns: tuple[str, ...], ignore: tuple[str, ...], html: Path | None, form: str
) -> None:
    """Compare CURRENT with REFERENCE: Parquet, CSV or JSONL files, or quoted globs.

    Methods, thresholds and scores are Evidently's. JSON is {dataset: {drifted, share, columns, verdict}, columns:
    [{column, type, status, method, score, threshold, drifted, n_reference, n_current, reason}]}, every column once;
    CSV has a row for each column. To fail a build on drift: workbench report --gate 'drift(MONITOR).share < 0.3'.
    """
    from workbench.cli.output import print_listing, screen_fit
    from workbench.monitor.drift import DriftInputError, compare, drift_json
    from workbench.panels.drift import drift_block

    try:
        result = compare(reference, current, columns=columns or None, ignore=ignore)
        if html is not None:
            _evidently(reference, current, html)
    except DriftInputError as error:
        raise fail(str(error), 4) from error
    print_listing(
        form,
        lambda: drift_block(result, screen_fit()),
        lambda: drift_json(result),
        lambda: drift_json(result)["columns"],
    )


def _evidently(reference: str, current: str, out: Path) -> None:
    from workbench.monitor.evidently_worker import EvidentlyError, evidently_html

    try:
        evidently_html(reference, current, out, progress=lambda line: tell(f"evidently: {line}"))
    except EvidentlyError as error:
        raise fail(str(error), 4) from error
    tell(f"wrote {out}")
