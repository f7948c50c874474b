"""What is worth attention in a monitor's windows: what changed, since when, and what moved with it."""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from workbench.core.model import Finding, Roles, Window
from workbench.monitor import findings_words as words
from workbench.monitor.findings_plain import plain_findings
from workbench.monitor.findings_weight import SEVERITIES, severity
from workbench.monitor.since import Episode, episodes, with_kin
from workbench.monitor.since_series import WindowSeries, drift_series, metric_series, volume_series

_LEADING = {
    "latency": ("*.p95", "*.p99", "*.p90", "*.p50"),
    "performance": ("auc", "accuracy", "f1", "mae", "rmse", "recall", "precision"),
    "estimated": ("*.auc", "*.accuracy", "*.f1", "*.mae"),
    "business": ("*.mean",),
}
"""The figure that speaks for those of its kind that moved with it."""
_HALVED = 0.6
"""Fewer rows than this share of before are worth a finding, and more than its inverse."""
_RARE = 0.01
"""A share of faulty rows that stays below this is not worth a finding."""
_PASSED = 1.0
"""A column drifts from this strength on."""


def findings_of(
    windows: Sequence[Window], roles: Callable[[str], Roles], *, min_rows: int = 30, now: float | None = None
) -> list[Finding]:
    """The findings of one monitor, the worst first, then the newest.

    windows: oldest first, of every segment. roles: what a metric means. min_rows: windows with fewer rows (for
    performance: rows with a label) are passed over. now: windows that end later are not closed, and not judged.
    """
    by_segment = _closed(windows, now)
    whole = by_segment.pop("", [])
    parts = [
        episode
        for segment in by_segment.values()
        for series in metric_series(segment, roles, min_rows)
        for episode in episodes(series)
    ]
    metrics = _dated(list(metric_series(whole, roles, min_rows)))
    columns = [episode for episode in _dated(list(drift_series(whole))) if _drifted(episode)]
    found = [
        *_changed(metrics, columns, parts),
        *_drift(whole, columns),
        *_volume(whole),
        *plain_findings(whole, {each.series.subject for each in columns if each.until is None}, roles),
        *_only_in_segments(metrics, parts),
    ]
    return sorted(found, key=worst_first)


def _dated(every: Sequence[WindowSeries]) -> list[Episode]:
    return with_kin([episode for series in every for episode in episodes(series)], every)


def worst_first(finding: Finding) -> tuple[bool, int, float]:
    """Sorts findings: those that go on before those that are over, the worst first, then the newest."""
    return finding.until is not None, -SEVERITIES.index(finding.severity), -(finding.since or 0.0)


def _closed(windows: Sequence[Window], now: float | None) -> dict[str, list[Window]]:
    """Windows by segment, those that are still open left out."""
    found: dict[str, list[Window]] = defaultdict(list)
    for window in sorted(windows, key=lambda window: window.start):
        if now is None or window.end <= now:
            found[window.segment].append(window)
    return dict(found)


def _changed(
    metrics: Sequence[Episode], columns: Sequence[Episode], parts: Sequence[Episode]
) -> Iterator[Finding]:  # fmt: skip
    """A finding for each kind of metric and date, with the columns and segments that moved then."""
    by_kind: dict[str, list[Episode]] = defaultdict(list)
    for episode in metrics:
        by_kind[episode.series.kind].append(episode)
    measured = by_kind["performance"]
    for own in by_kind.values():
        for group in _together(own, _speaks):
            lead = group[0]
            if lead.series.kind in ("missing", "quality") and max(lead.before, lead.after) < _RARE:
                continue
            if lead.series.kind == "estimated" and any(lead.sense == m.sense and m.overlaps(lead) for m in measured):
                continue  # labels came, and say the same
            told = (lead.series.subject, lead.sense)
            segments = [part for part in parts if (part.series.subject, part.sense) == told and lead.overlaps(part)]
            yield _finding(group, moved_with(lead, columns), sorted(segments, key=_by_effect))


