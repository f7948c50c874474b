"""What MLflow says about a run, from whichever store, and the facts that it comes to."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core.batch import Fact, FactKind
from workbench.tracking import redact

NATIVE_ID = re.compile(r"[\w.-]{1,64}")
"""What a run's id may look like: 32 hexadecimal digits, or whatever a plugin's store makes up."""
LONGEST_KEY = 1_000
LONGEST_TEXT = 16_384
MOST_ENTRIES = 5_000
"""Params, and likewise tags, that are taken of one run."""

_SYSTEM = "mlflow."
_NAME, _NOTE, _PARENT = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"
_HISTORY = "mlflow.log-model.history"
_GOAL, _GOAL_IS_HIGH = "mlflow.experiment.primaryMetric.name", "mlflow.experiment.primaryMetric.greaterIsBetter"
GOAL_TAGS = (_GOAL, _GOAL_IS_HIGH)
"""Tags of an experiment that name its goal."""
_ENVIRONMENT = {
    "mlflow.source.git.commit": "git/commit", "mlflow.source.git.branch": "git/branch",
    "mlflow.source.git.dirty": "git/dirty", "mlflow.source.git.repoURL": "git/remote", "mlflow.user": "user",
    "mlflow.source.name": "script", "mlflow.source.type": "source", "mlflow.project.entryPoint": "entry_point",
    "mlflow.project.env": "project_env", "mlflow.docker.image.uri": "docker_image", "mlflow.autologging": "autologging",
}  # fmt: skip
_STATUSES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}
_SAID_BY = "status set in MLflow"
_LOCATIONS = ("uri", "path", "url", "table_name", "dataset_name", "name")


class Dataset(Struct, frozen=True):
    """A dataset that a run took as input; `context` is its role, `source` and `profile` are JSON texts."""

    name: str
    digest: str
    source: str = ""
    profile: str = ""
    context: str = ""


class Experiment(Struct, frozen=True):
    """What runs are grouped by, with its tags."""

    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class MlflowRun(Struct, frozen=True):
    """A run as MLflow knows it; times are milliseconds since 1970, `status` is MLflow's word."""

    uuid: str
    name: str = ""
    status: str = ""
    start: Any = None
    end: Any = None
    deleted: bool = False
    user: str = ""
    artifacts: str = ""
    """Where its artifacts are, a URI."""
    experiment: Experiment = field(default_factory=Experiment)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[Dataset] = ()
    models: Sequence[tuple[str, str]] = ()
    """(name, location) of logged models."""


def facts_of(run: MlflowRun, of: str = "") -> list[Fact]:
    """Everything said about a run, secrets replaced; `of` names the run where the source tells of several.

    A run that is not deleted, or not ended, says so too: it may have been, the last time.
    """

    def fact(kind: FactKind, value: Any, key: str = "") -> Fact:
        return Fact(kind, value, key, run=of)

    name = run.name or run.tags.get(_NAME, "")
    started, ended = seconds(run.start), seconds(run.end)
    status = _STATUSES.get(run.status)
    facts = [fact("native_id", run.uuid), fact("hidden", run.deleted), fact("status", status or "running", _SAID_BY)]
    facts.append(fact("ended", ended if status else None))
    facts += [fact("name", name[:LONGEST_KEY])] if name else []
    facts += [fact("group", run.experiment.name[:LONGEST_KEY])] if run.experiment.name else []
    facts += [] if started is None else [fact("started", started)]
    facts += [fact("param", _param(key, value), key) for key, value in run.params.items()]
    facts += [fact(*said) for said in _of_tags(run)]
    facts += [fact("data", value, key) for key, value in _data(run.datasets)]
    facts += [fact("artifact", _file(place), key) for key, place in _models(run)]
    goal = run.experiment.tags.get(_GOAL)
    if goal:
        higher = run.experiment.tags.get(_GOAL_IS_HIGH, "true").strip().lower() != "false"
        facts.append(fact("goal", "max" if higher else "min", goal))
    return facts


def user_tags(tags: Mapping[str, str]) -> list[str]:
    """The keys that a person or script set, without MLflow's own."""
    return sorted(key for key in tags if not key.startswith(_SYSTEM))


def seconds(milliseconds: Any) -> float | None:
    """Seconds since 1970; None where the value is no time."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    value = milliseconds / 1000 if abs(milliseconds) < 1 << 63 else math.inf
    return value if math.isfinite(value) else None


def _of_tags(run: MlflowRun) -> Iterator[tuple[FactKind, Any, str]]:
    if run.user not in ("", "unknown") and "mlflow.user" not in run.tags:
        yield "environment", redact("", run.user), "user"
    for key, value in run.tags.items():
        if key == _NOTE:
            yield "note", redact("", value[:LONGEST_TEXT]), "mlflow"
        elif key == _PARENT:
            yield "parent", value[:LONGEST_KEY], ""
        elif key in _ENVIRONMENT:
            name = _ENVIRONMENT[key]
            said = value.strip().lower()
            yield "environment", said == "true" if name == "git/dirty" else redact("", value[:LONGEST_TEXT]), name
        elif not key.startswith(_SYSTEM):
            yield "tag", redact(key, value[:LONGEST_TEXT]), key


def _param(key: str, text: str) -> Any:
    """The value whose `str()` was logged, where it was a number or a truth value; else the text as it is."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            value = kind(text[:32])
        except ValueError:
            continue
        if str(value) == text and math.isfinite(value):
            return redact(key, value)
    return redact(key, text[:LONGEST_TEXT])


def _data(datasets: Sequence[Dataset]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each dataset under its role and name: several may share a role, and come one after the other."""
    for item in datasets:
        key = f"{item.context}/{item.name}" if item.context else item.name
        yield key, {**_file(_location(item)), "rows": _rows(item.profile), "digest": f"{item.name}@{item.digest}"}


def _location(dataset: Dataset) -> str:
    source = _json(dataset.source)
    if isinstance(source, dict):
        found = next((source[key] for key in _LOCATIONS if isinstance(source.get(key), str)), "")
        return found or dataset.name
    return dataset.source if dataset.source and source is None else dataset.name


def _rows(profile: str) -> int | None:
    """Rows of a dataset by its profile: pandas counts them, numpy tells a shape, Spark guesses."""
    said = _json(profile)
    if not isinstance(said, dict):
        return None
    count = said.get("num_rows", said.get("approx_count"))
    if count is None and isinstance(said.get("features_shape"), list):
        count = next(iter(said["features_shape"]), None)
    return count if type(count) is int and count >= 0 else None


def _models(run: MlflowRun) -> Iterator[tuple[str, str]]:
    """Logged models of MLflow 3, and what the tag of earlier versions tells."""
    yield from ((name[:LONGEST_KEY], place) for name, place in run.models)
    known = {name for name, _ in run.models}
    history = _json(run.tags.get(_HISTORY, ""))
    for item in history[:MOST_ENTRIES] if isinstance(history, list) else ():
        path = item.get("artifact_path") if isinstance(item, dict) else None
        if isinstance(path, str) and path not in known:
            yield path[:LONGEST_KEY], f"{run.artifacts}/{path}" if run.artifacts else path


def _file(place: str) -> dict[str, Any]:
    return {"path": redact("path", place[:LONGEST_TEXT]), "bytes": None, "sha256": None}


def _json(text: str) -> Any:
    """The value of a JSON text, None where it is none."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
