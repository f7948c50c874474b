"""Which run a word names: an id, a name, a path, the start of an id, the end of a path, or a part of a name."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.model import Run


def runs_called(runs: Sequence[Run], name: str) -> Sequence[Run]:
    """The runs that a word names: one where it says which, several where it does not, none where no run is called so.

    What is exact goes before what is a part.
    """
    for found in (
        [run for run in runs if name in (run.id, run.name, run.path)],
        [run for run in runs if run.id.startswith(name) or run.path.endswith("/" + name)],
        [run for run in runs if name in run.name],
    ):
        if found:
            return list({run.id: run for run in found}.values())
    return ()
