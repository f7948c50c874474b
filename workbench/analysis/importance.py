"""Which parameters matter for a metric: what a random forest loses without each, and how ranks go together.

Both are worked out in a process of their own. A forest also sees what parameters do together; a rank correlation says
which way, and how likely chance alone gives as much. Runs that diverged do not decide: the forest learns the order of
the runs, not their values.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from workbench.core.compare_columns import RunColumn

LEAST_RUNS = 8
"""Fewer runs than this tell nothing of several parameters at once."""
SURE = 0.05
"""An adjusted p-value from which on a correlation counts as real."""
_MOST_RUNS = 1_000
_SECONDS = 120.0
_KEPT = 16


class ImportanceError(RuntimeError):
    """Importance cannot be told of these runs; the message says why and what would help."""


class Importance(Struct, frozen=True):
    """One parameter: the forest's view of it, and its ranks'."""

    key: str
    loss: float
    """Share of the order of unseen runs that the forest no longer explains with this parameter shuffled."""
    error: float
    """Standard error of `loss`: over runs, and over forests grown anew on other splits."""
    rank: float | None
    """Spearman's coefficient; the root of the share explained, without a sign, for more than two names."""
    rank_low: float | None
    rank_high: float | None
    """Interval of 95 % around `rank`; None for names."""
    p: float | None
    """How often chance gives as strong a rank correlation, adjusted for the number of parameters (Holm)."""
    n: int
    """Runs that have the parameter."""
    best: str = ""
    """Of names the one with the best runs."""
    around: float | None = None
    """Of numbers the median among the best quarter of the runs; None for names."""


class Importances(Struct, frozen=True):
    """All parameters that differ, the most important first, and how far the forest can be believed."""

    params: Sequence[Importance]
    explained: float
    """Share of the order of unseen runs that the forest explains: at or below 0 it has learnt nothing."""
    runs: int
    together: Sequence[tuple[str, str]] = ()
    """Parameters that were always changed together: nothing tells one from the other."""


def importance_of(columns: Sequence[RunColumn], target: RunColumn) -> Importances:
    """Importance of parameters for a metric over the runs that have it, worked out once for the same values.

    Raises:
        ImportanceError: too few runs, no parameter that differs, a metric that does not, or the worker failed.
    """
    asked = _asked(columns, target)
    key = hashlib.blake2b(json.dumps(asked).encode(), digest_size=16).digest()
    with _LOCK:
        if key in _FOUND:
            _FOUND.move_to_end(key)
            return _FOUND[key]
    found = _read(_work(asked))
    with _LOCK:
        _FOUND[key] = found
        while len(_FOUND) > _KEPT:
            _FOUND.popitem(last=False)
    return found


_FOUND: OrderedDict[bytes, Importances] = OrderedDict()
_LOCK = threading.Lock()


def _asked(columns: Sequence[RunColumn], target: RunColumn) -> dict[str, Any]:
    """What the worker is given: places of the runs that have the metric."""
    known = [at for at, value in enumerate(target.values) if isinstance(value, float)][:_MOST_RUNS]
    title = target.title
    if len(known) < LEAST_RUNS:
        raise ImportanceError(
            f"{len(known)} ended runs have {title!r}; importance needs {LEAST_RUNS} or more. "
            "Fewer cannot tell one parameter's effect from another's."
        )
    order = [target.values[at] for at in known]
    if len(set(order)) < 3:
        raise ImportanceError(f"{title!r} is the same in nearly all of these runs: there is nothing to explain")
    used = [column for column in columns if len({column.values[at] for at in known} - {None}) > 1]
    if not used:
        raise ImportanceError("no parameter differs among these runs, the seed aside: there is nothing to weigh")
    return {
        "target": order,
        "higher": target.direction != "lower",
        "columns": [
            {
                "key": column.key,
                "places": [column.places[at] for at in known],
                "names": list(column.names),
            }
            for column in used
        ],
    }


def _work(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have a process of its own learn; scikit-learn is never loaded into this one."""
    # -P: a file of the project named like a library must not be imported in its place.
    command = [sys.executable, "-P", "-m", "workbench.analysis.importance_worker"]
    try:
        ended = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8", errors="replace",
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ImportanceError(f"the forest was not grown within {_SECONDS:.0f} s; mark fewer runs") from error
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if line.strip()]
        raise ImportanceError(f"no importance: {said[-1] if said else f'exit status {ended.returncode}'}")
    answer: Mapping[str, Any] = json.loads(ended.stdout)
    return answer


def _read(answer: Mapping[str, Any]) -> Importances:
    params = sorted((Importance(**each) for each in answer["params"]), key=lambda each: -each.loss)
    together = [(str(one), str(other)) for one, other in answer["together"]]
    return Importances(params, float(answer["explained"]), int(answer["runs"]), together)
