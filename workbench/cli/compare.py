"""`compare`: runs side by side, and against each other in every way the panels show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.project import (
    explain_none,
    fail,
    find_run,
    format_option,
    open_project,
    root_option,
    teaches,
    where_option,
)

if TYPE_CHECKING:
    from workbench.core.query import Focus
    from workbench.plugin.api import Panel
    from workbench.store.query import StoreQuery

_VIEWS = ("table", "params", "scatter", "parallel", "importance", "groups")
_NEWEST = 8
"""Runs put side by side when none is named."""


@click.command()
@click.argument("names", metavar="[RUN]…", nargs=-1)
@root_option
@where_option
@click.option("--baseline", default=None, metavar="RUN", help="Compare with this run instead of the chosen baseline.")
@click.option("--metric", metavar="KEY", default=None, help="The metric to draw and to list first.")
@click.option("--value", metavar="VALUE", default="last", show_default=True,
              help="What stands for a metric: last, best, min, max, first, step:N; or val/loss=min.")  # fmt: skip
@click.option("--as", "view", type=click.Choice(_VIEWS), default=None, help="How to look at the runs; see above.")
@click.option("--x", "x_column", metavar="COLUMN", default=None, help="X axis of the scatter, such as lr or duration.")
@click.option("--y", "y_column", metavar="COLUMN", default=None, help="Y axis of the scatter; the metric by default.")
@click.option("--axes", metavar="COLUMNS", default=None, help="Axes of --as parallel, parted by commas.")
@click.option("--by", metavar="COLUMNS", default=None, help="What to group by, such as model, tag:owner or config.")
@format_option
@teaches
def compare(
    names: tuple[str, ...], root: Path, where: str, baseline: str | None, metric: str | None, value: str,
    view: str | None, x_column: str | None, y_column: str | None, axes: str | None, by: str | None, form: str,
) -> None:  # fmt: skip
    """RUNs side by side: metrics with deltas to the baseline, parameters that differ, one metric's curves.

    A RUN is an id, a name, a path, or a part of one that no other run has. Without any, the newest eight that match
    --where are compared; the other views look at all that match.
    Without a baseline the deltas are those to the first RUN that is named. A change that another seed may have made, by
    the spread of runs that differ in their seed alone, is marked ≈.

    \b
    --as params       parameters that differ, their values, and how the runs with each did
    --as scatter      two columns against each other (--x, --y), the best run marked
    --as parallel     lines of the best runs from axis to axis (--axes), then a strip per axis, a row per run
    --as importance   which parameters matter: random forest and rank correlation, with their uncertainty
    --as groups       mean and span by a parameter, a tag or all settings but the seed (--by)

    A COLUMN is param:KEY, metric:KEY, tag:KEY, env:KEY, duration, started, state, group, config, or a bare KEY.
    JSON is {baseline, value, runs, metrics: [{key, direction, unit, kind, values, deltas, best, noise}], params: [{key,
    values}]}, values and deltas by run id; CSV has a row for each metric and run.
    """
    from workbench.core.query import Focus

    query = open_project(root).query
    view = view or ("groups" if by else "scatter" if x_column or y_column else "parallel" if axes else "table")
    everything = [find_run(query, name).id for name in names] if names else [run.id for run in query.runs(where)]
    marked = everything[:_NEWEST] if view == "table" and not names else everything
    if not marked:
        explain_none(query, where)
        raise fail("no run to compare\n  next: workbench runs", 2)
    _check(query, marked, metric, value, columns=(x_column, y_column, *_parted(axes), *_parted(by)))
    asked = {"value": value, "scatter_x": x_column, "scatter_y": y_column, "axes": axes, "by": by}
    options = {"reference": bool(names), **{name: each for name, each in asked.items() if each}}
    chosen = find_run(query, baseline).id if baseline else None
    shown = tuple(marked) if names or view == "table" else ()
    focus = Focus(run=marked[0], marked=shown, baseline=chosen, where=where, metric=metric, options=options)
    panel, rows = _panel(view)
    _print(form, panel, query, focus, rows)


def _print(
    form: str, panel: Panel, query: StoreQuery, focus: Focus, rows: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
) -> None:
    """One panel in one format; a comparison that cannot be made is told as data in JSON, in words in a table."""
    from workbench.cli.output import print_listing, screen_fit

    data = panel.load(query, focus)
    shape = panel.to_json(data) or {}
    print_listing(form, lambda: panel.view(data, screen_fit()), lambda: shape, lambda: rows(shape) if shape else [])


def _panel(view: str) -> tuple[Panel, Callable[[Mapping[str, Any]], list[dict[str, Any]]]]:
    """The panel of a view, and its rows for CSV."""
    from workbench.panels.compare import ComparePanel
    from workbench.panels.groups import GroupsPanel
    from workbench.panels.importance import ImportancePanel
    from workbench.panels.parallel import ParallelPanel
    from workbench.panels.params import ParamsPanel
    from workbench.panels.scatter import ScatterPanel

    panels: dict[str, tuple[Panel, Callable[[Mapping[str, Any]], list[dict[str, Any]]]]] = {
        "table": (ComparePanel(), _compared),
        "params": (ParamsPanel(), _levels),
        "scatter": (ScatterPanel(), lambda shape: list(shape["points"])),
        "parallel": (ParallelPanel(), lambda shape: list(shape["runs"])),
        "importance": (ImportancePanel(), lambda shape: list(shape["params"])),
        "groups": (
            GroupsPanel(),
            lambda shape: [{**group, "runs": len(group["runs"]), "band": None} for group in shape["groups"]],
        ),
    }
    return panels[view]


def _check(
    query: StoreQuery, marked: Sequence[str], metric: str | None, value: str, columns: Sequence[str | None]
) -> None:
    """Whatever these runs do not have ends the command with the nearest that they have."""
    from workbench.core.compare_columns import column_key
    from workbench.core.compare_values import ChoiceError, value_at
    from workbench.core.config import nearest

    ids = set(marked)
    runs = [run for run in query.runs(hidden=True) if run.id in ids]
    known = {key for run in runs for key in run.metrics}
    if metric is not None and metric not in known:
        raise fail(f"--metric: none of these runs has {metric!r}{nearest(metric, known)}", 2)
    try:
        value_at(value)
    except ChoiceError as error:
        raise fail(f"--value: {error}", 2) from error
    for column in filter(None, columns):
        try:
            column_key(column, runs)
        except ChoiceError as error:
            raise fail(f"{error}\n  next: workbench compare --as params", 2) from error


def _parted(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _compared(shape: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each metric and run, then one for each parameter that differs."""
    names = {run["id"]: run["name"] for run in shape["runs"]}
    rows: list[dict[str, Any]] = []
    for metric in shape["metrics"]:
        fixed = {name: metric[name] for name in ("key", "direction", "unit", "kind")}
        within = metric["noise"]["within"] if metric["noise"] else [None] * len(names)
        for (run_id, value), noise in zip(metric["values"].items(), within, strict=True):
            change = metric["deltas"][run_id] or {"absolute": None, "relative": None, "better": None}
            told = {"run_id": run_id, "run": names[run_id], "value": value, "delta": change, "within_noise": noise}
            rows.append({**fixed, **told})
    for param in shape["params"]:
        rows += [
            {"key": param["key"], "kind": "param", "run_id": run_id, "run": names[run_id], "value": value}
            for run_id, value in param["values"].items()
        ]
    return rows


def _levels(shape: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each value of each parameter."""
    return [{"key": param["key"], **level} for param in shape["params"] for level in param["levels"]]
