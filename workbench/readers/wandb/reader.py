"""Weights & Biases run files (`run-<id>.wandb`), written online and offline alike; the library is not needed."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Framing, Head, Reader

_NAME = re.compile(r"run-(.+)\.wandb")


class WandbReader(Reader):
    """Reads a run's own log; of the files beside it, written late or never, only its images are shown, in place."""

    name: ClassVar[str] = "wandb"
    framing: ClassVar[Framing] = "records"
    names: ClassVar[tuple[str, ...]] = ("*.wandb",)
    version: ClassVar[int] = 2
    flush_interval: ClassVar[float] = 15.0

    def claim(self, head: Head) -> Claim:
        """Certain by the mark in the first bytes; likely while they are still to come."""
        if not head.name.endswith(".wandb"):
            return Claim(0.0, "not named *.wandb")
        from workbench.readers.wandb.log import MAGIC

        start = head.data[: len(MAGIC)]
        if start != MAGIC and not (MAGIC.startswith(start) or start.strip(b"\0") == b""):
            version = f"is version {start[-1]}, not 0" if start[:-1] == MAGIC[:-1] else "does not begin with `:W&B`"
            return Claim(0.0, f"named like a W&B run, but {version}")
        why = "begins with the mark of a W&B run" if start == MAGIC else "named like a W&B run; nothing written yet"
        return Claim(
            1.0 if start == MAGIC else 0.6,
            why,
            native_id=native_id(head.path),
            covers=("files/**", "logs/**", "tmp/**"),
        )

    def read(self, chunk: Chunk) -> Batch:
        """Decode the complete records of a stretch; half a record waits for its end."""
        from workbench.readers.wandb.log import MAGIC, frame
        from workbench.readers.wandb.run import Reading

        skipped = len(MAGIC) if chunk.start == 0 else 0
        if len(chunk.data) < skipped:
            return Batch(state=chunk.state, message="nothing written yet")
        base = chunk.start + skipped
        records = frame(chunk.data[skipped:], base, lost=bool(chunk.state.get("lost")))
        return Reading(chunk.state).batch(records, skipped)


def native_id(path: PurePath) -> str:
    """The run's id, which W&B puts into the file's name."""
    match = _NAME.fullmatch(path.name)
    return match[1] if match else ""
