"""Why a gate's term has no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.where import nearest_key


class Unanswerable(ValueError):
    """A term has no value; the message says why, and what would help."""


def hint(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    """` – did you mean 'x'?` for the nearest known name, else the names there are."""
    near = nearest_key(name, known)
    if near is not None:
        return f" – did you mean {near!r}?"
    names = sorted(known)
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f" – it has: {listed}" if names else " – it has none"
