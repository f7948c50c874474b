"""What authors test their plugins with: a real project in a folder, a reader driven as the ingester does, a battery.

`check(MyPanel())` runs the battery that `workbench plugins check` runs, and raises with every problem it finds.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from workbench.core.query import Query
from workbench.plugin.api import Batch, Chunk, Claim, Head, Reader
from workbench.plugin.box import PluginError
from workbench.plugin.checks import check_block

__all__ = ["Reading", "check", "check_block", "problems", "project", "read"]

NOW = 1_800_000_000.0
"""The time that a test's project believes it is, seconds since 1970."""
_HEAD = 65_536


def project(
    folder: Path,
    runs: Mapping[str, Mapping[str, Sequence[float]]],
    params: Mapping[str, Mapping[str, Any]] | None = None,
) -> Query:
    """A project with these runs, each with values by metric at the steps 1, 2, 3 …, read into a real store.

    params: parameters by run. The folder must be empty or not there; the query that comes back speaks SQL too.
    """
    from workbench.core.config import load_config
    from workbench.ingest.engine import Engine
    from workbench.ingest.readers import all_readers, flush_intervals
    from workbench.store.place import place_of
    from workbench.store.query import StoreQuery
    from workbench.store.store import Store

    for at, (name, metrics) in enumerate(runs.items()):
        _write_run(folder / name, metrics, (params or {}).get(name, {}), NOW - 86_400.0 - 60.0 * at)
    folder.mkdir(parents=True, exist_ok=True)
    store, config = Store(place_of(folder)), load_config(folder)
    store.create()
    readers = all_readers()
    engine = Engine(folder, config, store, readers, clock=lambda: NOW)
    try:
        engine.read_all(engine.scan(), final=True)
    finally:
        engine.close()
    return StoreQuery(store, config, flush_intervals(readers), clock=lambda: NOW)


def _write_run(folder: Path, metrics: Mapping[str, Sequence[float]], params: Mapping[str, Any], began: float) -> None:
    folder.mkdir(parents=True)
    longest = max((len(values) for values in metrics.values()), default=0)
    rows = []
    for at in range(longest):
        known = {key: values[at] for key, values in metrics.items() if at < len(values)}
        rows.append(json.dumps({"step": at + 1, "timestamp": began + at, **known}))
    log = folder / "metrics.jsonl"
    log.write_text("\n".join([*rows, ""]), encoding="utf-8")
    if params:
        (folder / "params.json").write_text(json.dumps(params), encoding="utf-8")
    for path in folder.iterdir():
        os.utime(path, (began + longest, began + longest))


@dataclass
class Reading:
    """What a reader made of a file."""

    claim: Claim
    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """(step, value) by key; of several runs by `run:key`."""
    facts: dict[tuple[str, str], Any] = field(default_factory=dict)
    """Value by kind and key, the latest."""
    rejects: list[tuple[int, str]] = field(default_factory=list)
    """(byte offset, reason) of lines that were refused."""
    lines: int = 0
    """Lines or records that were understood."""


def read(reader: Reader, data: bytes, name: str = "train.log", *, at_once: int = 0) -> Reading:
    """Drive a reader of lines or of whole files as the ingester does, its state going through JSON.

    at_once: bytes that come at a time, cut at the end of a line; 0 gives all at once.

    Raises:
        PluginError: it breaks the contract: it consumes nothing, or the numbers of its lines do not add up.
    """
    head = Head(PurePath(name), data[:_HEAD], len(data), frozenset({PurePath(name).name}))
    found = Reading(reader.claim(head))
    state: Mapping[str, Any] = {}
    start = 0
    while start < len(data):
        end = len(data) if not at_once or reader.framing != "lines" else _end(data, start + at_once)
        chunk = Chunk(PurePath(name), data[start:end], start, state, end == len(data), NOW)
        batch = reader.read(chunk)
        if not 0 < batch.consumed <= end - start:
            raise PluginError(f"read() consumed {batch.consumed} of {end - start} bytes from byte {start} on")
        expected = chunk.data[: batch.consumed].count(b"\n") + (not chunk.data[: batch.consumed].endswith(b"\n"))
        if reader.framing == "lines" and batch.accepted + len(batch.rejects) != expected:
            told = f"{batch.accepted} lines accepted and {len(batch.rejects)} refused"
            raise PluginError(f"read() tells of {told}, of {expected} from byte {start} on")
        _take(found, batch)
        state, start = json.loads(json.dumps(batch.state)), start + batch.consumed
    return found


def _end(data: bytes, wanted: int) -> int:
    at = data.find(b"\n", wanted - 1)
    return len(data) if at < 0 else at + 1


def _take(found: Reading, batch: Batch) -> None:
    points = batch.points
    for at in range(len(points)):
        run = points.runs[int(points.run[at])] if points.run is not None else ""
        key = points.keys[int(points.key[at])]
        value = float(points.value[at])
        found.points.setdefault(f"{run}:{key}" if run else key, []).append((int(points.step[at]), value))
    found.facts |= {(fact.kind, fact.key): fact.value for fact in batch.facts}
    found.rejects += [(each.offset, each.reason) for each in batch.rejects]
    found.lines += batch.accepted


def check(made: Any, sample: bytes = b"", name: str = "train.log") -> None:
    """Run the battery on a plugin; of a reader, on a file of its format, `sample`, and its `name`.

    Raises:
        AssertionError: with every problem, a line each.
    """
    found = problems(made, sample, name)
    assert not found, "\n".join(found)


def problems(made: Any, sample: bytes = b"", name: str = "train.log") -> list[str]:
    """Every way in which a plugin does not keep to the contract, in words; empty where it does.

    A panel or section: with 0, 1 and 1,000 runs and values that are not finite; at 20x5 to 200x60, with and without
    colours and Unicode; with a query that raises, and counting how often it asks; in every renderer. A metric, a rule
    and a drift test: with the odd values that real projects have. A reader: cut at every size, with damaged lines.
    """
    from workbench.plugin import battery

    return battery.problems(made, sample, name)


def same(left: Reading, right: Reading) -> bool:
    """Whether two readings of one file say the same, NaN equal to NaN."""
    return left.facts == right.facts and left.rejects == right.rejects and _plain(left) == _plain(right)


def _plain(reading: Reading) -> dict[str, list[tuple[int, float | str]]]:
    return {
        key: [(step, "nan" if math.isnan(value) else value) for step, value in values]
        for key, values in reading.points.items()
    }
