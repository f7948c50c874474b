"""What people say about runs (tags, notes, baseline, hide), written as JSON lines and read like any other log."""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar, get_args

from workbench.core.batch import NO, Batch, Chunk, Claim, Fact, FactKind, Framing, Head, Reject
from workbench.plugin.api import Reader

_KINDS = frozenset(get_args(FactKind)) & {"tag", "note", "baseline", "hidden", "name"}


class AnnotationReader(Reader):
    """Reads `{"t": kind, "run": id, "key": …, "value": …, "ts": seconds}`, one a line."""

    name: ClassVar[str] = "annotations"
    framing: ClassVar[Framing] = "lines"

    def claim(self, head: Head) -> Claim:
        """Never by detection: its folder is known."""
        return NO

    def read(self, chunk: Chunk) -> Batch:
        """One fact a line."""
        facts: list[Fact] = []
        rejects: list[Reject] = []
        offset, accepted = chunk.start, 0
        for line in chunk.data.splitlines(keepends=True):
            try:
                facts.append(_fact(json.loads(line), offset))
                accepted += 1
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                rejects.append(Reject(offset, len(line), f"E101 no annotation: {error}", line[:4096]))
            offset += len(line)
        return Batch(facts=facts, rejects=rejects, accepted=accepted, consumed=len(chunk.data))


def _fact(row: dict[str, Any], offset: int) -> Fact:
    kind, value, said_at = row["t"], row["value"], float(row["ts"])
    if kind not in _KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    if not math.isfinite(said_at):
        raise ValueError(f"ts {said_at} is no moment")
    if kind in ("name", "note") and not isinstance(value, str):
        raise ValueError(f"a {kind} is a text, not {type(value).__name__}")
    if kind in ("baseline", "hidden") and not isinstance(value, bool):
        raise ValueError(f"{kind} is true or false, not {value!r:.40}")
    return Fact(kind, value, str(row.get("key", "")), said_at, offset, f"#{row['run']}")
