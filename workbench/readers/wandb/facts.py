"""What W&B's records say about a run besides its history: who, where, with which parameters, and how it ended."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from workbench.core.batch import Fact, FactKind
from workbench.readers.own.records import attributes
from workbench.readers.protobuf import BYTES, VARINT, Field, double, fields, signed, text, unsigned
from workbench.readers.wandb.items import Unreadable, item, timestamp
from workbench.tracking import redact, redact_argv

CONFIG_IN_RUN = 4
"""The field of a run record that holds its first configuration."""
KILLED = frozenset({130, 137, 143, 255})
"""Exit codes of a run that somebody stopped: 255 is what W&B makes of Ctrl-C, the others are signals."""

_TEXTS: dict[int, tuple[FactKind, str]] = {
    1: ("native_id", ""), 2: ("environment", "entity"), 3: ("environment", "project"), 7: ("tag", "job_type"),
    8: ("name", ""), 9: ("note", "notes"), 13: ("environment", "host"),
}  # fmt: skip
"""Fields of a run record that are one text, and the facts they are."""
_PLACE = {
    1: "os", 2: "python", 4: "docker", 6: "program", 10: "email", 11: "cwd", 12: "host", 13: "user",
    14: "executable", 15: "colab", 18: "gpu", 25: "cuda",
}  # fmt: skip
"""Text fields of an environment record, and the names under which they are kept."""
_COUNTS = {16: "cpu_count", 17: "cpu_count_logical", 19: "gpu_count"}


def run_facts(data: bytes, whole: Field, offset: int) -> Iterator[Fact]:
    """The facts of a run record, without its configuration; a later one repeats what still holds."""
    started: float | None = None
    tags: list[str] = []
    group = sweep = ""
    resumed = False
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 6, 2:
                group = text(data, field)
            case 10, 2:
                tags.append(text(data, field))
            case 12, 2:
                sweep = text(data, field)
            case 17, 2:
                started = timestamp(data, field)
            case 18, 0:
                resumed = unsigned(data, field) != 0
            case 21, 2:
                yield from _git(data, field, offset)
            case 23, 2:
                yield from _branch(data, field, offset)
            case number, 2 if number in _TEXTS and field.lo < field.hi:
                kind, key = _TEXTS[number]
                yield Fact(kind, redact("", text(data, field)), key, None, offset)
    if group or sweep:
        yield Fact("group", group or f"sweep {sweep}", "", started, offset)
    if sweep:
        yield Fact("tag", sweep, "sweep", started, offset)
    for tag in tags:
        yield Fact("tag", "", tag, started, offset)
    if started is not None and not resumed:
        yield Fact("started", started, "", started, offset)


def start_of(data: bytes, whole: Field) -> float | None:
    """Seconds since 1970 from which a run's time counts: its start, put back by what ran before it was taken up."""
    started, before = None, 0
    for field in fields(data, whole.lo, whole.hi):
        if field[:2] == (17, BYTES):
            started = timestamp(data, field)
        elif field[:2] == (20, VARINT):
            before = signed(data, field)
    return None if started is None else started - max(before, 0)


def rewound_to(data: bytes, whole: Field) -> int | None:
    """The step after which a run was taken up again, where it says so of itself."""
    own = ""
    for field in fields(data, whole.lo, whole.hi):
        if field[:2] == (1, BYTES):
            own = text(data, field)
        elif field[:2] == (23, BYTES):
            run, step, metric = _branch_point(data, field)
            if run == own and metric == "_step" and abs(step) < 2**53:
                return int(step)
    return None


def _branch_point(data: bytes, whole: Field) -> tuple[str, float, str]:
    run, value, metric = "", 0.0, ""
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 2:
                run = text(data, field)
            case 2, 1:
                value = double(data, field)
            case 3, 2:
                metric = text(data, field)
    return run, value, metric


def _branch(data: bytes, whole: Field, offset: int) -> Iterator[Fact]:
    run, value, metric = _branch_point(data, whole)
    if run:
        yield Fact("tag", f"{run} at {metric or '_step'} {value:g}", "branched_from", None, offset)


