"""Fragments that trackio leaves on network file systems, until its own program takes them into a database."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Head, Reader, Reject
from workbench.readers.gathering import EXCERPT, Gathering, mapping_of, utc_seconds
from workbench.readers.lines import split
from workbench.readers.trackio.values import add_alert, add_config, add_values, native_id

_LINES = 1_000_000
_DIGITS = 12
_KINDS = ("metric", "system_metric", "alert")
_OTHER = "its first line is no record of trackio's inbox: no v, kind, project and run"


class TrackioInboxReader(Reader):
    """Reads `inbox/<writer>/<number>.jsonl`.

    A format of its own: of what the database beside it has as well, the fuller of the two is shown and the other is an
    alias, so that importing fragments never doubles a point.
    """

    name: ClassVar[str] = "trackio-inbox"
    names: ClassVar[tuple[str, ...]] = ("*.jsonl",)

    def claim(self, head: Head) -> Claim:
        """Certain when the first line is a record of a fragment, in an inbox's folder."""
        first = head.first_line
        if not first.startswith(b"{") or b'"project"' not in first or b'"run"' not in first:
            return Claim(0.0, _OTHER)
        try:
            record = json.loads(first)
        except (ValueError, RecursionError):
            return Claim(0.0, _OTHER)
        if not isinstance(record, dict) or record.get("kind") not in _KINDS or "v" not in record:
            return Claim(0.0, _OTHER)
        return Claim(1.0, "begins with a record of trackio's inbox", many_runs=True)

    def read(self, chunk: Chunk) -> Batch:
        """The complete lines of a stretch."""
        lines, found, refused = split(chunk), Gathering(), []
        named: dict[str, str] = dict(mapping_of(chunk.state.get("named")))
        position = int(chunk.state.get("line", _first_line(chunk.path)))
        for i in range(len(lines)):
            raw, offset = lines.raw(i), chunk.start + int(lines.starts[i])
            record = _record(raw)
            if record is None:
                refused.append(Reject(offset, len(raw), "E102 not a record of a fragment", raw[:EXCERPT]))
            elif record:
                _add(found, record, chunk.path, named, offset, position + i)
        found.rejects = refused
        return found.batch(
            lines.consumed, {"named": named, "line": position + len(lines)}, accepted=len(lines) - len(refused)
        )


def _record(raw: bytes) -> dict[str, Any] | None:
    """The record in a line, empty for an empty one, None where it is none."""
    if not raw.strip():
        return {}
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    known = isinstance(record, dict) and record.get("kind") in _KINDS and record.get("project") and record.get("run")
    return record if known else None


def _add(
    found: Gathering, record: dict[str, Any], path: PurePath, named: dict[str, str], offset: int, line: int
) -> None:
    project = str(record["project"])
    stem = "".join(letter for letter in project if letter.isalnum() or letter in "-_").rstrip() or "default"
    run = native_id(_home(path), stem, record.get("run_id"), record["run"])
    wall = utc_seconds(record.get("timestamp"))
    if named.get(run) != str(record["run"]):
        named[run] = str(record["run"])
        found.facts.append(Fact("name", named[run], "", None, offset, run))
        found.facts.append(Fact("tag", stem, "project", None, offset, run))
    if record["kind"] == "alert":
        add_alert(found, record, run=run, wall=wall, row=offset)
        return
    prefix, step = ("system/", None) if record["kind"] == "system_metric" else ("", record.get("step"))
    step = line if step is None else step
    add_values(found, mapping_of(record.get("metrics")), prefix=prefix, step=step, wall=wall, run=run, row=offset)
    if record.get("config"):
        add_config(found, mapping_of(record["config"]), run=run, row=offset)


def _first_line(path: PurePath) -> int:
    """A number for a fragment's first line, higher than any of the fragments before it: what has no step needs one."""
    return int(path.stem) * _LINES if path.stem.isdecimal() and len(path.stem) <= _DIGITS else 0


def _home(path: PurePath) -> PurePath:
    """trackio's folder: the one above `inbox/<writer>/`."""
    folder = path.parent
    return folder.parent.parent if folder.parent.name == "inbox" else folder