def _drift(whole: Sequence[Window], columns: Sequence[Episode]) -> Iterator[Finding]:
    """A finding for the columns that began to drift together."""
    for group in _together(columns, lambda episode: -(episode.after - episode.before)):
        lead = group[0]
        at = whole[min(lead.at, len(whole) - 1)]
        tested = sum(column.status in ("ok", "drift") for column in at.columns)
        share = len(group) / tested if tested else None
        yield Finding(
            "drift", lead.series.subject, severity(lead, share), words.drifted(group, tested), lead.since, lead.ended,
            lead.change.confidence, words.evidence(lead, [], group, ()), lead.series.windows[0].monitor,
        )  # fmt: skip


def _volume(whole: Sequence[Window]) -> Iterator[Finding]:
    """Rows that became far fewer, or far more."""
    series = volume_series(whole)
    for episode in episodes(series) if series is not None else ():
        ratio = episode.after / episode.before if episode.before else 1.0
        if not _HALVED < ratio < 1 / _HALVED:
            yield _finding([episode], (), ())


def _only_in_segments(metrics: Sequence[Episode], parts: Iterable[Episode]) -> Iterator[Finding]:
    """What changed in a segment, and not in the population at that time."""
    by_segment: dict[tuple[str, str], list[Episode]] = defaultdict(list)
    for part in parts:
        subject = part.series.subject
        if not any(each.series.subject == subject and each.overlaps(part) for each in metrics):
            by_segment[part.series.segment, part.series.kind].append(part)
    for own in by_segment.values():
        for group in _together(own, _speaks):
            yield _finding(group, (), ())


def _finding(group: Sequence[Episode], moved: Sequence[Episode], segments: Sequence[Episode]) -> Finding:
    lead, window = group[0], group[0].series.windows[0]
    return Finding(
        lead.series.kind, lead.series.subject, severity(lead), words.changed(group, moved, segments), lead.since,
        lead.ended, lead.change.confidence, words.evidence(lead, group[1:], moved, segments), window.monitor,
        window.segment,
    )  # fmt: skip


def moved_with(lead: Episode, columns: Iterable[Episode]) -> list[Episode]:
    """The columns that began to drift when something else changed, the strongest first."""
    moved = [column for column in columns if lead.overlaps(column) or column.overlaps(lead)]
    return sorted(moved, key=lambda column: -(column.after - column.before))


def _drifted(episode: Episode) -> bool:
    """Whether a column's score rose past its threshold, and its windows were judged to drift."""
    if episode.sense != "worse" or episode.after < _PASSED:
        return False
    inside = episode.series.windows[episode.at : episode.until]
    verdicts = [column.drifted for window in inside for column in window.columns if column.column == _name(episode)]
    return 2 * sum(verdicts) >= len(verdicts)


def _name(episode: Episode) -> str:
    return episode.series.subject


def _together(found: Sequence[Episode], rank: Callable[[Episode], float]) -> Iterator[list[Episode]]:
    """Episodes of one date, sense and end as one group, the one that ranks first leading."""
    left = sorted(found, key=lambda episode: (rank(episode), _by_effect(episode)))
    while left:
        lead = left[0]
        alike = (lead.sense, lead.until is None, lead.change.shape == "spike")
        group = [
            each for each in left
            if each is lead or ((each.sense, each.until is None, each.change.shape == "spike") == alike
                                and lead.overlaps(each))
        ]  # fmt: skip
        yield group
        left = [each for each in left if not any(each is one for one in group)]


def _speaks(episode: Episode) -> float:
    patterns = _LEADING.get(episode.series.kind, ())
    subject = episode.series.subject
    return next((float(at) for at, each in enumerate(patterns) if fnmatch.fnmatch(subject, each)), float(len(patterns)))


def _by_effect(episode: Episode) -> float:
    return -episode.effect
