"""Drives a reader over a file as the ingester does, and says what no reader may do: raise, lie, or never end."""

from __future__ import annotations

import fnmatch
import functools
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from tests.support.every_format import FIXTURES
from tests.support.growing import NATIVE
from workbench.core.batch import Batch, Chunk, Claim, Head
from workbench.ingest.checked import checked
from workbench.ingest.discovery import Detector
from workbench.ingest.readers import all_readers
from workbench.plugin.api import Reader
from workbench.readers.beside import ParamsReader
from workbench.readers.own.annotations import AnnotationReader

HEAD = 65536
MODIFIED = 1_796_000_000.0
LARGEST = 100_000
LONGEST = 300
"""Calls that a file of such a size may take: stretches are cut far smaller here than they ever are."""


BY_HAND = {
    ("workbench", "runs/r1.wb.jsonl"): "".join(json.dumps(each) + "\n" for each in NATIVE),
    ("annotations", "host-1.jsonl"): '{"t": "tag", "run": "r1", "key": "good", "value": "", "ts": 1.5}\n'
    '{"t": "name", "run": "r1", "value": "mine", "ts": 2.5}\n',
    ("params", "hparams.yaml"): "lr: 0.1\nnet:\n  widths: [64, 32]\n  act: !!python/name:torch.relu ''\nnote: null\n",
    ("params", "config.toml"): 'lr = 1e-3\n[net]\nwidths = [64, 32]\nact = "relu"\n',
    ("params", ".hydra/overrides.yaml"): "- lr=0.1\n- +net.depth=3\n- ~extra\n",
    ("params", "args.json"): '{"lr": 0.1, "net": {"widths": [64, 32]}, "seed": 7}\n',
    ("jsonl", "nested.jsonl"): '{"step": 1, "train": {"loss": 0.5, "t": [1, 2]}, "lr": "1e-3", "time": 1760000000}\n'
    * 6,
    ("text", "nanogpt.log"): "".join(f"iter {i}: loss {9 / i:.4f}, time {i}.5ms, mfu 12.5%\n" for i in range(1, 9)),
    ("text", "pairs.log"): "2026-01-01 00:00:00,123 INFO epoch=1/9 loss=0.5 acc: 91% lr=1e-3 | 3.5it/s\r\n" * 6,
}
"""Formats that no fixture has, by reader and path."""


@dataclass(frozen=True)
class Seed:
    """A real file and its reader."""

    reader: Reader
    path: PurePath
    data: bytes
    root: Path | None = None
    """Where it lies among its neighbours."""

    def __str__(self) -> str:
        return f"{self.reader.name}-{self.path}"


@functools.cache
def seeds() -> list[Seed]:
    """The smallest file of each reader in each folder of fixtures, and those written by hand."""
    readers = {reader.name: reader for reader in (*all_readers(), AnnotationReader(), ParamsReader())}
    found = {key: Seed(readers[key[0]], PurePath(key[1]), text.encode()) for key, text in BY_HAND.items()}
    detector = Detector(all_readers())
    for path in sorted(FIXTURES.rglob("*"), key=lambda item: (item.stat().st_size, str(item))):
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.stat().st_size < LARGEST:
            root = FIXTURES / path.relative_to(FIXTURES).parts[0]
            siblings = frozenset(item.name for item in path.parent.iterdir())
            reader = detector.detect(root, path.relative_to(root), siblings).reader
            if reader is not None and not path.name.startswith("expected"):
                seed = Seed(reader, path.relative_to(root), path.read_bytes(), root)
                found.setdefault((reader.name, root.name), seed)
    return [*found.values()]


@contextmanager
def placed(seed: Seed, data: bytes) -> Iterator[Path]:
    """The file with other content, among its neighbours."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / seed.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if seed.reader.framing == "path" and seed.root is not None and seed.path.suffix != ".db":
            shutil.copytree((seed.root / seed.path).parent, place.parent, dirs_exist_ok=True)
        place.write_bytes(data)
        yield place


def claims(path: PurePath, data: bytes, place: str = "", siblings: frozenset[str] = frozenset()) -> list[Claim]:
    """What every reader with such names bids."""
    head = Head(path, data[:HEAD], len(data), siblings, place)
    answers = []
    for reader in all_readers():
        if any(fnmatch.fnmatchcase(path.name, pattern) for pattern in reader.names):
            claim = reader.claim(head)
            assert isinstance(claim, Claim) and 0.0 <= claim.score <= 1.0
            assert claim.why or claim.score, f"{reader.name} says nothing"
            answers.append(claim)
    return answers


def read(reader: Reader, path: PurePath, data: bytes, cuts: list[int], place: str = "", *, many_runs: bool) -> int:
    """Read to the end in stretches that end at the cuts; how many calls it took."""
    if reader.framing == "path":
        return _look(reader, path, place, many_runs)
    ends = [len(data)] if reader.framing == "file" else sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    state, start, calls = dict[str, Any](), 0, 0
    while ends:
        end, final = ends[0], len(ends) == 1
        stretch = data[start:end]
        if reader.framing == "lines" and not final:
            stretch = stretch[: stretch.rfind(b"\n") + 1]
        if not stretch:
            ends.pop(0)
            continue
        calls += 1
        assert calls < LONGEST, "never comes to an end"
        batch = _asked(reader, Chunk(path, stretch, start, state, final, MODIFIED), many_runs)
        if batch.restart:
            assert start, "asks to start over at the start"
            state, start = {}, 0
            continue
        state, start = dict(json.loads(json.dumps(batch.state))), start + batch.consumed
        if not batch.consumed or start >= end:
            ends.pop(0)
    return calls


def _look(reader: Reader, path: PurePath, place: str, many_runs: bool) -> int:
    state, start, calls = dict[str, Any](), 0, 0
    reader.stamp(place)
    while True:
        calls += 1
        assert calls < LONGEST, "there is always more"
        batch = _asked(reader, Chunk(path, b"", start, state, False, MODIFIED, place), many_runs)
        assert not batch.restart or start, "asks to start over at the start"
        state, start = ({}, 0) if batch.restart else (dict(batch.state), start + batch.consumed)
        if not batch.restart and (not batch.more or not batch.consumed):
            return calls


def _asked(reader: Reader, chunk: Chunk, many_runs: bool) -> Batch:
    batch = checked(reader.read(chunk), chunk, many_runs=many_runs)
    assert batch.accepted >= 0 and (batch.consumed or not len(batch.points) or chunk.place)
    return batch
