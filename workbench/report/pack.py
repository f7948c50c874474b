"""Packs: what the main branch had, in one small file, so that a change can be compared with it without any server.

A pack is gzip'd JSON: an envelope with the format's version and a SHA-256 of the body, and the body. It is read as
what it may be, a file from a stranger: sizes are bounded before anything is unpacked, and every field is checked.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from workbench.core.compare import baseline_of, latency_percentiles
from workbench.core.config import Config
from workbench.core.model import Run, Window
from workbench.core.query import Query
from workbench.core.strength import drift_share

VERSION = 1
"""Version of the file format; a newer one is refused by name."""

LARGEST_FILE = 8 << 20
LARGEST_BODY = 64 << 20
RUNS = 200
"""Newest visible runs kept; the baseline always is."""

_MAGIC = b"\x1f\x8b"


class PackError(ValueError):
    """The file is no pack that can be used; the message says why and what to do."""


class PackedMetric(Struct, frozen=True):
    """One series in figures; `None` is unknown, or not finite."""

    last: float | None = None
    best: float | None = None
    n: int = 0


class PackedRun(Struct, frozen=True):
    """One run: its metrics by key, with `latency_ms.p95` and the like among them."""

    id: str
    name: str
    tags: dict[str, str]
    status: str
    started_at: float | None
    baseline: bool
    metrics: dict[str, PackedMetric]
    percentiles: dict[str, list[float]]
    """p50, p95 and p99 by series."""


class PackedColumn(Struct, frozen=True):
    """One column's drift in the newest window."""

    score: float | None
    threshold: float | None
    method: str | None
    drifted: bool


class PackedMonitor(Struct, frozen=True):
    """A monitor's newest window."""

    start: float
    end: float
    rows: int
    share: float | None
    metrics: dict[str, float | None]
    columns: dict[str, PackedColumn]


class Pack(Struct, frozen=True):
    """What a project had when the pack was written."""

    project: str
    commit: str | None
    runs: list[PackedRun]
    monitors: dict[str, PackedMonitor]


class _Envelope(Struct, frozen=True):
    """The outer JSON; `body` is a text so that its hash is of the very bytes."""

    workbench_pack: int
    sha256: str
    body: str


def write_pack(query: Query, config: Config) -> bytes:
    """The project as a pack; the same project gives the same bytes."""
    import msgspec

    body = msgspec.json.encode(_pack(query, config), order="deterministic")
    envelope = _Envelope(VERSION, hashlib.sha256(body).hexdigest(), body.decode())
    return gzip.compress(msgspec.json.encode(envelope), mtime=0)


def read_pack(data: bytes) -> Pack:
    """A pack from a file's bytes.

    Raises:
        PackError: not a pack, damaged, too large, or of a newer version.
    """
    import msgspec

    try:
        envelope = msgspec.json.decode(_unpacked(data), type=_Envelope)
        if envelope.workbench_pack != VERSION:
            raise PackError(
                f"the pack has version {envelope.workbench_pack}, this workbench reads {VERSION}: "
                "update the workbench, or write the pack again with this one: workbench pack --out main.wbpack"
            )
        body = envelope.body.encode()
        if hashlib.sha256(body).hexdigest() != envelope.sha256:
            raise PackError("the pack is damaged: its checksum does not match; download or write it again")
        return msgspec.json.decode(body, type=Pack)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise PackError(f"this is no pack of the workbench: {error}; write one with: workbench pack") from error


def _unpacked(data: bytes) -> bytes:
    """The JSON inside; a file that would unpack to more than 64 MiB is refused without unpacking it."""
    if len(data) > LARGEST_FILE:
        raise PackError(f"the pack has {len(data):,} bytes, more than any real one ({LARGEST_FILE:,})")
    if not data.startswith(_MAGIC):
        raise PackError("this is no pack of the workbench; write one with: workbench pack --out main.wbpack")
    machine = zlib.decompressobj(wbits=31)
    try:
        text = machine.decompress(data, LARGEST_BODY + 1)
    except zlib.error as error:
        raise PackError(f"the pack is damaged: {error}; download or write it again") from error
    if len(text) > LARGEST_BODY:
        raise PackError(f"the pack unpacks to more than {LARGEST_BODY:,} bytes, more than any real one")
    if not machine.eof:
        raise PackError("the pack is damaged: it ends too early; download or write it again")
    return text


def _pack(query: Query, config: Config) -> Pack:
    visible = query.runs()
    runs = list(visible[:RUNS])
    baseline = baseline_of(visible) or baseline_of(query.runs(hidden=True))
    if baseline is not None and all(run.id != baseline.id for run in runs):
        runs.append(baseline)
    found = latency_percentiles(query, runs)
    newest = {name: _newest(query.windows(name)) for name in query.monitors()}
    return Pack(
        config.root.resolve().name,
        _commit(config.root, runs),
        [
            _packed_run(run, {key: list(values) for (run_id, key), values in found.items() if run_id == run.id})
            for run in runs
        ],
        {name: _packed_monitor(window) for name, window in newest.items() if window is not None},
    )


def _packed_run(run: Run, percentiles: dict[str, list[float]]) -> PackedRun:
    metrics = {
        key: PackedMetric(_finite(summary.last), _finite(summary.best), summary.n)
        for key, summary in run.metrics.items()
    }
    tags = {key: str(value) for key, value in run.tags.items()}
    return PackedRun(run.id, run.name, tags, run.status, run.started_at, run.baseline, metrics, percentiles)


def _packed_monitor(window: Window) -> PackedMonitor:
    return PackedMonitor(
        window.start,
        window.end,
        window.rows,
        drift_share(window),
        {key: _finite(value) for key, value in window.metrics.items()},
        {
            column.column: PackedColumn(_finite(column.score), column.threshold, column.method, column.drifted)
            for column in window.columns
        },
    )


def _newest(windows: Sequence[Window]) -> Window | None:
    return next((window for window in reversed(windows) if not window.segment), None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _commit(root: Path, runs: Sequence[Run]) -> str | None:
    """The checked-out commit, else the one the newest run was started from."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
        if asked.returncode == 0:
            return asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    return next((commit for run in runs if (commit := _run_commit(run.environment.get("git")))), None)


def _run_commit(git: Any) -> str | None:
    commit = git.get("commit") if isinstance(git, dict) else None
    return commit if isinstance(commit, str) else None
