"""The files that are read, the same at every run: event files, JSON lines, CSV, and tables of production rows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import google_crc32c
import numpy as np

START = 1_763_791_200.0
TAGS = tuple(f"{split}/{name}" for split in ("train", "val") for name in (
    "loss", "accuracy", "f1", "precision", "recall", "auc", "grad_norm", "lr", "throughput", "latency_ms",
))  # fmt: skip
FILES, STEPS = 100, 1000
"""Times 20 tags are two million points."""


def values(seed: int, steps: int) -> np.ndarray:
    """Curves of one run: a row a step, a column a tag, exact in single precision."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (steps, len(TAGS)))
    curve = np.exp(-np.arange(steps) / (steps / 4))[:, None] + 0.1
    return np.round(curve + noise, 6).astype(np.float32)


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made at the first call."""
    if not folder.exists():
        folder.mkdir(parents=True)
        make(folder)
    return folder


def run_folders(folder: Path, files: int) -> Iterator[tuple[int, Path]]:
    for place in range(files):
        path = folder / f"run-{place:03d}"
        path.mkdir()
        yield place, path


def event_files(folder: Path, files: int = FILES, steps: int = STEPS) -> None:
    """One event a scalar, as training loops write them."""
    for place, run in run_folders(folder, files):
        path = run / f"events.out.tfevents.{int(START)}.host.{place}.0"
        with path.open("wb") as file:
            file.write(_record(struct.pack("<Bd", 0x09, START) + b"\x1a\x0dbrain.Event:2"))
            for first in range(0, steps, 5000):
                rows = values(place * 1000 + first, min(5000, steps - first)).tolist()
                file.write(b"".join(_events(first, rows)))


def _events(first: int, rows: list[list[float]]) -> Iterator[bytes]:
    tags = [tag.encode() for tag in TAGS]
    heads = [b"\x0a" + bytes([len(tag)]) + tag + b"\x15" for tag in tags]
    for step, row in enumerate(rows, first):
        front = struct.pack("<Bd", 0x09, START + step) + b"\x10" + _varint(step)
        for head, value in zip(heads, row, strict=True):
            scalar = head + struct.pack("<f", value)
            inner = b"\x0a" + bytes([len(scalar)]) + scalar
            yield _record(front + b"\x2a" + bytes([len(inner)]) + inner)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def json_files(folder: Path, files: int = FILES, steps: int = STEPS) -> None:
    """A line a step: step, time, and every tag."""
    line = '{"step": %d, "time": %.1f, ' + ", ".join(f'"{tag}": %.6g' for tag in TAGS) + "}\n"
    _text_files(folder, files, steps, "log.jsonl", "", line)


def csv_files(folder: Path, files: int = FILES, steps: int = STEPS) -> None:
    """A header, then a row a step."""
    header = ",".join(("step", "time", *TAGS)) + "\n"
    _text_files(folder, files, steps, "metrics.csv", header, "%d,%.1f," + ",".join("%.6g" for _ in TAGS) + "\n")


def _text_files(folder: Path, files: int, steps: int, name: str, header: str, line: str) -> None:
    for place, run in run_folders(folder, files):
        with (run / name).open("w") as file:
            file.write(header)
            for first in range(0, steps, 5000):
                rows = values(place * 1000 + first, min(5000, steps - first)).tolist()
                file.writelines(line % (step, START + step, *row) for step, row in enumerate(rows, first))


SMALL_KEYS, SMALL_STEPS = 5, 20


def small_runs(folder: Path, runs: int) -> None:
    """Short trainings of five metrics, a folder each, as a search leaves them behind."""
    tags = TAGS[:SMALL_KEYS]
    line = '{"step": %d, ' + ", ".join(f'"{tag}": %.6g' for tag in tags) + "}\n"
    for place in range(runs):
        path = folder / f"run-{place:05d}"
        path.mkdir()
        rows = values(place, SMALL_STEPS)[:, :SMALL_KEYS].tolist()
        (path / "metrics.jsonl").write_text("".join(line % (step, *row) for step, row in enumerate(rows)))


NUMBERS, CLASSES = 20, (3, 8, 20, 50, 200)


def tables(folder: Path, rows: int) -> None:
    """`reference.parquet` and `current.parquet`: 20 columns of numbers, 5 of classes, some drifted."""
    import polars as pl

    for seed, (name, shift) in enumerate((("reference", 0.0), ("current", 1.0))):
        random = np.random.default_rng(seed)
        columns: dict[str, np.ndarray | pl.Series] = {}
        for place in range(NUMBERS):
            columns[f"n{place:02d}"] = _numbers(random, place, rows, shift * 0.06 * (place % 5))
        for place, levels in enumerate(CLASSES):
            weights = np.arange(1, levels + 1) ** (-0.5 - shift * 0.1 * place)
            codes = random.choice(levels, rows, p=weights / weights.sum())
            columns[f"c{place}"] = pl.Series([f"class-{code:03d}" for code in range(levels)]).gather(codes)
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")


def _numbers(random: np.random.Generator, place: int, rows: int, shift: float) -> np.ndarray:
    kind = place % 4
    if kind == 0:
        column = random.normal(shift, 1, rows)
    elif kind == 1:
        column = random.lognormal(shift, 0.5, rows)
    elif kind == 2:
        column = np.round(random.gamma(2 + shift, 10, rows), 2)
    else:
        return random.poisson(40 + 10 * shift, rows)
    if place in (0, 1):
        column[random.random(rows) < 0.03] = np.nan
    return column