def _git(data: bytes, whole: Field, offset: int) -> Iterator[Fact]:
    names = {1: "git/remote", 2: "git/commit"}
    for field in fields(data, whole.lo, whole.hi):
        if field.wire == BYTES and field.number in names and field.lo < field.hi:
            yield Fact("environment", redact("", text(data, field)), names[field.number], None, offset)


def environment_facts(data: bytes, whole: Field, offset: int) -> Iterator[Fact]:
    """The facts of an environment record: machine, interpreter, command line, git."""
    found: dict[str, Any] = {}
    argv: list[str] = []
    gpus: list[str] = []
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 5, 2:
                argv.append(text(data, field))
            case 9, 2:
                yield from _git(data, field, offset)
            case 21, 2:
                found["memory"] = _first_count(data, field)
            case 22, 2:
                found["cpu"] = _text_at(data, field, 3)
            case ((24 | 26), 2):
                gpus.append(_text_at(data, field, 1 if field.number == 24 else 9))
            case 27, 2:
                found[f"slurm/{_text_at(data, field, 1)}"] = _text_at(data, field, 2)
            case number, 2 if number in _PLACE:
                found[_PLACE[number]] = text(data, field)
            case number, 0 if number in _COUNTS:
                found[_COUNTS[number]] = unsigned(data, field)
    if argv or "program" in found:
        found["argv"] = shlex.join(redact_argv([found.get("program", ""), *argv]))
    if gpus and not found.get("gpu"):
        found["gpu"] = ", ".join(sorted({gpu for gpu in gpus if gpu}))
    known = {key: value for key, value in found.items() if value not in ("", None)}
    yield from attributes("environment", known, None, offset)


def _text_at(data: bytes, whole: Field, number: int) -> str:
    wanted = (part for part in fields(data, whole.lo, whole.hi) if part[:2] == (number, BYTES))
    return next((text(data, part) for part in wanted), "")


def _first_count(data: bytes, whole: Field) -> int | None:
    wanted = (part for part in fields(data, whole.lo, whole.hi) if part[:2] == (1, VARINT))
    return next((unsigned(data, part) for part in wanted), None)


def exit_facts(code: int, wall: float | None, offset: int, *, preempted: bool) -> Iterator[Fact]:
    """How a run ended, by its exit code."""
    status = "finished" if code == 0 else "killed" if preempted or code in KILLED else "failed"
    reason = "" if code == 0 else f"{'preempted, ' if preempted else ''}exit code {code}"
    yield Fact("status", status, reason, wall, offset)
    yield Fact("environment", code, "exit_code", wall, offset)
    if wall is not None:
        yield Fact("ended", wall, "", wall, offset)


def metric_of(data: bytes, whole: Field) -> tuple[str, str, int]:
    """Name, step metric and goal (0 unset, 1 lower, 2 higher) of a metric definition; a glob's name ends with `*`."""
    name = step_metric = ""
    goal = 0
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case ((1 | 2), 2):
                name = text(data, field) or name
            case 4, 2:
                step_metric = text(data, field)
            case 8, 0:
                goal = unsigned(data, field)
    return name.replace("\\.", "."), step_metric.replace("\\.", "."), goal


def alert_fact(data: bytes, whole: Field, wall: float | None, offset: int) -> Fact:
    """An alert, as a note."""
    title, words = _text_at(data, whole, 1), _text_at(data, whole, 2)
    return Fact(
        "note", redact("", f"{title}: {words}" if title and words else title or words), f"alert {offset}", wall, offset
    )


def stats_of(data: bytes, whole: Field) -> tuple[float | None, list[tuple[str, Any]]]:
    """Time and measurements of a sample of the machine's state."""
    wall: float | None = None
    found: list[tuple[str, Any]] = []
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 2, 2:
                wall = timestamp(data, field)
            case 3, 2:
                try:
                    one = item(data, field)
                except Unreadable:
                    continue
                found.append((".".join(one.path), one.value))
    return wall, found
