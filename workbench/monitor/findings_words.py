"""Findings as sentences: what, from what to what, since when and how surely, and what moved with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.core import units
from workbench.core.moments import moment
from workbench.monitor.since import Episode

_NAMED = 3
"""Columns that are named; of the others it is said how many they are."""


def changed(group: Sequence[Episode], moved: Sequence[Episode], segments: Sequence[Episode]) -> str:
    """One sentence on a metric and those of its kind, the columns and the segments that moved with it."""
    lead = group[0]
    parts = [_what(lead)]
    if len(group) > 1:
        parts.append(f"{named([each.series.subject for each in group[1:]])} too")
    if moved:
        parts.append(f"{named([each.series.subject for each in moved])} moved in the same window")
    if segments:
        most = segments[0]
        parts.append(
            f"most in segment {most.series.segment} ({_value(most, most.before)} to {_value(most, most.after)})"
        )
    return "; ".join(parts)


def drifted(group: Sequence[Episode], tested: int) -> str:
    """One sentence on the columns that began to drift together."""
    lead = group[0]
    times = f"{units.number(lead.after, 2)} times its threshold"
    if len(group) == 1:
        return f"{lead.series.subject} drifted {when(lead)}: {times}, {units.number(lead.before, 2)} times before"
    names = named([each.series.subject for each in group])
    of = f"{len(group)} of {max(tested, len(group))} columns"
    return f"{of} drifted {when(lead)}: {names}; {lead.series.subject} {times}"


def named(names: Sequence[str]) -> str:
    """A few names in one phrase."""
    rest = len(names) - _NAMED
    if rest > 1:
        return f"{', '.join(names[:_NAMED])} and {rest} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def when(episode: Episode) -> str:
    """Since when, or from when to when, with how surely that is known."""
    since = moment(episode.since, episode.series.windows)
    sure = certainty(episode.off, episode.change.confidence)
    if episode.ended is None:
        return f"since {since} ({sure})"
    return f"from {since} to {moment(episode.ended, episode.series.windows)} ({sure})"


def certainty(off: int, confidence: float) -> str:
    """`± 1 window, 98 %`; at most 99 %, as no more is known of the tail of noise."""
    date = f"± {off} window{'' if off == 1 else 's'}, " if off else ""
    return f"{date}{min(math.floor(100 * confidence), 99)} %"


def _what(episode: Episode) -> str:
    """A metric's change; a segment's by name."""
    subject = _subject(episode)
    before, after = _value(episode, episode.before), _value(episode, episode.after)
    if episode.change.shape == "spike":
        at, sure = moment(episode.since, episode.series.windows), certainty(0, episode.change.confidence)
        if episode.until is None:
            return f"{subject} is {after} in the newest window, {at}, and was {before} before ({sure})"
        return f"{subject} was {after} in the one window of {at}, and {before} around it ({sure})"
    verb = "rose" if episode.after > episode.before else "fell"
    if episode.change.shape == "slope":
        drawn = "rising" if episode.after > episode.before else "falling"
        if episode.until is None:
            return f"{subject} has been {drawn} {when(episode)}, from {before} to {after}"
        return f"{subject} was {drawn} {when(episode)}, from {before} to {after}"
    if episode.until is None:
        return f"{subject} {verb} from {before} to {after} {when(episode)}"
    return f"{subject} {verb} from {before} to {after} {when(episode)}, and came back"


def _subject(episode: Episode) -> str:
    series = episode.series
    name = series.subject
    if series.kind == "missing":
        name = f"the missing share of {name.split('.', 2)[-1]}"
    elif series.kind == "quality":
        _, fault, *column = name.split(".", 2)
        name = f"the {fault.replace('_', ' ')} share of {column[0]}" if column else fault.replace("_", " ")
    elif series.kind == "estimated":
        name = f"{name.split('.', 1)[-1]}, estimated without labels,"
    elif series.kind == "volume":
        name = "rows a window"
    return f"{name} in segment {series.segment}" if series.segment else name


def _value(episode: Episode, amount: float) -> str:
    return units.value(amount, episode.series.unit)


def evidence(
    lead: Episode, also: Sequence[Episode], moved: Sequence[Episode], segments: Sequence[Episode]
) -> dict[str, Any]:
    """The numbers behind a finding, as plain JSON."""
    windows = lead.series.windows
    return {
        "shape": lead.change.shape,
        "before": lead.before,
        "after": lead.after,
        "unit": lead.series.unit,
        "effect_sd": _finite(lead.effect),
        "off_windows": lead.off,
        "earliest": windows[lead.change.low].start,
        "latest": windows[min(lead.change.high, len(windows) - 1)].start,
        "also": [{"subject": each.series.subject, "before": each.before, "after": each.after} for each in also],
        "moved": [
            {"column": each.series.subject, "since": each.since, "before": each.before, "after": each.after}
            for each in moved
        ],
        "segments": [
            {"segment": each.series.segment, "since": each.since, "before": each.before, "after": each.after}
            for each in segments
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
