"""Text logs, whatever printed them: metrics by pattern, settings before the first step, how the run ended.

The text itself stays where it is: a fact names the file, so that a log view can open it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Head, Reader


class TextLogReader(Reader):
    """Reads what a training script prints: every line is accepted, those with metrics give points."""

    name: ClassVar[str] = "text"
    names: ClassVar[Sequence[str]] = (
        "*.log", "*.txt", "*.out", "*.err", "stdout*", "stderr*", "log", "nohup*", "*.log.[0-9]*", "*.o[0-9]*",
        "*.e[0-9]*",
    )  # fmt: skip

    def claim(self, head: Head) -> Claim:
        """Bid by what the head's lines say: two lines of a known trainer, or three by the general rule."""
        from workbench.readers.text.evidence import claim_of

        return claim_of(head)

    def read(self, chunk: Chunk) -> Batch:
        """Read all lines at once, by their shapes."""
        from workbench.readers.text.reading import read_lines

        return read_lines(chunk)
