"""What the ingester itself remembers with a source's cursor, beside what the reader keeps there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

_OWN = "~"
"""Key under which `Own` travels in the cursor's state."""


class Own(Struct, frozen=True):
    """What the ingester itself remembers with a source's cursor."""

    open: bool = False
    """The last line was taken without its end, so a line end that follows is not a line of its own."""
    covers: tuple[str, ...] = ()
    """Patterns of files that are read through this one."""
    many_runs: bool = False
    key_suffix: str = ""
    """What the keys of its points end with."""
    since: int = 0
    """The oldest generation that still shows."""
    replaces: bool = False
    """What this generation brings takes the place of all that shows of older ones."""
    before: int | None = None
    """Lowest step of the older generations that still show."""
    packed: int = 0
    """Size of the compressed file whose content was read; offsets count what it holds."""
    past: tuple[tuple[int, int, str, str], ...] = ()
    """(length, head length, head hash, tail hash) of what was read before the log was truncated; the latest few."""
    run_path: str = ""
    """Path of the source's run, until the store knows the run."""
    timed: bool = False
    """Its points carry times of their own."""
    readers: str = ""
    """The readers that looked into a file in vain."""

    def claimed(self, claim: Own) -> Own:
        """What was read goes on under a new claim."""
        return replace(
            self, covers=claim.covers, many_runs=claim.many_runs, key_suffix=claim.key_suffix, run_path=claim.run_path,
            readers="",
        )  # fmt: skip


def encode_state(state: Mapping[str, Any], own: Own) -> str:
    """What the cursor keeps of a reader's state and of ours; nothing while there is none."""
    if own == _NOTHING:
        return json.dumps(state) if state else ""
    ours = {name: value for name in _NAMES if (value := getattr(own, name)) != getattr(_NOTHING, name)}
    return json.dumps({**state, _OWN: ours})


def reader_state(text: str) -> dict[str, Any]:
    """The reader's part of a cursor's state."""
    state = dict(json.loads(text)) if text else {}
    state.pop(_OWN, None)
    return state


def decode_own(text: str) -> Own:
    """Our part of a cursor's state."""
    ours = dict(json.loads(text)).get(_OWN) if text else None
    if not isinstance(ours, dict):
        return _NOTHING
    tuples = {"covers": tuple(ours.get("covers", ())), "past": tuple(map(tuple, ours.get("past", ())))}
    return Own(**{name: value for name, value in {**ours, **tuples}.items() if hasattr(_NOTHING, name)})


_NOTHING = Own()
_NAMES = Own.__struct_fields__
