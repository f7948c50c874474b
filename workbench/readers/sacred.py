"""Sacred's FileStorageObserver: a folder a run, its JSON files written anew at each heartbeat."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Reader
from workbench.readers.gathering import (
    Gathering,
    NotYetError,
    digest,
    grown,
    list_of,
    mapping_of,
    mark_of,
    number_of,
    object_of,
    scalar_of,
    utc_seconds,
    whole_of,
)

_PARTS = ("metrics.json", "config.json", "info.json", "cout.txt")
_ENDINGS = {"COMPLETED": "finished", "FAILED": "failed", "INTERRUPTED": "killed", "TIMEOUT": "killed"}
_GRACE = 60.0
"""Seconds after a heartbeat in which the next is due; Sacred's own interval is ten."""


class SacredReader(Reader):
    """Reads `run.json` and, through it, the files beside it."""

    name: ClassVar[str] = "sacred"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("run.json",)
    flush_interval: ClassVar[float] = 10.0

    def claim(self, head: Head) -> Claim:
        """Certain when the head has the observer's keys."""
        if all(key in head.data for key in (b'"experiment"', b'"command"', b'"status"')) or (
            b'"command"' in head.data and b'"artifacts"' in head.data and "config.json" in head.siblings
        ):
            covers = (*_PARTS, "_sources/**", "_resources/**")
            return Claim(1.0, "the run entry of Sacred's FileStorageObserver", covers=covers)
        return Claim(0.0, "named run.json, but not with Sacred's keys experiment, command and status")

    def stamp(self, place: str) -> tuple[int, int]:
        """Sizes and newest modification of the run entry and the files beside it."""
        size, newest = super().stamp(place)
        for name in _PARTS:
            try:
                found = os.stat(Path(place).with_name(name))
            except OSError:
                continue
            size, newest = size + found.st_size, max(newest, found.st_mtime_ns)
        return size, newest

    def read(self, chunk: Chunk) -> Batch:
        """What the run has gained; a file that its writer is at keeps what it said before."""
        try:
            run = object_of(chunk.place)
        except NotYetError as problem:
            return Batch(state=chunk.state, message=str(problem))
        found, state, remarks = Gathering(), dict(chunk.state), []
        for name, add in (("metrics.json", _metrics), ("config.json", _config), ("info.json", _info)):
            try:
                loaded = object_of(str(Path(chunk.place).with_name(name)))
            except NotYetError as problem:
                remarks += [] if problem.missing else [str(problem)]
                continue
            if not add(loaded, found, state):
                return Batch(restart=True, message=f"{name} was rewritten; read again")
        facts = list(_facts(run, chunk, (Path(chunk.place).with_name("cout.txt")).exists()))
        changed = _if_new("run", [[fact.kind, fact.key, fact.value] for fact in facts], state)
        found.facts += facts if changed else []
        consumed = len(found) + len(found.facts)
        return found.batch(consumed, state, message="; ".join(remarks), accepted=int(consumed > 0))


def _metrics(loaded: Mapping[str, Any], found: Gathering, state: dict[str, Any]) -> bool:
    """Add the points behind those known; False when the known ones are not there any more."""
    known = mapping_of(state.get("metrics"))
    marks: dict[str, Any] = {}
    if not known.keys() <= loaded.keys():
        return False
    for name, item in loaded.items():
        series = mapping_of(item)
        parts = [list_of(series.get(part)) for part in ("steps", "values", "timestamps")]
        rows = [list(row) for row in zip(*parts, strict=False)]
        done = grown(rows, mapping_of(known.get(name)))
        if done is None:
            return False
        for position, (at, value, moment) in enumerate(rows[done:], done):
            step, number = whole_of(at), number_of(_plain(value))
            if number is not None:
                found.point(
                    name, position if step is None else step, number, wall=utc_seconds(moment), offset=position
                )  # fmt: skip
        marks[name] = mark_of(rows)
    state["metrics"] = marks
    return True


