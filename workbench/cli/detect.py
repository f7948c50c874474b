"""`detect`: which reader takes a file, what each one said, and what an export's columns seem to mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import fail, format_option

if TYPE_CHECKING:
    from workbench.core.blocks import Block


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
def detect(file: Path, form: str) -> None:
    """Explain the decision for any FILE: the reader that takes it and why, or a mapping for an export."""
    from workbench.cli.output import print_listing
    from workbench.core.blocks import Cell, Column, Note, Stack, Table
    from workbench.ingest.discovery import Detector
    from workbench.ingest.readers import all_readers

    try:
        names = frozenset(item.name for item in file.resolve().parent.iterdir())
        found = Detector(all_readers()).detect(file.resolve().parent, Path(file.name), names)
    except OSError as error:
        raise fail(f"{file}: {error.strerror or error}", 4) from error
    chosen = found.reader.name if found.reader else None
    headline = (
        f"{file}: read as {chosen} – {found.claim.why}" if chosen else f"{file}: no reader of training logs takes it"
    )
    rows = [[Cell(name), Cell(claim.score), Cell(claim.why)] for name, claim in found.answers]
    columns = [Column("reader", "reader"), Column("score", "score", align="right"), Column("why", "why")]
    blocks: list[Block] = [Note(headline, "good" if chosen else "warn"), Table(columns, rows)]
    mapping = None if chosen else _mapping(file, blocks)
    shape = {
        "path": str(file),
        "format": chosen,
        "why": found.claim.why,
        "readers": [{"reader": name, "score": claim.score, "why": claim.why} for name, claim in found.answers],
        "mapping": mapping,
    }
    print_listing(form, lambda: Stack(blocks), lambda: shape)


def _mapping(file: Path, blocks: list[Block]) -> object:
    """The proposal for a production export, None where the file is no table."""
    from dataclasses import asdict

    from workbench.core.blocks import Note
    from workbench.monitor.exports import mapping_toml, propose_mapping
    from workbench.monitor.tables import DriftInputError

    try:
        found = propose_mapping(file)
    except DriftInputError:
        return None
    blocks.append(Note(f"As a production export, in workbench.toml:\n\n{mapping_toml(found, file.stem)}"))
    blocks += [Note(f"{column}: {why}", "dim") for column, why in found.unplaced]
    return asdict(found)
