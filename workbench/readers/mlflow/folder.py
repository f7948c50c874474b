"""A run's folder in MLflow's file store: what is in it, and the run that its small files describe."""

from __future__ import annotations

import os
import re
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from workbench.readers.mlflow.facts import (
    GOAL_TAGS,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_ENTRIES,
    NATIVE_ID,
    Dataset,
    Experiment,
    MlflowRun,
)
from workbench.readers.params import load_yaml

META = "meta.yaml"
METRICS, PARAMS, TAGS, INPUTS, OUTPUTS = "metrics", "params", "tags", "inputs", "outputs"
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_GRACE = 600.0
"""Seconds after its end in which a run is still looked at whole."""
_ENDED = re.compile(rb"^status: *[345]\s*$", re.MULTILINE)
_RUN_ID = re.compile(rb"""^run_(?:uu)?id: *["']?([\w.-]{1,64})["']?[ \t]*\r?\n""", re.MULTILINE)
_META_BYTES = 1 << 20
_TEXT_BYTES = 4 * LONGEST_TEXT
_DEPTH = 16
_FILES = 20_000


class Small(Struct, frozen=True):
    """A regular file below a folder: its path there, with `/`, and what tells whether it changed."""

    name: str
    size: int
    mtime_ns: int


def files_below(folder: str) -> Iterator[Small]:
    """Regular files below a folder, in no order; links are not followed, and depth and number are limited."""
    waiting = [] if os.path.islink(folder) else [("", 0)]
    left = _FILES
    while waiting and left > 0:
        prefix, depth = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, prefix)) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _DEPTH:
                            waiting.append((f"{prefix}{entry.name}/", depth + 1))
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        left -= 1
                        yield Small(prefix + entry.name, found.st_size, found.st_mtime_ns)
        except OSError:
            continue  # gone since it was listed, or not ours to see


def content(path: str, limit: int, offset: int = 0) -> bytes:
    """At most `limit` bytes of a regular file, empty where it cannot be read; never waits on a pipe or device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, limit, offset) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def run_id_in(meta: bytes) -> str:
    """The run's id that a `meta.yaml` tells, empty where it is not one of a run."""
    found = _RUN_ID.search(meta)
    return found[1].decode() if found and NATIVE_ID.fullmatch(found[1].decode("utf-8", "replace")) else ""


def stamp(place: str) -> tuple[int, int]:
    """Size and newest modification of what a run is made of; of one long ended only what MLflow still changes.

    Metrics that come more than ten minutes after a run's end, in a file that was there, are seen with the next change
    of anything else.

    Raises:
        OSError: there is no `meta.yaml`.
    """
    folder = os.path.dirname(place)
    own = os.stat(place)
    size, newest = own.st_size, own.st_mtime_ns
    ended = time.time() - own.st_mtime > _GRACE and _ENDED.search(content(place, 4096)) is not None
    for name in (METRICS, PARAMS, TAGS, INPUTS, OUTPUTS, os.path.join(os.pardir, META)):
        try:
            newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns)
        except OSError:
            continue
    for name in (TAGS,) if ended else (METRICS, PARAMS, TAGS, INPUTS, OUTPUTS):
        for item in files_below(os.path.join(folder, name)):
            size, newest = size + item.size, max(newest, item.mtime_ns)
    return size, newest


def digest(folder: str) -> int:
    """Changes with any of the small files that describe the run, its metrics left out."""
    found = []
    for name in (PARAMS, TAGS, INPUTS, OUTPUTS):
        found += [(name, item.name, item.size, item.mtime_ns) for item in files_below(os.path.join(folder, name))]
    for path in (META, os.path.join(os.pardir, META)):
        try:
            about = os.stat(os.path.join(folder, path))
        except OSError:
            continue
        found.append(("", path, about.st_size, about.st_mtime_ns))
    return zlib.crc32(repr(sorted(found)).encode())


def described(folder: str) -> MlflowRun | None:
    """The run that the small files describe; None while its `meta.yaml` is being written."""
    data = content(os.path.join(folder, META), _META_BYTES)
    meta, uuid = _mapping(data), run_id_in(data)
    if not uuid or "status" not in meta:
        return None
    store = os.path.dirname(os.path.abspath(folder))
    status = meta["status"]
    return MlflowRun(
        uuid=uuid, name=_text(meta.get("run_name")), user=_text(meta.get("user_id")),
        status=_STATUSES.get(status, "") if isinstance(status, int) else _text(status),
        start=meta.get("start_time"), end=meta.get("end_time"), deleted=meta.get("lifecycle_stage") == "deleted",
        artifacts=_text(meta.get("artifact_uri")), experiment=_experiment(store),
        params=_texts(os.path.join(folder, PARAMS)), tags=_texts(os.path.join(folder, TAGS)),
        datasets=tuple(_datasets(folder, store)), models=tuple(_models(folder, store)),
    )  # fmt: skip


def _experiment(store: str) -> Experiment:
    meta = _mapping(content(os.path.join(store, META), _META_BYTES))
    tags = {key: content(os.path.join(store, TAGS, key), _TEXT_BYTES) for key in GOAL_TAGS}
    return Experiment(_text(meta.get("name")), {key: value.decode("utf-8", "replace") for key, value in tags.items()})


def _texts(folder: str) -> dict[str, str]:
    """Whole files as texts by their paths, which are the keys."""
    names = sorted(item.name for item in files_below(folder) if len(item.name) <= LONGEST_KEY)
    read = {name: content(os.path.join(folder, name), _TEXT_BYTES) for name in names[:MOST_ENTRIES]}
    return {name: data.decode("utf-8", "replace") for name, data in read.items()}


def _datasets(folder: str, store: str) -> Iterator[Dataset]:
    found = []
    for link in _links(os.path.join(folder, INPUTS)):
        if link.get("source_type") == "DATASET":
            meta = _mapping(content(os.path.join(store, "datasets", _name(link.get("source_id")), META), _META_BYTES))
            tags = link.get("tags")
            context = tags.get("mlflow.data.context") if isinstance(tags, dict) else None
            values = (*(meta.get(key) for key in ("name", "digest", "source", "profile")), context)
            found.append(Dataset(*map(_text, values)))
    yield from sorted((item for item in found if item.name), key=lambda item: (item.name, item.digest, item.context))


def _models(folder: str, store: str) -> Iterator[tuple[str, str]]:
    for link in _links(os.path.join(folder, OUTPUTS)):
        meta = _mapping(content(os.path.join(store, "models", _name(link.get("source_id")), META), _META_BYTES))
        name = _text(meta.get("name"))
        if name:
            yield name, _text(meta.get("artifact_location"))


def _links(folder: str) -> list[dict[Any, Any]]:
    """The `meta.yaml` of each sub-folder, by name."""
    names = sorted(item.name for item in files_below(folder) if Path(item.name).name == META)
    return [_mapping(content(os.path.join(folder, name), _META_BYTES)) for name in names[:MOST_ENTRIES]]


def _mapping(data: bytes) -> dict[Any, Any]:
    try:
        value = load_yaml(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _name(value: Any) -> str:
    """An id as a folder's name, which may not lead elsewhere."""
    text = _text(value)
    return text if NATIVE_ID.fullmatch(text) and text.strip(".") else "~"