def _config(loaded: Mapping[str, Any], found: Gathering, state: dict[str, Any]) -> bool:
    if _if_new("config", loaded, state):
        found.param_facts({key: _plain(value) for key, value in loaded.items()})
    return True


def _info(loaded: Mapping[str, Any], found: Gathering, state: dict[str, Any]) -> bool:
    if _if_new("info", loaded, state):
        found.facts += [Fact("summary", scalar_of(_plain(value)), str(key)) for key, value in loaded.items()]
    return True


def _if_new(name: str, content: Any, state: dict[str, Any]) -> bool:
    """Whether content differs from the last look's; its fingerprint is kept."""
    mark, before = digest(content), state.get(name)
    state[name] = mark
    return bool(mark != before)


def _plain(value: Any) -> Any:
    """The number or text in what jsonpickle made of a numpy scalar; anything else as it is."""
    if isinstance(value, Mapping) and "py/reduce" in value:
        return str(value.get("py/reduce"))
    if isinstance(value, Mapping) and "value" in value and any(str(key).startswith("py/") for key in value):
        return value["value"]
    return value


def _facts(run: Mapping[str, Any], chunk: Chunk, console: bool) -> Iterator[Fact]:
    experiment, meta = mapping_of(run.get("experiment")), mapping_of(run.get("meta"))
    name = str(experiment.get("name") or "run")
    yield Fact("name", f"{name}/{chunk.path.parent.name}")
    yield Fact("group", name)
    yield from _times(run)
    yield from _status(run)
    if run.get("command"):
        yield Fact("environment", scalar_of(run["command"]), "command")
    if run.get("result") is not None:
        yield Fact("summary", scalar_of(_plain(run["result"])), "result")
    if meta.get("comment"):
        yield Fact("note", scalar_of(meta["comment"]), "comment")
    yield from _environment(run, experiment)
    if console:
        yield Fact("console", str(chunk.path.parent / "cout.txt"))
    for artifact in list_of(run.get("artifacts")):
        yield Fact("artifact", {"path": str(chunk.path.parent / str(artifact))}, str(artifact))
    for resource in list_of(run.get("resources")):
        if isinstance(resource, list) and resource:
            yield Fact("data", {"path": str(resource[0])}, os.path.basename(str(resource[0])))


def _times(run: Mapping[str, Any]) -> Iterator[Fact]:
    started, stopped = utc_seconds(run.get("start_time")), utc_seconds(run.get("stop_time"))
    beat = utc_seconds(run.get("heartbeat"))
    if started is not None:
        yield Fact("started", started)
    if stopped is not None:
        yield Fact("ended", stopped)
    elif beat is not None:
        yield Fact("heartbeat", beat + _GRACE)


def _status(run: Mapping[str, Any]) -> Iterator[Fact]:
    word = str(run.get("status"))
    if word not in _ENDINGS:
        return
    trace = run.get("fail_trace")
    lines = [str(line) for line in list_of(trace)] if isinstance(trace, list) else [str(trace or "")]
    last = next((line.strip() for line in reversed("".join(lines).splitlines()) if line.strip()), "")
    yield Fact("status", _ENDINGS[word], last or f"Sacred says {word}")
    if last:
        yield Fact("note", scalar_of("".join(lines)), "traceback")


def _environment(run: Mapping[str, Any], experiment: Mapping[str, Any]) -> Iterator[Fact]:
    host = mapping_of(run.get("host"))
    for theirs, ours in (("hostname", "host"), ("os", "os"), ("python_version", "python"), ("cpu", "cpu")):
        if host.get(theirs):
            yield Fact("environment", scalar_of(host[theirs]), ours)
    for repository in list_of(experiment.get("repositories")):
        if isinstance(repository, Mapping) and repository.get("commit"):
            yield Fact("environment", scalar_of(repository["commit"]), "git.commit")
            yield Fact("environment", bool(repository.get("dirty")), "git.dirty")
    if experiment.get("mainfile"):
        yield Fact("environment", scalar_of(experiment["mainfile"]), "script")
