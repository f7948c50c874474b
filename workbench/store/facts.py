"""Facts of many runs at once: the few that every run is judged by, and its parameters when someone looks at them.

DuckDB writes one JSON text a run, which is decoded far more quickly than a row a fact is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct, field

from workbench.core.model import Artifact, Stage
from workbench.store.schema import FACTS, by_hash

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

V = TypeVar("V")
Said = tuple[str, str, Any, float]
"""(kind, key, value, seconds since 1970 or 0)."""

_KEY = r"""CASE WHEN regexp_matches(key, '[\x00-\x1f"\\]') THEN array_to_string(list_transform(
    regexp_extract_all(key, '(?s).'),
    lambda c: CASE WHEN c IN ('"', '\') OR c < ' ' THEN printf('\u%04x', unicode(c)) ELSE c END), '') ELSE key END"""
_JUDGED = (
    "name", "started", "ended", "status", "tag", "note", "hidden", "baseline", "total_steps", "flush_interval",
    "heartbeat", "group", "parent", "goal",
)  # fmt: skip
_LOOKED_AT = ("param", "environment")
_KINDS = ", ".join(f"'{kind}'" for kind in (*_JUDGED, *_LOOKED_AT))


class Lazy(Mapping[str, V]):
    """A mapping that is made at the first look; most runs of a large store are never looked at."""

    def __init__(self, make: Callable[[], dict[str, V]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> dict[str, V]:
        return self._make()

    def __getitem__(self, key: str) -> V:
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, key: object) -> bool:
        return key in self._made

    def get(self, key: str, default: Any = None) -> Any:
        """The same as of any mapping, without an exception at a key that is not there."""
        return self._made.get(key, default)

    def __repr__(self) -> str:
        return repr(self._made)


class Facts(Struct):
    """What is said of one run."""

    said: dict[str, Any] = field(default_factory=dict)
    """Value by kind, of what has no key."""
    tags: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[float, str, str]] = field(default_factory=list)
    """(time, id, text)."""
    endings: list[tuple[float, str, Any]] = field(default_factory=list)
    """(time, reason, status)."""
    chosen_at: float = 0.0
    """When it was made the baseline or no longer."""
    has_goals: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def take(self, kind: str, key: str, value: Any, wall: float) -> None:
        """Sort one fact in."""
        if kind == "tag":
            if value is not False:
                self.tags[key] = str(value)
        elif kind == "status":
            self.endings.append((wall, key, value))
        elif kind == "note":
            self.notes.append((wall, key, str(value or "")))
        elif kind == "goal":
            self.has_goals = True
        elif not key:
            self.said[kind] = value
            if kind == "baseline":
                self.chosen_at = wall


def fetch_facts(con: DuckDBPyConnection, where: str) -> Iterator[tuple[str, Facts]]:
    """(run id, what is said of it) of the runs that `where`, a semi-join on the log, narrows to."""
    texts = con.execute(
        f"""SELECT run_id,
            '[' || coalesce(string_agg(
                '["' || kind || '","' || {_KEY} || '",' || value || ','
                || CASE WHEN isfinite(wall_time) THEN wall_time ELSE 0 END || ']', ',')
                FILTER (kind NOT IN ('param', 'environment')), '') || ']',
            {", ".join(_object(kind) for kind in _LOOKED_AT)}
        FROM ({by_hash(FACTS.format(where=f"{where} WHERE kind IN ({_KINDS})"))}) GROUP BY run_id"""
    ).fetchall()
    judged = _every([row[1] for row in texts])
    for (run, _, params, environment), said in zip(texts, judged, strict=True):
        facts = Facts()
        for kind, key, value, wall in sorted(said, key=itemgetter(3, 1)):
            facts.take(kind, key, value, wall)
        if params is not None:
            facts.params = Lazy(partial(_decoded, params))
        if environment is not None:
            facts.environment = Lazy(partial(_decoded, environment))
        yield run, facts


def fetch_stages(con: DuckDBPyConnection, run: str) -> list[Stage]:
    """The stages of a run by start."""
    rows = con.execute(
        f"SELECT key, value FROM ({FACTS.format(where='WHERE run_id = ?')}) WHERE kind = 'stage'", [run]
    ).fetchall()
    said = [(name, decoded(text)) for name, text in rows]
    stages = [
        Stage(name, value.get("start"), value.get("end"), value.get("rows"), str(value.get("status", "")))
        for name, value in said
        if isinstance(value, dict)
    ]
    return sorted(stages, key=lambda stage: (stage.start or 0.0, stage.name))


def fetch_artifacts(con: DuckDBPyConnection, run: str) -> list[SaidArtifact]:
    """The files a run said it made, by name, with the folders that they may be in."""
    rows = con.execute(
        f"""SELECT key, value, (SELECT arg_max(path, commit_id) FROM source_log s WHERE s.source_id = a.source_id)
        FROM ({FACTS.format(where="WHERE run_id = ?")}) a WHERE kind = 'artifact' ORDER BY key""",
        [run],
    ).fetchall()
    folders = [path for (path,) in con.execute("SELECT DISTINCT path FROM run_log WHERE run_id = ?", [run]).fetchall()]
    made = [(name, decoded(text), source or "") for name, text, source in rows]
    return [SaidArtifact(name, value, source, folders) for name, value, source in made if isinstance(value, dict)]


class SaidArtifact(Struct, frozen=True):
    """A file as a run named it, before anybody looked where it is."""

    name: str
    said: Mapping[str, Any]
    source: str
    """Path of the log that said so, from the project."""
    folders: Sequence[str]
    """Of the run, from the project."""


def placed_artifacts(made: Sequence[SaidArtifact], root: Path) -> list[Artifact]:
    """The files where they lie now; a path that leads out of the project has no place. Looks at the disk, no store."""
    places: dict[tuple[str, str], str] = {}
    found = []
    for each in made:
        offset, length = each.said.get("offset"), each.said.get("length")
        part = (offset, length) if _is_size(offset) and _is_size(length) else (0, None)
        path = each.source if part[1] is not None else str(each.said.get("path", ""))
        if (path, each.source) not in places:
            places[path, each.source] = _place(path, root, [*each.folders, str(PurePath(each.source).parent)])
        found.append(Artifact(each.name, path, places[path, each.source], *part))
    return found


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _place(path: str, root: Path, folders: Sequence[str]) -> str:
    """Where a file lies: as it was named, else from the project, the run's folder or the log's; only in the project."""
    inside = root.resolve()
    for base in (inside, *(inside / folder for folder in dict.fromkeys(folders) if folder)):
        try:
            found = (base / path).resolve()
            if path and found.is_relative_to(inside) and found.is_file():
                return str(found)
        except (OSError, ValueError, RuntimeError):
            continue
    return ""


def logged_name(con: DuckDBPyConnection, run: str) -> str:
    """The name that a run's own log gave it last, whatever it was renamed to since; empty where it gave none."""
    found = con.execute(
        """SELECT f.value FROM fact_log f
        ANTI JOIN replaced r ON r.source_id = f.source_id AND r.generation = f.generation
        ANTI JOIN (SELECT source_id FROM source WHERE format = 'annotations') s ON s.source_id = f.source_id
        WHERE run_id = ? AND kind = 'name'
        ORDER BY coalesce(wall_time, 0) DESC, precedence DESC, commit_id DESC LIMIT 1""",
        [run],
    ).fetchone()
    return "" if found is None else str(decoded(found[0]))


def decoded(text: str) -> Any:
    """The value of a fact; Python's own decoder takes the NaN that the fast one refuses."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def _object(kind: str) -> str:
    """SQL for the facts of a kind as one JSON object, NULL where there is none."""
    pairs = f"""string_agg('"' || {_KEY} || '":' || value, ',') FILTER (kind = '{kind}')"""
    return f"'{{' || {pairs} || '}}'"


def _decoded(text: str) -> dict[str, Any]:
    return dict(sorted(decoded(text).items()))


def _every(texts: list[str]) -> list[list[Said]]:
    """Lists of facts; one that the fast decoder refuses costs only its own run the slow one."""
    try:
        return msgspec.json.decode(f"[{','.join(texts)}]", type=list[list[Said]])
    except msgspec.DecodeError:
        return [decoded(text) for text in texts]
