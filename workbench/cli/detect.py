"""`detect`: which reader takes a file, what each one said, and what an export's columns seem to mean."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import to_builtins
from msgspec.structs import replace

from workbench.cli.project import fail, format_option, teaches, use_plugins

if TYPE_CHECKING:
    from workbench.core.blocks import Block
    from workbench.ingest.discovery import Detection
    from workbench.monitor.exports import ExportMapping


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
@teaches
def detect(file: Path, form: str) -> None:
    """Explain the decision for any FILE: the reader that takes it and why, or a mapping for a production export.

    For an export the proposal is printed as it belongs into workbench.toml; check what each column is taken for. JSON
    is {path, format, why, readers: [{reader, score, why}], mapping, toml}; format is null where no reader takes it.
    """
    from workbench.cli.output import print_listing
    from workbench.core.text import plain

    found, chosen = _detected(file)
    proposed, why = (None, found.claim.why) if chosen or found.claim.why else _proposed(file)
    toml = _toml(file, proposed) if proposed else None
    headline, tone = _headline(file, why, chosen, proposed, refused=bool(found.claim.why))
    readers = [{"reader": name, "score": claim.score, "why": claim.why} for name, claim in found.answers]
    shape = {
        "path": str(file), "format": chosen, "why": found.claim.why, "readers": readers,
        "mapping": to_builtins(proposed), "toml": toml,
    }  # fmt: skip
    print_listing(form, lambda: _view(headline, tone, found), lambda: shape, lambda: readers)
    if toml and form in ("table", "md"):
        shown = plain(toml, multiline=True, limit=len(toml) + 1)
        click.echo(f"\n{shown}" if form == "table" else f"\n```toml\n{shown}```\n", nl=False)


def _detected(file: Path) -> tuple[Detection, str | None]:
    """What every reader answers, and the name of the format it is read as, by a reader or beside a run."""
    from workbench.ingest.discovery import Detector
    from workbench.ingest.readers import all_readers
    from workbench.readers.params import PARAM_FILES

    use_plugins(Path())
    try:
        folder = file.parent.resolve()
        names = frozenset(item.name for item in folder.iterdir())
        found = Detector(all_readers()).detect(folder, Path(file.name), names)
    except OSError as error:
        why = "a link, and links are not followed" if file.is_symlink() else error.strerror or str(error)
        raise fail(f"{file}: {why}", 4) from error
    if found.reader is None and any(file.match(name) for name in PARAM_FILES):
        why = "parameters of the run that logs in its folder"
        return replace(found, claim=replace(found.claim, why=why)), "params"
    return found, found.reader.name if found.reader else None


def _headline(
    file: Path, why: str, chosen: str | None, proposed: ExportMapping | None, refused: bool
) -> tuple[str, str]:
    """What the file is taken for, in a sentence, and its tone; `refused` before any reader was asked."""
    if chosen:
        return f"{file}: read as {chosen} – {why}", "good"
    if proposed:
        return f"{file}: no training log; it may be an export of production rows, described in workbench.toml", "good"
    if refused:
        return f"{file}: {why}", "warn"
    if not file.stat().st_size:
        return f"{file}: not read – it is empty", "warn"
    return f"{file}: not read – no reader takes it, and it is no table of production rows ({why})", "warn"


def _view(headline: str, tone: Any, found: Detection) -> Block:
    """What the readers said that looked inside, the highest bid first; the others are named in one line."""
    from workbench.core.blocks import Note, Stack

    asked = sorted(found.asked, key=lambda answer: -answer[1].score)
    said = [Note(f"{name}: {claim.score:g}{f' – {claim.why}' if claim.why else ''}", "dim") for name, claim in asked]
    looked = {name for name, _ in asked}
    others = ", ".join(name for name, _ in found.answers if name not in looked)
    return Stack([Note(headline, tone), *said, *([Note(f"other names: {others}", "dim")] if others else [])])


def _proposed(file: Path) -> tuple[ExportMapping | None, str]:
    """What the columns of a production export seem to mean; None and why where the file is no such table."""
    from workbench.monitor.exports import propose_mapping
    from workbench.monitor.tables import DriftInputError

    try:
        found = propose_mapping(file)
    except (DriftInputError, OSError) as error:
        return None, str(error).removeprefix(f"{file}: ")
    roles = found.columns
    named = (roles.prediction, roles.probability, roles.label, roles.latency, roles.status, roles.business)
    if found.timestamp or any(named) or len(roles.features) > 1:
        return found, ""
    return None, "no column looks like a time, a prediction, a label, a latency or a feature"


def _toml(file: Path, proposed: ExportMapping) -> str:
    """The proposal as tables of `workbench.toml`, its path seen from the project and no wildcard in it."""
    from workbench.monitor.mapping import mapping_toml

    full = file.resolve()
    root = _project_of(full)
    name = re.sub(r"[^A-Za-z0-9_]+", "_", full.name.partition(".")[0]).strip("_") or "production"
    path = glob.escape(str(full.relative_to(root)))
    place = "" if root == Path.cwd() else f"# in {root / 'workbench.toml'}\n"
    return place + mapping_toml(replace(proposed, path=path), name)


def _project_of(file: Path) -> Path:
    """The nearest folder above a file that is a project, else the current one if the file is in it, else its own."""
    for folder in file.parents:
        if (folder / "workbench.toml").exists() or (folder / ".workbench").is_dir():
            return folder
    return Path.cwd() if file.is_relative_to(Path.cwd()) else file.parent
