"""Writes what a person says about a run; the ingester reads it back, as it reads everything else."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.core.config import ANNOTATIONS_FOLDER


class Annotator:
    """Appends to this process's own annotation log; undo is the inverse, appended."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        host = re.sub(r"[^A-Za-z0-9_.-]", "_", socket.gethostname()) or "host"
        self.path = root / ANNOTATIONS_FOLDER / f"{host}-{os.getpid()}.jsonl"
        self._clock = clock
        self._noted: dict[tuple[str, str], str] = {}

    def tag(self, run_id: str, tag: str, *, on: bool = True) -> None:
        """Add a tag, `key=value` or a bare word, or take it away."""
        key, _, value = tag.partition("=")
        self._append("tag", run_id, key.strip(), value.strip() if on else False)

    def note(self, run_id: str, text: str, *, on: bool = True) -> None:
        """Add a note, or take away one that this annotator added; notes are kept apart by their time."""
        if on:
            key = self._noted[run_id, text] = f"{self._clock():.6f}"
            self._append("note", run_id, key, text)
        elif (run_id, text) in self._noted:
            self._append("note", run_id, self._noted.pop((run_id, text)), "")

    def take_back_note(self, run_id: str, key: str) -> None:
        """Take away the note that the store keeps under `key`, whoever wrote it."""
        self._append("note", run_id, key, "")

    def baseline(self, run_id: str, *, on: bool = True) -> None:
        """Make a run the baseline that others are compared with."""
        self._append("baseline", run_id, "", on)

    def hide(self, run_id: str, *, on: bool = True) -> None:
        """Leave a run out of listings; its data stays."""
        self._append("hidden", run_id, "", on)

    def rename(self, run_id: str, name: str) -> None:
        """Show a run by another name; an empty one leaves it to its path."""
        self._append("name", run_id, "", name)

    def _append(self, kind: str, run_id: str, key: str, value: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"t": kind, "run": run_id, "key": key, "value": value, "ts": self._clock()}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
