"""What a monitor's windows are compared with: a file, a span of production itself, or the data that a run logged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from workbench.core.config import CONFIG_NAME, MonitorConfig
from workbench.ingest.export_files import find
from workbench.monitor.session import Session
from workbench.monitor.tables import DriftInputError, Table, open_table
from workbench.store.exports import run_data
from workbench.store.store import Store

_ROLES = ("reference", "train", "training")
"""Roles of logged data, in the order in which they are taken for a reference."""


class ReferencePlace(Struct, frozen=True):
    """Where the reference's rows are and what tells that they changed; no path where production itself is meant."""

    path: str = ""
    fingerprint: str = ""


def reference_place(config: MonitorConfig, root: Path, store: Store) -> ReferencePlace:
    """Find the reference of a monitor.

    Raises:
        DriftInputError: a run that logged no data, or several data sets.
    """
    path = config.reference or ""
    if config.reference_run:
        with store.read() as con:
            path = _logged(config, root, run_data(con, config.reference_run))
    if config.reference_window:
        return ReferencePlace("", repr(config.reference_window))
    digest = hashlib.blake2b(digest_size=12)
    for file in find(root, path, "reference"):
        digest.update(f"{file.path}\0{file.inode}\0{file.bytes}\0{file.mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return ReferencePlace(path, digest.hexdigest() if path else "")


def open_reference(session: Session, place: ReferencePlace, root: Path) -> Table | None:
    """The reference as a table, None where there is none or it is production itself.

    Raises:
        DriftInputError: it cannot be read.
    """
    return open_table(session, root / place.path) if place.path else None


def _logged(config: MonitorConfig, root: Path, found: Sequence[tuple[str, str, dict[str, Any]]]) -> str:
    """The file that the run called its reference, else the one it trained on."""
    key = f"{CONFIG_NAME}: monitor.{config.name}.reference.run"
    roles = {role: (folder, data) for role, folder, data in found}
    role = next((name for name in _ROLES if name in roles), next(iter(roles)) if len(roles) == 1 else None)
    if role is None:
        many = f"logged {', '.join(sorted(roles))}; log one as role 'reference'" if roles else "logged no data"
        raise DriftInputError(f"{key}: {config.reference_run!r} {many}; next: run.data(path, role='reference')")
    folder, data = roles[role]
    path = str(data.get("path", ""))
    for place in (Path(path), root / path, root / folder / path):
        if place.is_file() and (place.is_absolute() or root in place.parents):
            return str(place)
    raise DriftInputError(f"{key}: {path!r}, which {config.reference_run!r} logged as {role!r}, is not there any more")
