"""Statements that were run, kept beside the project's store, a line each, the newest last."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

NAME = "sql_history.jsonl"
_LONGEST = 20_000
"""Characters of a statement that is kept."""


class SqlHistory:
    """The statements of one project; with `keep` 0 or `writes` off, only those of this sitting."""

    def __init__(self, path: Path, keep: int, *, writes: bool = True) -> None:
        self._path = path
        self._keep = keep
        self._writes = writes and keep > 0
        self.statements: list[str] = self._read() if keep else []
        """The oldest first, none twice in a row."""

    def add(self, statement: str, at: float) -> None:
        """Remember a statement; a folder that cannot be written is no reason to fail."""
        text = statement.strip()[:_LONGEST]
        if not text or (self.statements and self.statements[-1] == text):
            return
        self.statements.append(text)
        if self._writes:
            with suppress(OSError):
                self._append(json.dumps({"at": round(at, 3), "sql": text}) + "\n")

    def _append(self, line: str) -> None:
        """One write, so that two processes that share the file share no line."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _read(self) -> list[str]:
        """What is kept; lines that cannot be read are left out, and a file grown to twice its due is cut."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return []
        found: list[str] = []
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):
                statement = json.loads(line)["sql"]
                if isinstance(statement, str) and statement.strip() and found[-1:] != [statement]:
                    found.append(statement)
        if self._writes and len(lines) > 2 * self._keep:
            self._cut(lines[-self._keep - 1 :])
        return found[-self._keep :]

    def _cut(self, lines: list[str]) -> None:
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        with suppress(OSError):
            temporary.write_text("\n".join(lines), encoding="utf-8")
            temporary.chmod(0o600)
            temporary.replace(self._path)
