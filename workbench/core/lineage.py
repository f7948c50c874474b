"""Which run a released model came from."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.model import Run

PRODUCTION = "production"


def trained_by(runs: Sequence[Run], monitor: str, reference: str | None = None) -> Run | None:
    """The run of a monitor's reference by id, name or path, else the newest tagged `production` for it or for any.

    runs: newest first. A tag `production` with a value stands for the monitor of that name alone.
    """
    if reference is not None:
        return next((run for run in runs if reference in (run.id, run.name, run.path)), None)
    tagged = [run for run in runs if PRODUCTION in run.tags]
    own = next((run for run in tagged if run.tags[PRODUCTION] == monitor), None)
    return own or next((run for run in tagged if run.tags[PRODUCTION] in ("", "True", "true")), None)
