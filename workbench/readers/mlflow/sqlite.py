"""MLflow's SQLite store: many runs in one database, read while others write to it and without a trace."""

from __future__ import annotations

from typing import ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Framing, Head, Reader


class MlflowSqliteReader(Reader):
    """Reads metrics by rowid and tells runs anew when anything of them changed."""

    name: ClassVar[str] = "mlflow-sqlite"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("*.db", "*.sqlite", "*.sqlite3")

    def claim(self, head: Head) -> Claim:
        """Certain when MLflow's tables are there; one that cannot be opened now is judged by its name."""
        from workbench.readers.mlflow.database import claim_of

        return claim_of(head)

    def read(self, chunk: Chunk) -> Batch:
        """The next metric rows, and what is said anew of runs; a database that is busy is left for the next look."""
        from workbench.readers.mlflow.database import read_database

        return read_database(chunk)
