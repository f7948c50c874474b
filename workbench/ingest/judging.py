"""What is found in a run: which of its series are worth a look, and what a diagnosis of them says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from workbench.analysis.diagnosis import Curve, diagnose, is_judged
from workbench.analysis.diagnosis_pace import Rhythm, is_gpu_use, rhythm
from workbench.core.config import Config
from workbench.core.roles import roles_for, words_of
from workbench.store.run_findings import CurveRows, Judgement, SeriesState

MOST = 24
"""Series of a run that are judged; a model logs one for every layer."""


class Judging:
    """Judges one run at a time; what cannot be judged is told, and keeps nothing else from being."""

    def __init__(self, config: Config, tell: Callable[[str], None]) -> None:
        self._config = config
        self._tell = tell

    def worth(self, states: Sequence[SeriesState]) -> list[SeriesState]:
        """Those of a run's series that are worth a look, and the one that is furthest, for its pace."""
        judged = []
        for state in states:
            roles = roles_for(state.key, self._config.metrics)
            if is_judged(state.key, roles.kind, roles.direction):
                judged.append((roles.kind != "performance", "loss" not in words_of(state.key), state.key, state))
        chosen = [each[-1] for each in sorted(judged, key=lambda each: each[:-1])[:MOST]]
        furthest = max(states, key=lambda state: (state.last_step, state.n, state.key))
        return chosen if furthest in chosen else [*chosen, furthest]

    def judge(self, run: str, commit: int, states: Sequence[SeriesState], rows: Mapping[int, CurveRows]) -> Judgement:
        """What is found in these series, from their points; those without points have no say."""
        curves = [self._curve(state, rows[state.series_id]) for state in states if state.series_id in rows]
        walls = [state.last_wall for state in states if state.last_wall is not None and math.isfinite(state.last_wall)]
        told = [state for state in states if not is_gpu_use(state.key)]
        active = [state.last_wall for state in told if state.last_wall is not None and math.isfinite(state.last_wall)]
        points = sum(state.n for state in states)
        try:
            findings = diagnose(curves, max(active, default=max(walls, default=None)))
            pace = _rhythm(states, rows)
        except Exception as error:  # noqa: BLE001 - a mistake in a rule must not keep logs from being read
            self._tell(f"run {run}: not judged: {error!r}")
            return Judgement(run, commit, points)
        return Judgement(run, commit, points, findings, pace.gap, pace.pace)

    def _curve(self, state: SeriesState, rows: CurveRows) -> Curve:
        return Curve(
            state.key, roles_for(state.key, self._config.metrics), rows.step, rows.wall, rows.value, rows.low,
            rows.high, state.n, state.not_finite, rows.broken_from,
        )  # fmt: skip


def _rhythm(states: Sequence[SeriesState], rows: Mapping[int, CurveRows]) -> Rhythm:
    """Of the series that is furthest and has times."""
    for state in sorted(states, key=lambda state: (-state.last_step, -state.n, state.key)):
        found = rows.get(state.series_id)
        if found is not None and np.isfinite(found.wall).sum() > 3:
            per_row = state.n / max(len(found.step), 1)
            told = rhythm(found.step, found.wall)
            return Rhythm(None if told.gap is None else told.gap / max(per_row, 1.0), told.pace)
    return Rhythm()
