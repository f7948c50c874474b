"""Parameters of a run from the small files that training scripts leave beside their logs."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.plugin.api import Fact

PARAM_FILES = (
    "params.json", "params.yaml", "params.yml", "config.json", "config.yaml", "config.yml", "config.toml", "args.json",
    "args.yaml", "args.yml", "opt.yaml", "hyp.yaml", "torchtune_config.yaml", "hparams.json", "hparams.yaml",
    "hparams.yml", ".hydra/config.yaml", ".hydra/overrides.yaml",
)  # fmt: skip
"""Paths looked for in a run's folder; where two say the same parameter, the later in this list holds."""

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 100_000
MAX_PARAMS = 5_000
MAX_TEXT = 4_096
MAX_LIST_TEXT = 512
_INT64 = 2**63


class _NotRead(Exception):
    """The file is one that must not be read; the message says why."""


def facts_beside(folder: Mapping[str, bytes]) -> list[Fact]:
    """The parameters in a run's folder, nested keys joined by `.`, secrets replaced; by relative path.

    What breaks a limit is said in a note. What does not parse is skipped silently: it may be half written, and comes
    again when it changes.
    """
    params: dict[str, Any] = {}
    notes: list[Fact] = []
    totals: list[Fact] = []
    for name in PARAM_FILES:
        if name not in folder:
            continue
        try:
            found = _params(name, folder[name])
        except _NotRead as refused:
            notes.append(Fact("note", f"{name} is not read: {refused}", name))
            continue
        except (ValueError, RecursionError):
            continue
        params.update(found)
        if (total := epochs_of(found)) is not None:
            totals = [Fact("total_steps", total)]
    return [*totals, *(Fact("param", value, key) for key, value in params.items()), *notes]


_BY_EPOCH = ({"task", "mode", "imgsz"}, {"weights", "hyp", "imgsz"}, {"model", "opt", "sched"})
"""Keys by which the arguments of a trainer are known that logs a row an epoch: Ultralytics, YOLOv5, timm."""


def epochs_of(params: Mapping[str, Any]) -> int | None:
    """The epochs a run will log, where its arguments are those of a trainer that counts its steps in epochs."""
    epochs = params.get("epochs")
    known = any(keys <= params.keys() for keys in _BY_EPOCH)
    return epochs if known and type(epochs) is int and epochs > 0 else None


def _params(name: str, data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise _NotRead(f"{len(data):,} bytes, more than {MAX_BYTES:,}")
    loaded = _load(name, data.removeprefix(b"\xef\xbb\xbf"))
    if name == ".hydra/overrides.yaml":
        return _overrides(loaded)
    params: dict[str, Any] = {}
    for key, value in _leaves(loaded, "", 1):
        if len(params) >= MAX_PARAMS:
            raise _NotRead(f"more than {MAX_PARAMS:,} parameters")
        params[key] = _scalar(key, value)
    return params


def _load(name: str, data: bytes) -> Any:
    if name.endswith(".json"):
        return json.loads(data)
    if name.endswith(".toml"):
        import tomllib

        return tomllib.loads(data.decode("utf-8"))
    return _load_yaml(data)


def _overrides(loaded: Any) -> dict[str, Any]:
    """What was typed on the command line, as one parameter."""
    from workbench.tracking import redact_argv

    typed = [item for item in loaded if isinstance(item, str)] if isinstance(loaded, list) else []
    return {"hydra.overrides": " ".join(redact_argv(typed))[:MAX_TEXT]} if typed else {}


def _leaves(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every (key, value) of nested mappings; at the top only a mapping has any."""
    if depth > MAX_DEPTH:
        raise _NotRead(f"nested deeper than {MAX_DEPTH} levels")
    if not isinstance(value, Mapping):
        return
    for name, item in value.items():
        key = f"{prefix}{name}"
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, f"{key}.", depth + 1)
        elif not isinstance(item, Mapping):
            yield key, item


def _scalar(key: str, value: Any) -> Any:
    """The value without secrets, as a JSON scalar: lists become JSON text, or their length when long."""
    from workbench.tracking import redact

    plain = redact(key, _plain(value, 1))
    if isinstance(plain, list):
        text = json.dumps(plain, ensure_ascii=False)
        return text if len(text) <= MAX_LIST_TEXT else f"list of {len(plain):,}"
    if isinstance(plain, str) and len(plain) > MAX_TEXT:
        return plain[:MAX_TEXT] + "…"
    return plain


def _plain(value: Any, depth: int) -> Any:
    """The value in JSON's own types: what JSON cannot spell becomes text."""
    if depth > MAX_DEPTH:
        raise _NotRead(f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case bool() | None:
            return value
        case int():
            return value if -_INT64 <= value < _INT64 else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case bytes():
            return f"{len(value):,} bytes"
        case dt.date() | dt.time():
            return value.isoformat()
        case Mapping():
            return {str(name): _plain(item, depth + 1) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case set():
            return sorted(str(item) for item in value)
    return str(value)


# YAML --------------------------------------------------------------------------------------------------------


def load_yaml(data: bytes) -> Any:
    """The value of a YAML text of another tool, through the safe loader.

    Raises:
        ValueError: it does not parse, or would grow beyond the limits.
    """
    try:
        return _load_yaml(data)
    except (_NotRead, RecursionError) as refused:
        raise ValueError(str(refused)) from None


def _load_yaml(data: bytes) -> Any:
    """Load through the safe C loader; unknown tags become plain values, alias bombs are refused."""
    import yaml

    try:
        _check_depth(data)
        loader = _loader_class()(data)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check_size(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not constructible: {error}") from None


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before a tree is built, which recurses."""
    import yaml

    depth = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise _NotRead(f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _check_size(root: Any) -> None:
    """Refuse a tree that grows past the limit once its aliases are written out."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Any) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in open_nodes:
            raise _NotRead("an anchor contains itself")
        open_nodes.add(id(node))
        total = 1
        for child in node.value if isinstance(node.value, list) else ():
            total += sum(map(size, child)) if isinstance(child, tuple) else size(child)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        if total > MAX_NODES:
            raise _NotRead(f"more than {MAX_NODES:,} values, aliases written out")
        return total

    size(root)


_LOADER: list[Any] = []
_EXPONENT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
"""`1e-3`: a text to YAML 1.1, a number to whoever writes a learning rate."""


def _loader_class() -> Any:
    """CSafeLoader that reads an unknown tag's content as if untagged, made when YAML is first needed."""
    if _LOADER:
        return _LOADER[0]
    import yaml

    class Loader(yaml.CSafeLoader):
        """The safe loader, lenient with tags."""

    def untagged(loader: Any, suffix: str, node: Any) -> Any:
        tag = suffix.removeprefix("python/").partition(":")[2] or suffix
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            items = loader.construct_sequence(node, deep=True)
            is_call = suffix.startswith(("python/object/apply:", "python/object/new:"))
            return f"{tag}({', '.join(map(str, items))})" if is_call else items
        return node.value or tag

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))
    Loader.add_multi_constructor("tag:yaml.org,2002:", untagged)
    Loader.add_multi_constructor("!", untagged)
    Loader.add_multi_constructor("", untagged)
    _LOADER.append(Loader)
    return Loader
