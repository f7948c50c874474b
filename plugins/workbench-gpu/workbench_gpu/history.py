"""What each device was like before: the last minutes closely, the last day from a file in the project's state folder.

`.workbench/gpu/HOST.jsonl` has one line of metrics a look, at most one in ten seconds, as any training script could
have logged it: `{"timestamp": …, "gpu/0/uuid": …, "gpu/0/utilization": …, "gpu/0/power": …}`. Several processes append.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench_gpu.model import Device, Sample

KEPT = 300
"""Samples kept of each device as they come: ten minutes at the panel's own pace."""
EVERY = 10.0
"""Seconds between lines of the file, and between older samples."""
SPAN = 86_400.0
"""Seconds that are read back from the file."""
LARGEST = 8 << 20
"""Bytes from which on the file is set aside as `.1.jsonl`, in place of an older one."""
_FIGURES = ("utilization", "memory", "temperature", "power")


class History:
    """Samples by device, oldest first; not safe from several threads at once."""

    def __init__(self, pace: float) -> None:
        """`pace` is the seconds between looks: one that comes after less than half of them is not kept."""
        self._pace = pace
        self._recent: dict[str, deque[Sample]] = {}
        self._older: dict[str, deque[Sample]] = {}
        self._path: Path | None = None
        self._written = -math.inf
        self.remark = ""
        """Why the file cannot be written; empty where it can."""

    def open(self, root: Path, host: str, now: float) -> None:
        """Read back what was kept of this machine in a project, once."""
        name = re.sub(r"[^\w.-]+", "-", host) or "host"
        path = root / ".workbench" / "gpu" / f"{name}.jsonl"
        if path == self._path or not path.parent.parent.is_dir():
            return
        self._path, self._older = path, {}
        samples = [*_read(path.with_suffix(".1.jsonl"), now), *_read(path, now)]
        for device, sample in sorted(samples, key=lambda pair: pair[1].at):
            self._keep_older(device, sample)

    def remember(self, devices: Sequence[Device], now: float) -> None:
        """Keep a sample of each device, unless the last is too young: every change of the store loads the panel."""
        for device in devices:
            recent = self._recent.setdefault(device.id, deque())
            if recent and 0 <= now - recent[-1].at < self._pace / 2:
                continue
            recent.append(_sample(device, now))
            if len(recent) > KEPT:
                self._keep_older(device.id, recent.popleft())
        if self._path is not None and not 0 <= now - self._written < EVERY:
            self._written = now
            self._write(self._path, devices, now)

    def of(self, device: str) -> Sequence[Sample]:
        """Everything known of a device; what the file tells of the time after the first close sample is left out."""
        recent = self._recent.get(device, ())
        first = recent[0].at if recent else math.inf
        return (*(sample for sample in self._older.get(device, ()) if sample.at < first), *recent)

    def _keep_older(self, device: str, sample: Sample) -> None:
        older = self._older.setdefault(device, deque(maxlen=int(SPAN / EVERY)))
        if not older or sample.at - older[-1].at >= 0.9 * EVERY:
            older.append(sample)

    def _write(self, path: Path, devices: Sequence[Device], now: float) -> None:
        """Append one line with one write, so that lines of several processes stay whole."""
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if path.exists() and path.stat().st_size > LARGEST:
                path.replace(path.with_suffix(".1.jsonl"))
            line = json.dumps(_line(devices, now), allow_nan=False).encode() + b"\n"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
            self.remark = ""
        except OSError as error:
            self.remark = f"The history is not kept: {error.strerror or error} ({path.name})"


def _sample(device: Device, now: float) -> Sample:
    known = (device.utilization, device.memory_share, device.temperature, device.power)
    return Sample(now, *(math.nan if value is None else value for value in known))


def _line(devices: Sequence[Device], now: float) -> Mapping[str, Any]:
    line: dict[str, Any] = {"timestamp": round(now, 3)}
    for device in devices:
        sample = _sample(device, now)
        line[f"gpu/{device.index}/uuid"] = device.id
        for name in _FIGURES:
            value = getattr(sample, name)
            if math.isfinite(value):
                line[f"gpu/{device.index}/{name}"] = round(value, 4)
    return line


def _read(path: Path, now: float) -> Iterable[tuple[str, Sample]]:
    """Samples of the last day in a file; lines that are none are passed over."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for raw in text.splitlines():
        try:
            line = json.loads(raw)
            at = float(line["timestamp"])
            if now - SPAN <= at < now:
                yield from _samples(line, at)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue


def _samples(line: Mapping[str, Any], at: float) -> Iterable[tuple[str, Sample]]:
    for key, value in line.items():
        prefix, _, figure = key.rpartition("/")
        if figure == "uuid":
            figures = [float(line.get(f"{prefix}/{name}", math.nan)) for name in _FIGURES]
            yield str(value), Sample(at, *figures)
