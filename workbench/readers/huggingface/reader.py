"""The state that a Hugging Face Trainer saves with its checkpoints: the whole history, written anew each time."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Purge, Reader
from workbench.readers.gathering import (
    Gathering,
    NotYetError,
    grown,
    list_of,
    mapping_of,
    mark_of,
    number_of,
    object_of,
    scalar_of,
    whole_of,
)

_NAME = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,18})")
_PARAMS = ("num_train_epochs", "train_batch_size", "max_steps", "logging_steps", "eval_steps", "save_steps")
_SUMMARY = ("epoch", "global_step", "total_flos", "best_metric", "best_global_step", "best_model_checkpoint",
            "num_input_tokens_seen")  # fmt: skip
_SUBSETS = ("eval", "test")


class HuggingFaceReader(Reader):
    """Reads `trainer_state.json`, of the newest checkpoint where there are several; never a pickled file."""

    name: ClassVar[str] = "huggingface"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = (_NAME,)

    def claim(self, head: Head) -> Claim:
        """Certain when the head has the Trainer's keys."""
        if b'"global_step"' in head.data or b'"log_history"' in head.data:
            return Claim(1.0, "the state of a Hugging Face Trainer: it has global_step or log_history")
        if not head.data.strip():
            return Claim(0.4, "named like the state of a Hugging Face Trainer; empty yet", nearly=True)
        return Claim(0.0, f"named {_NAME}, but without global_step and log_history", nearly=True)

    def run_folder(self, path: PurePath) -> tuple[PurePath, str]:
        """The output folder, whichever checkpoint the file lies in."""
        folder = path.parent
        return (folder.parent if _CHECKPOINT.fullmatch(folder.name) else folder), ""

    def stamp(self, place: str) -> tuple[int, int]:
        """Size and newest modification of the state and, for a checkpoint's, of the output folder and its own state."""
        size, newest = super().stamp(place)
        output = Path(place).parent.parent
        if _rank(Path(place).parent.name) < float("inf"):
            for other in (output, output / _NAME):
                with contextlib.suppress(OSError):
                    found = os.stat(other)
                    size, newest = size + found.st_size, max(newest, found.st_mtime_ns)
        return size, newest

    def read(self, chunk: Chunk) -> Batch:
        """What the history has gained; all of it, and the earlier checkpoints' points purged, at the first look."""
        newer = _newer(chunk.place)
        if newer and "history" in chunk.state:
            return Batch(restart=True, message=f"{newer} says the same and more")
        if newer:
            told = {"newer": newer}
            return Batch(state=told, consumed=int(told != chunk.state), message=f"{newer} says the same and more")
        try:
            state = object_of(chunk.place)
        except NotYetError as problem:
            return Batch(state=chunk.state, message=str(problem))
        entries = [entry for entry in list_of(state.get("log_history")) if isinstance(entry, dict)]
        known = grown(entries, mapping_of(chunk.state.get("history"))) if "newer" not in chunk.state else None
        if known is None and chunk.start:
            return Batch(restart=True, message="the history was rewritten; read again")
        return _gathered(chunk, state, entries, known or 0)


def _gathered(chunk: Chunk, state: Mapping[str, Any], entries: list[dict[str, Any]], known: int) -> Batch:
    found = Gathering()
    for position in range(known, len(entries)):
        _entry(entries[position], position, found)
    facts = list(_facts(state, entries, _output_folder(chunk.path)))
    if known < len(entries) or not chunk.start:
        found.facts += facts
    trial = mapping_of(state.get("trial_params"))
    if trial and not known:
        found.param_facts(trial)
    purges = [Purge(min(found.points().step.tolist()))] if not chunk.start and len(found) else []
    consumed = len(entries) - known + (not chunk.start)
    told = {"history": mark_of(entries)}
    return found.batch(consumed, told, purges=purges, accepted=len(entries) - known)


def series_key(name: str) -> str:
    """A logged name as the Trainer's own TensorBoard callback writes it: `eval_loss` is `eval/loss`, else `train/…`."""
    for subset in _SUBSETS:
        if name.startswith(f"{subset}_"):
            return f"{subset}/{name[len(subset) + 1 :]}"
    return f"train/{name}"


def _entry(entry: Mapping[str, Any], position: int, found: Gathering) -> None:
    """The points of one `log()` call; `position` counts the calls."""
    step = whole_of(entry.get("step"))
    for name, value in entry.items():
        number = number_of(value)
        if name != "step" and number is not None and step is not None:
            found.point(series_key(name), step, number, offset=position)


def _facts(state: Mapping[str, Any], entries: list[dict[str, Any]], folder: PurePath) -> Iterator[Fact]:
    total = whole_of(state.get("max_steps"))
    if total and total > 0:
        yield Fact("total_steps", total)
    for name in _PARAMS:
        if number_of(state.get(name)) is not None:
            yield Fact("param", scalar_of(state[name]), name)
    for name in _SUMMARY:
        if state.get(name) is not None:
            yield Fact("summary", scalar_of(state[name]), name)
    best = state.get("best_model_checkpoint")
    if isinstance(best, str) and best:
        yield Fact("artifact", {"path": str(folder / PurePath(best).name)}, "best checkpoint")
    for entry in entries:
        if "train_runtime" in entry:
            yield from (Fact("summary", scalar_of(value), name) for name, value in entry.items() if name != "step")
            yield Fact("status", "finished", "the Trainer reported its final metrics")
    if state.get("trial_name"):
        yield Fact("tag", scalar_of(state["trial_name"]), "trial")


def _output_folder(path: PurePath) -> PurePath:
    return path.parent.parent if _CHECKPOINT.fullmatch(path.parent.name) else path.parent


def _rank(folder: str) -> float:
    """The step of a checkpoint's folder; the output folder itself comes after all of them."""
    found = _CHECKPOINT.fullmatch(folder)
    return float(found[1]) if found else float("inf")


def _newer(place: str) -> str:
    """The last of the complete states beside this one that go further and were not written before it; "" for none."""
    mine = Path(place)
    rank = _rank(mine.parent.name)
    if rank == float("inf"):
        return ""
    output = mine.parent.parent
    try:
        names = [name for name in os.listdir(output) if _CHECKPOINT.fullmatch(name)]
        written = os.stat(mine).st_mtime_ns
    except OSError:
        return ""
    others = sorted((_rank(name), name) for name in names if _rank(name) > rank)
    candidates = [(output / _NAME, "the output folder's"), *((output / name / _NAME, name) for _, name in others[::-1])]
    return next((name for path, name in candidates if _is_complete(path, written)), "")


def _is_complete(path: Path, since_ns: int) -> bool:
    """Whether a state was written at a time or later, and to its end."""
    try:
        if os.lstat(path).st_mtime_ns < since_ns:
            return False
        object_of(str(path))
    except (OSError, NotYetError):
        return False
    return True
