"""`doctor`: is the store sound, are the sources read, is everything installed; each with the next command."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from workbench.cli.project import format_option, root_argument

_PACKAGES = ("mlworkbench", "duckdb", "polars", "textual", "watchdog", "plotext", "scikit-learn", "evidently", "pandas")
Finding = tuple[str, str, str]
"""Subject, ok / warn / bad, and words."""


@click.command()
@root_argument
@format_option
@click.pass_context
def doctor(ctx: click.Context, root: Path, form: str) -> None:
    """Check configuration, store, sources and installation of the project at ROOT (the current folder by default).

    Every finding is ok, warn or bad, with the next command. Exit 3 when the store is bad, 2 when only configuration or
    installation is. Nothing is changed.
    """
    from workbench.cli.output import print_listing
    from workbench.core.blocks import Cell, Column, Table, Tone

    findings = [*_installation(), *_project(root)]
    tones: dict[str, Tone] = {"ok": "good", "warn": "warn", "bad": "bad"}
    rows = [[Cell(subject), Cell(state, tones[state]), Cell(words)] for subject, state, words in findings]
    table = Table([Column("subject", "subject"), Column("state", "state"), Column("finding", "finding")], rows)
    shape = [dict(zip(("subject", "state", "finding"), finding, strict=True)) for finding in findings]
    print_listing(form, lambda: table, lambda: shape)
    bad = {subject for subject, state, _ in findings if state == "bad"}
    if bad:
        ctx.exit(3 if bad & {"store", "points"} else 2)


def _installation() -> Iterator[Finding]:
    yield "python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    for name in _PACKAGES:
        try:
            yield name, "ok", version(name)
        except PackageNotFoundError:
            yield name, "bad", f"not installed; next: pip install {name}"


def _project(root: Path) -> Iterator[Finding]:
    from workbench.core.config import ConfigError, load_config
    from workbench.core.units import size
    from workbench.ingest.election import Election
    from workbench.store.errors import StoreError
    from workbench.store.place import file_system, place_of
    from workbench.store.store import Store

    try:
        config = load_config(root.resolve())
        yield "configuration", "ok", str(config.path or "none; the defaults hold")
    except ConfigError as error:
        yield "configuration", "bad", str(error)
    place = place_of(root)
    yield "file system", "warn" if place.remark else "ok", place.remark or file_system(root.resolve()) or "local"
    if not place.database.exists():
        yield "store", "warn", f"{place.database} does not exist yet; next: workbench watch --once"
        return
    disk = os.statvfs(place.store)
    yield "disk", "ok", f"{size(disk.f_bavail * disk.f_frsize)} free"
    try:
        yield from _store(Store(place, patience=5.0))
        holder = Election(place).holder()
        yield "ingester", "ok", f"PID {holder} reads the logs" if holder else "none runs; commands read for themselves"
    except StoreError as error:
        yield "store", "bad", str(error)


def _store(store: object) -> Iterator[Finding]:
    """The store opens, no point was counted twice, and every cursor agrees with what it accepted."""
    from workbench.store.checks import duplicate_points, row_counts, source_troubles
    from workbench.store.store import Store

    assert isinstance(store, Store)
    counts = row_counts(store)
    yield "store", "ok", f"{store.path}: {counts['point_log']:,} points, {counts['run_log']:,} runs"
    duplicates = duplicate_points(store)
    yield "points", "bad" if duplicates else "ok", f"{duplicates:,} were stored twice"
    troubles = source_troubles(store)
    for path, status, message in troubles:
        yield f"source {path}", "warn", f"{status}: {message}"
    if not troubles:
        yield "sources", "ok", "all are read without trouble"
