"""DVCLive: one TSV a metric, appended line by line, and the latest values beside them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Reader, Reject
from workbench.readers.gathering import (
    EXCERPT,
    Gathering,
    NotYetError,
    digest,
    mapping_of,
    number_of,
    object_of,
    scalar_of,
    whole_of,
)
from workbench.readers.keys import number
from workbench.readers.lines import decode, split

_PLOTS = ("plots", "metrics")
_ALONE = (".dvc", "tmp", "exps", "run", "DVCLIVE_ONLY")
_DEEPEST = 16


class DvcliveReader(Reader):
    """Reads `plots/metrics/<name>.tsv`; sub-folders are part of the name."""

    name: ClassVar[str] = "dvclive"
    names: ClassVar[tuple[str, ...]] = ("*.tsv",)

    def claim(self, head: Head) -> Claim:
        """Certain by place and header: `[timestamp] step <the file's name>`."""
        if _root(head.path) is None:
            return Claim(0.0, "not in DVCLive's plots/metrics")
        cells = decode(head.first_line)[0].split("\t")
        if cells in (["step", head.path.stem], ["timestamp", "step", head.path.stem]):
            return Claim(1.0, "in plots/metrics, with DVCLive's header")
        return Claim(0.0, "in plots/metrics, but its header is not step and the file's name", nearly=True)

    def run_folder(self, path: PurePath) -> tuple[PurePath, str]:
        """DVCLive's folder, and the metric's sub-folders as the prefix of its key."""
        root = _root(path)
        if root is None:
            return path.parent, ""
        below = path.parent.relative_to(root / PurePath(*_PLOTS)).parts
        return root, "".join(f"{part}/" for part in below)

    def read(self, chunk: Chunk) -> Batch:
        """The complete lines of a stretch."""
        lines, found = split(chunk), Gathering()
        timed = bool(chunk.state.get("timed", False))
        for i in range(len(lines)):
            raw, offset = lines.raw(i), chunk.start + int(lines.starts[i])
            cells = decode(raw)[0].split("\t")
            if offset == 0:
                timed = cells[0] == "timestamp"
            elif raw and not _add(found, chunk.path.stem, cells, timed, offset):
                found.rejects.append(Reject(offset, len(raw), "E102 not a step and a value", raw[:EXCERPT]))
        accepted = len(lines) - len(found.rejects)
        return found.batch(lines.consumed, {"timed": timed}, accepted=accepted)


def _add(found: Gathering, key: str, cells: list[str], timed: bool, offset: int) -> bool:
    if len(cells) != 2 + timed:
        return False
    step, value = number(cells[-2]), number(cells[-1])
    at = None if step is None else whole_of(step)
    if at is None:
        return False
    moment = number(cells[0]) if timed else None
    wall = moment / 1e3 if moment is not None and math.isfinite(moment) else None
    if value is None:  # a text that was logged as a metric: its last one is in metrics.json
        return True
    found.point(key, at, float(value), wall=wall, offset=offset)
    return True


def _root(path: PurePath) -> PurePath | None:
    """DVCLive's folder: the one that the innermost `plots/metrics` above a file lies in."""
    parts = path.parent.parts
    for at in range(len(parts) - 2, -1, -1):
        if parts[at : at + 2] == _PLOTS:
            return PurePath(*parts[:at])
    return None


class DvcliveSummaryReader(Reader):
    """Reads `metrics.json`, the latest value of everything, and whether the process that writes it is at work."""

    name: ClassVar[str] = "dvclive-summary"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("metrics.json",)

    def claim(self, head: Head) -> Claim:
        """Certain beside `plots/metrics`, likely in a folder named after DVCLive."""
        if not head.data.lstrip().startswith(b"{"):
            return Claim(0.0, "not a JSON object")
        if head.place and Path(head.place).parent.joinpath(*_PLOTS).is_dir():
            return Claim(1.0, "beside plots/metrics: DVCLive's latest values")
        if "dvclive" in head.path.parent.name and b'"step"' in head.data:
            return Claim(0.9, "in a folder named after DVCLive, with a step")
        return Claim(0.0, "no plots/metrics beside it, and its folder is not named after DVCLive")

    def stamp(self, place: str) -> tuple[int, int]:
        """Sizes and newest modification of the summary and of the signal that its writer is at work."""
        size, newest = super().stamp(place)
        signal = _signal(place)
        if signal is not None:
            found = os.stat(signal)
            size, newest = size + found.st_size, max(newest, found.st_mtime_ns)
        return size, newest

    def read(self, chunk: Chunk) -> Batch:
        """Every latest value as a summary, where it changed."""
        try:
            values = object_of(chunk.place)
        except NotYetError as problem:
            return Batch(state=chunk.state, message=str(problem))
        facts = [Fact("summary", scalar_of(value), key) for key, value in _leaves(values, "", 1) if key != "step"]
        facts += _process(chunk.place)
        mark = digest([[fact.kind, fact.key, fact.value] for fact in facts])
        if mark == chunk.state.get("mark"):
            return Batch(state=chunk.state)
        return Batch(facts=facts, accepted=1, consumed=1, state={"mark": mark})


def _leaves(values: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in mapping_of(values).items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _leaves(value, f"{prefix}{name}/", depth + 1)
        else:
            known = number_of(value) if isinstance(value, str) else None
            yield f"{prefix}{name}", value if known is None else known


def _signal(place: str) -> Path | None:
    """The file by which DVCLive says that a process writes here now, in the `.dvc` folder above."""
    for folder in Path(place).parents:
        if (folder / _ALONE[0]).is_dir():
            signal = folder.joinpath(*_ALONE)
            return signal if signal.is_file() else None
    return None


def _process(place: str) -> Iterator[Fact]:
    signal = _signal(place)
    if signal is None:
        return
    try:
        told = json.loads(signal.read_bytes()[:EXCERPT])
    except (OSError, ValueError):
        return
    pid = whole_of(mapping_of(told).get("pid"))
    if pid is not None:
        yield Fact("environment", pid, "pid")
        yield Fact("environment", os.uname().nodename, "host")
    if mapping_of(told).get("exp_name"):
        yield Fact("name", str(told["exp_name"]))
