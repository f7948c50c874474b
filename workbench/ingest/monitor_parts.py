"""The folder in which a monitor keeps its parts, and the key by which redacted values are hashed."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec import structs

from workbench.monitor.frames import Kept
from workbench.monitor.parts import ROW_GROUP, Part
from workbench.monitor.session import Session, quoted
from workbench.store.exports import PartRow

KEY_NAME = "redact.key"


def parts_folder(store: Path, monitor: str, spec: str) -> Path:
    """Where the parts of a monitor are, made if need be."""
    name = hashlib.blake2b(monitor.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    folder = store / "monitors" / f"{name}-{spec}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def project_key(store: Path) -> str:
    """The project's own key as hex digits; made at the first need, readable by its owner only."""
    path = store / KEY_NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()


def clear_strays(folder: Path, kept: Collection[str]) -> None:
    """Remove what a process that died left behind, and what is kept no more."""
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink(missing_ok=True)


def as_row(part: Part, *, void: bool = False) -> PartRow:
    """A part as the store keeps it."""
    return PartRow(
        part.kind, part.source, part.generation, part.start, part.end, part.first_row, part.rows, part.file,
        part.begins, part.ends, part.untimed, json.dumps(part.columns), part.scored, void,
    )  # fmt: skip


def as_part(row: PartRow) -> Part:
    """A part as the store kept it."""
    columns = tuple((name, alias, kind) for name, alias, kind in json.loads(row.features))
    return Part(
        "labels" if row.kind == "labels" else "rows", row.source, row.generation, row.from_position, row.to_position,
        row.first_row, row.rows, row.file, row.begins, row.ends, row.untimed, columns, row.scored,
    )  # fmt: skip


def score_closed(session: Session, kept: Kept, parts: Sequence[Part]) -> list[Part]:
    """Write parts again without their features; what they are now is to be told to the store."""
    found = []
    for part in parts:
        source = str(kept.folder / part.file)
        names = [str(row[0]) for row in session.rows("DESCRIBE SELECT * FROM read_parquet(?)", [source])]
        gone = {alias for _, alias, _ in part.columns}
        select = ", ".join(quoted(name) for name in names if name not in gone)
        target = kept.folder / f"scored-{part.file}"
        partial = target.with_suffix(".partial")
        literal = str(partial).replace("'", "''")
        session.rows(
            f"COPY (SELECT {select} FROM read_parquet(?)) TO '{literal}' "  # noqa: S608
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})",
            [source],
        )
        partial.rename(target)
        found.append(structs.replace(part, file=target.name, scored=True, columns=()))
    return found
