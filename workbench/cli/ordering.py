"""`--sort`, `--desc` and `--columns` of a listing of runs, checked against what runs there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.project import fail

if TYPE_CHECKING:
    from workbench.core.model import Run


def order_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--sort KEY`, `--desc`, `--columns KEYS` and `--metric KEY`, as the run table of the interface has them."""
    for option in (
        click.option("--metric", metavar="KEY", default=None, help="The main metric of the table."),
        click.option("--columns", metavar="KEY,…", default=None,
                     help="Columns beside the main metric: metric:KEY, param:KEY, tag:KEY; none with an empty text."),
        click.option("--desc", is_flag=True, help="The greatest first; of age, the oldest."),
        click.option("--sort", metavar="KEY", default="age", show_default=True,
                     help="age, name, state, path, metric:KEY, param:KEY, tag:KEY, or a percentile such as KEY.p95."),
    ):  # fmt: skip
        command = option(command)
    return command


def order_of(runs: Iterable[Run], sort: str, desc: bool, columns: str | None, metric: str | None) -> dict[str, Any]:
    """Options of a focus; a column or a metric that no run has is refused with the nearest one.

    Raises:
        ClickException: exit code 2, for such a name.
    """
    from workbench.core.order import known_sort_keys
    from workbench.core.roles import split_percentile

    known = known_sort_keys(runs)
    plain = {key.partition(":")[2] for key in known if ":" in key}
    base = split_percentile(sort)
    if known and sort not in known | plain and sort != "p95" and (base is None or base[0] not in plain):
        raise _unknown("--sort", sort, known)
    metrics = {key for key in known if key.startswith("metric:")}
    if metrics and metric is not None and f"metric:{metric}" not in metrics:
        raise _unknown("--metric", metric, {key.removeprefix("metric:") for key in metrics})
    options: dict[str, Any] = {"sort": sort, "descending": desc}
    return options if columns is None else {**options, "columns": _columns(columns, known)}


def _columns(text: str, known: set[str]) -> Sequence[str]:
    import re

    parts = re.findall(r"(?:\\.|[^\\,])+", text)
    keys = tuple(re.sub(r"\\(.)", r"\1", part).strip() for part in parts if part.strip())
    for key in keys:
        if known and (":" not in key or key not in known):
            raise _unknown("--columns", key, {each for each in known if ":" in each})
    return keys


def _unknown(option: str, name: str, known: set[str]) -> click.ClickException:
    from workbench.core.config import nearest

    ends = [key for key in sorted(known) if key.partition(":")[2] == name]
    near = f" – did you mean {ends[0]!r}?" if ends else nearest(name, known)
    return fail(f"{option}: no run has {name!r}{near}", 2)
