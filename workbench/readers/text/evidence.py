"""Whether a file is the output of a training: what its head's lines say, and what else it might be."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from workbench.core.batch import Chunk, Claim, Head
from workbench.readers.keys import metric_like, production_columns, view_of_folder
from workbench.readers.lines import UTF16_BOMS, split
from workbench.readers.text.clean import clean
from workbench.readers.text.dialects import GENERAL
from workbench.readers.text.plan import plans_of
from workbench.readers.text.shapes import shapes_of

CERTAIN, LIKELY = 0.55, 0.5
"""Bids below those of the readers of JSON lines and of tables, to which a `.log` or `.txt` of theirs belongs."""
_ENOUGH, _ENOUGH_GENERAL = 2, 3
_PROSE = frozenset({"error", "err", "return", "map", "entropy", "recall", "score", "test"})
"""Words that are a metric's name in a table, and anything in a line of text."""
_RUN_WORDS = frozenset({"main", "nohup", "console", "run", "job", "out", "err", "stdout", "stderr", "train", "log"})
_HYDRA_FOLDER = re.compile(r"\d{2}-\d{2}-\d{2}|\d{1,4}")
_STRUCTURED = re.compile(r".*tfevents.*|.*\.wb\.jsonl|.*\.wandb|results\.csv|progress\.csv|trainer_state\.json")
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")


def claim_of(head: Head) -> Claim:
    """The bid for a file by its head, with what was found or tried."""
    if head.data.startswith(UTF16_BOMS):
        return Claim(0.0, "UTF-16 text: save the file as UTF-8", nearly=True)
    if head.data.count(b"\0") > len(head.data) // 64:
        return Claim(0.0, "not text")
    lines = split(Chunk(head.path, head.data, 0, {}, final=head.size <= len(head.data)))
    if not len(lines):
        return Claim(0.0, "no complete line yet" if head.data.strip() else "no line yet")
    if _is_json(lines.raw(i) for i in range(min(len(lines), 20))):
        return Claim(0.0, "JSON lines: another reader's")
    shapes = shapes_of(clean(lines).text)
    dialects: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    stands: set[str] = set()
    for plan, rows in plans_of(shapes):
        if plan.measures and not plan.is_setting:
            dialects[plan.dialect] += len(rows)
            if plan.dialect == GENERAL:
                keys.update(dict.fromkeys(plan.keys, len(rows)))
                if plan.axes:
                    stands.update(plan.keys)
    own = not _is_of_folder(head)
    named = [(name, n) for name, n in dialects.most_common() if name != GENERAL]
    if named and named[0][1] >= _ENOUGH:
        return Claim(CERTAIN, f"text with {named[0][1]} lines as {named[0][0]} prints them", per_file_run=own)
    if found := production_columns(keys):
        return Claim(0.0, f"rows of a model in production ({', '.join(found[:3])}): give it a [monitor]", nearly=True)
    recurring = [key for key, n in keys.items() if n >= _ENOUGH_GENERAL and _is_told(key, key in stands)]
    if recurring:
        return Claim(LIKELY, f"text in which {', '.join(recurring[:3])} recur", per_file_run=own)
    return Claim(0.0, _why_not(len(lines), dialects), nearly=bool(dialects))


def _why_not(lines: int, dialects: Counter[str]) -> str:
    found = ", ".join(f"{n} as {name}" for name, n in dialects.most_common(3))
    return (
        f"text: {lines:,} lines looked at for metrics of known trainers and for pairs that recur; found"
        f" {found or 'none'}, needed {_ENOUGH} of a trainer or {_ENOUGH_GENERAL} with the same metric"
    )


def _is_json(raws: Iterable[bytes]) -> bool:
    """Whether most lines are JSON objects."""
    votes = []
    for raw in raws:
        if line := raw.strip():
            votes.append(line.startswith(b"{") and _parses(line))
    return bool(votes) and sum(votes) * 2 > len(votes)


def _parses(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_told(key: str, with_axis: bool) -> bool:
    """Whether a recurring key is certainly a training's."""
    words = re.findall(r"[a-z]+\d*", key.lower())
    return metric_like(key) and (with_axis or metric_like("_".join(word for word in words if word not in _PROSE)))


def _is_of_folder(head: Head) -> bool:
    """Whether the file is one view of its folder's run: by its own name, its folder's, or the logs beside it."""
    stem = re.split(r"[^a-z0-9]+", head.name.lower())
    plain = [word for word in stem if word and not word.isdigit()]
    if view_of_folder(head.name) or (plain and set(plain) <= _RUN_WORDS and head.name.lower() != "nohup.out"):
        return True
    parents: Sequence[str] = head.path.parts[:-1]
    if parents and _HYDRA_FOLDER.fullmatch(parents[-1]) and {"outputs", "multirun"} & set(parents):
        return True
    return any(
        _STRUCTURED.fullmatch(name) or (name.lower().endswith(_TABLES) and view_of_folder(name))
        for name in head.siblings
    )
