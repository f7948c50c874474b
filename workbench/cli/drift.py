"""`drift`: compare two tables column by column, calibrated or with Evidently's own verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workbench.cli.project import fail, format_option, teaches, tell, use_plugins

if TYPE_CHECKING:
    from workbench.core.model import DatasetDrift
    from workbench.monitor.domain import DomainDrift
    from workbench.monitor.drift import Mode
    from workbench.monitor.registry import MethodChoice

Value = TypeVar("Value")
_FILE = click.Path(dir_okay=False, path_type=Path)


def _method_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which method and threshold, for all columns, for a type, or for one."""
    for option in (
        click.option("--column-threshold", "column_thresholds", multiple=True, metavar="NAME=VALUE",
                     help="The threshold of one column; repeat it."),
        click.option("--column-method", "column_methods", multiple=True, metavar="NAME=METHOD",
                     help="The method of one column; repeat it."),
        click.option("--cat-threshold", type=float, default=None, help="The threshold for categories."),
        click.option("--num-threshold", type=float, default=None, help="The threshold for numbers."),
        click.option("--threshold", type=float, default=None, help="The threshold of every column."),
        click.option("--cat-method", default=None, metavar="METHOD", help="The method for categories."),
        click.option("--num-method", default=None, metavar="METHOD", help="The method for numbers."),
        click.option("--method", default=None, metavar="METHOD",
                     help="Evidently's name of a method, such as psi, ks, jensenshannon; for every column."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("reference", required=False)
@click.argument("current", required=False)
@click.option(
    "--mode",
    type=click.Choice(["calibrated", "evidently"]),
    default="calibrated",
    show_default=True,
    help="calibrated: drift that is large, beyond the noise, and no fluke. evidently: its verdicts.",
)
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Only these columns; repeat it.")
@click.option("--ignore", multiple=True, metavar="NAME", help="All columns but these; repeat it.")
@_method_options
@click.option(
    "--min-rows",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="Values a column needs on each side for a calibrated verdict.",
)
@click.option(
    "--time",
    default=None,
    metavar="NAME",
    help="The reference's column of times: rows close in time are alike, and its blocks tell how much.",
)
@click.option(
    "--drift-share",
    type=click.FloatRange(0, 1),
    default=None,
    help="The share of drifted columns at which the table has; any one if calibrated, 0.5 for evidently.",
)
@click.option(
    "--multivariate",
    is_flag=True,
    help="Also train a classifier to tell the sides apart, and name the columns it does so by.",
)
@click.option(
    "--evidently-html",
    "html",
    type=_FILE,
    default=None,
    metavar="FILE",
    help="Also write Evidently's own report, in a process of its own.",
)
@click.option(
    "--evidently-json",
    "snapshot_out",
    type=_FILE,
    default=None,
    metavar="FILE",
    help="Also write Evidently's own snapshot, in a process of its own.",
)
@click.option(
    "--snapshot",
    type=_FILE,
    default=None,
    metavar="FILE",
    help="Show a snapshot that Evidently wrote instead of comparing files.",
)
@format_option
@teaches
def drift(
    reference: str | None,
    current: str | None,
    mode: Mode,
    columns: tuple[str, ...],
    ignore: tuple[str, ...],
    min_rows: int,
    time: str | None,
    drift_share: float | None,
    multivariate: bool,
    html: Path | None,
    snapshot_out: Path | None,
    snapshot: Path | None,
    form: str,
    **methods: Any,
) -> None:
    """Compare CURRENT with REFERENCE: Parquet, CSV or JSONL files, or quoted globs.

    Scores are Evidently's. JSON is {dataset: {drifted, share, columns, verdict, mode}, columns: [{column, type,
    status, method, score, threshold, drifted, n_reference, n_current, reason, noise_p95, p_value, effect}], findings},
    every column once; CSV has a row for each column. To fail a build on drift: workbench report --gate
    'drift(MONITOR).share < 0.3'.
    """
    from workbench.monitor.drift import DriftInputError, compare

    try:
        if snapshot is not None:
            _show_snapshot(snapshot, form)
            return
        if reference is None or current is None:
            raise click.UsageError("name two tables, REFERENCE and CURRENT, or one --snapshot FILE")
        use_plugins(Path())
        choice = _choice(**methods)
        result = compare(
            reference, current, mode=mode, columns=columns or None, ignore=ignore, choice=choice,
            min_rows=min_rows, time=time, drift_share=drift_share,
        )  # fmt: skip
        together = _together(reference, current, columns, ignore) if multivariate else None
        if html is not None or snapshot_out is not None:
            _evidently(reference, current, html, snapshot_out, choice)
    except DriftInputError as error:
        raise fail(str(error), 4) from error
    _print(form, result, together)


def _print(form: str, result: DatasetDrift, together: DomainDrift | None) -> None:
    from workbench.cli.output import print_listing, screen_fit
    from workbench.monitor.drift import drift_json
    from workbench.panels.drift_words import comparison_block, domain_shape

    shape = drift_json(result) | ({"multivariate": domain_shape(together)} if together else {})
    print_listing(
        form, lambda: comparison_block(result, screen_fit(), together), lambda: shape, lambda: shape["columns"]
    )


def _choice(column_methods: tuple[str, ...], column_thresholds: tuple[str, ...], **chosen: Any) -> MethodChoice:
    from workbench.monitor.registry import MethodChoice
    from workbench.monitor.tables import DriftInputError

    try:
        return MethodChoice(
            **chosen,
            column_methods=_by_column("--column-method", column_methods, str),
            column_thresholds=_by_column("--column-threshold", column_thresholds, float),
        )
    except DriftInputError as error:
        raise click.UsageError(str(error)) from error


def _by_column(option: str, given: tuple[str, ...], read: Callable[[str], Value]) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for item in given:
        name, mark, value = item.rpartition("=")
        try:
            if not mark:
                raise ValueError
            found[name] = read(value)
        except ValueError as error:
            raise click.UsageError(f"{option} {item!r}: write NAME=VALUE, such as {option} age=0.2") from error
    return found


def _together(reference: str, current: str, columns: tuple[str, ...], ignore: tuple[str, ...]) -> DomainDrift:
    from workbench.monitor.domain import DomainError, domain_drift

    try:
        return domain_drift(
            reference, current, columns=columns or None, ignore=ignore, tell=lambda line: tell(f"multivariate: {line}")
        )
    except DomainError as error:
        raise fail(str(error), 4) from error


def _evidently(reference: str, current: str, html: Path | None, snapshot: Path | None, choice: MethodChoice) -> None:
    from workbench.monitor.evidently_worker import EvidentlyError, evidently_report

    try:
        evidently_report(
            reference, current, html=html, snapshot=snapshot, choice=choice,
            progress=lambda line: tell(f"evidently: {line}"),
        )  # fmt: skip
    except EvidentlyError as error:
        raise fail(str(error), 4) from error
    for out in (html, snapshot):
        if out is not None:
            tell(f"wrote {out}")


def _show_snapshot(path: Path, form: str) -> None:
    from workbench.cli.output import print_listing, screen_fit
    from workbench.monitor.drift import drift_json
    from workbench.monitor.snapshots import read_snapshot
    from workbench.panels.drift_words import snapshot_block, snapshot_shape

    found = read_snapshot(path)
    shape = drift_json(found.drift) | snapshot_shape(found)
    print_listing(form, lambda: snapshot_block(found, screen_fit()), lambda: shape, lambda: shape["columns"])
