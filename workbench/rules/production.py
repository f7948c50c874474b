"""What gates measure of production: the newest closed window with enough rows, and what is said of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.config import MonitorConfig
from workbench.core.model import Finding, Window
from workbench.core.moments import window_name
from workbench.core.query import Query
from workbench.core.strength import drift_share
from workbench.core.where import nearest_key
from workbench.rules.unanswerable import Unanswerable, hint

_MIN_ROWS = 30
_LABELLED = "labelled.share"
_MISSING = "quality.missing."
_WORTH_A_GATE = ("bad", "warn")


class Production:
    """One look at the monitors: windows and findings are asked for once, and each judged window is remembered.

    monitors: the configuration, for the rows a window needs. now: windows that end later are not closed; None takes all
    for closed. back: how many of the newest closed windows to leave out, as if it were so long ago.
    """

    def __init__(
        self, query: Query, monitors: Mapping[str, MonitorConfig] | None = None, now: float | None = None,
        back: int = 0, shared: Production | None = None,
    ) -> None:  # fmt: skip
        self._query = query
        self._monitors = monitors or {}
        self._now = now
        self._back = back
        self._windows: dict[str, list[Window]] = {} if shared is None else shared._windows
        self._findings: dict[str, list[Finding]] = {} if shared is None else shared._findings
        self._names: list[str] = list(query.monitors()) if shared is None else shared._names
        self.judged: dict[str, Window] = {}
        """The window that was judged, by monitor."""
        self.remarks: list[str] = []
        """Why it is not the newest one."""

    @property
    def names(self) -> Sequence[str]:
        """Every monitor."""
        return self._names

    def at(self, back: int) -> Production:
        """The same project as if the newest `back` closed windows had not come yet."""
        return Production(self._query, self._monitors, self._now, back, self)

    def afresh(self) -> Production:
        """The same, for another gate."""
        return self.at(self._back)

    def closed(self, monitor: str) -> list[Window]:
        """Closed windows of the whole population, oldest first.

        Raises:
            Unanswerable: no such monitor, or no such window.
        """
        if monitor not in self._names:
            known = self._names
            raise Unanswerable(
                f"no monitor {monitor!r}"
                + (hint(monitor, known) if known else " – define one under [monitor.NAME] in workbench.toml")
            )
        if monitor not in self._windows:
            self._windows[monitor] = [window for window in self._query.windows(monitor) if not window.segment]
        windows = self._windows[monitor]
        closed = [window for window in windows if self._now is None or window.end <= self._now]
        kept = closed[: len(closed) - self._back]
        if not kept:
            open_one = " that is closed" if windows and not closed else ""
            raise Unanswerable(
                f"monitor {monitor!r} has no window{open_one} yet – read its exports with: workbench watch --once"
            )
        return kept

    def window(self, monitor: str, key: str = "") -> Window:
        """The newest closed window with enough rows, or for what needs labels, with enough labels.

        Raises:
            Unanswerable: there is none.
        """
        windows = self.closed(monitor)
        least = self._least(monitor)
        labels = key != "" and self._needs_labels(key, windows)
        rows = [_labelled(window) if labels else window.rows for window in windows]
        at = next((at for at in reversed(range(len(windows))) if rows[at] >= least), None)
        what = "rows with a label" if labels else "rows"
        if at is None:
            raise Unanswerable(
                f"no window of {monitor!r} has the {least:,} {what} a verdict needs (most: {max(rows):,})"
            )
        if at < len(windows) - 1:
            newest = f"the newest window of {monitor}, {window_name(windows[-1])}"
            self._remark(f"{newest}, has {rows[-1]:,} {what}, fewer than {least:,}")
        self.judged[monitor] = windows[at]
        return windows[at]

    def _least(self, monitor: str) -> int:
        found = self._monitors.get(monitor)
        return found.window.min_rows if found is not None else _MIN_ROWS

    def _needs_labels(self, key: str, windows: Sequence[Window]) -> bool:
        counted = any(window.metrics.get(_LABELLED) is not None for window in windows)
        return (
            counted
            and key != "error_rate"
            and not key.startswith("estimated.")
            and self._query.roles(key).kind == "performance"
        )

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

    def metric(self, monitor: str, key: str) -> float:
        """A metric of the judged window; `rows` of the newest closed one, however few they are."""
        if key == "rows":
            window = self.closed(monitor)[-1]
            self.judged[monitor] = window
            return float(window.rows)
        window = self.window(monitor, key)
        value = window.metrics.get(key)
        if value is not None:
            return value
        if key in window.metrics:
            raise Unanswerable(f"{key} of the newest window of {monitor!r}, {window_name(window)}, has no value")
        raise Unanswerable(f"windows of {monitor!r} have no {key!r}{hint(key, window.metrics)}")

    def drift(self, monitor: str, part: str) -> float:
        """`share`, `drifted` or `tested` of the judged window's columns."""
        window = self.window(monitor)
        tested = [column for column in window.columns if column.status in ("ok", "drift")]
        if part == "tested":
            return float(len(tested))
        share = drift_share(window)
        if share is None:
            untested = sorted({column.status for column in window.columns})
            why = f"its columns are {', '.join(untested)}" if untested else "it has no column to test"
            raise Unanswerable(f"no column of the newest window of {monitor!r} could be tested: {why}")
        return float(sum(column.drifted for column in tested)) if part == "drifted" else share

    def missing(self, target: str) -> float:
        """The share of values that a column lacks, of `monitor.column`."""
        monitor, column = self.split(target)
        window = self.window(monitor)
        value = window.metrics.get(f"{_MISSING}{column}")
        if value is not None:
            return value
        found = next((each for each in window.columns if each.column == column), None)
        if found is not None and window.rows:
            return max(0.0, 1.0 - found.n_current / window.rows)
        known = {key.removeprefix(_MISSING) for key in window.metrics if key.startswith(_MISSING)}
        names = sorted(known | {each.column for each in window.columns})
        raise Unanswerable(f"windows of {monitor!r} have no column {column!r}{hint(column, names)}")

    def split(self, target: str) -> tuple[str, str]:
        """`monitor.rest` by the longest monitor that fits."""
        fits = [name for name in self._names if target.startswith(f"{name}.") and len(target) > len(name) + 1]
        if not fits:
            near = nearest_key(target.partition(".")[0], self._names)
            raise Unanswerable(f"{target!r} begins with no monitor" + (f" – did you mean {near!r}?" if near else ""))
        name = max(fits, key=len)
        return name, target[len(name) + 1 :]

    def findings(self, monitor: str, part: str) -> float:
        """Findings that go on at the end of the newest closed window: bad ones and warnings, or of one severity."""
        window = self.closed(monitor)[-1]
        self.judged[monitor] = window
        wanted = (part,) if part else _WORTH_A_GATE
        return float(sum(each.severity in wanted for each in self.going_on(monitor, window.end)))

    def going_on(self, monitor: str, at: float) -> list[Finding]:
        """Findings of a monitor that had begun before a moment, a window's end, and were not over."""
        if monitor not in self._findings:
            self._findings[monitor] = list(self._query.findings(monitor))
        return [
            each for each in self._findings[monitor]
            if (each.since is None or each.since < at) and (each.until is None or each.until > at)
        ]  # fmt: skip

    def sentence(self, monitor: str, key: str) -> str:
        """What is known of a metric, or of `drift` or `missing`, that fails: what and since when; empty for nothing."""
        window = self.judged.get(monitor)
        if window is None:
            return ""
        found = [each for each in self.going_on(monitor, window.end) if not each.segment and _is_about(each, key)]
        return found[0].sentence if found else ""


def _is_about(finding: Finding, key: str) -> bool:
    also = finding.evidence.get("also", ())
    subjects = {finding.subject, *(each.get("subject") for each in also if isinstance(each, dict))}
    return key in subjects or key == finding.kind


def _labelled(window: Window) -> int:
    share = window.metrics.get(_LABELLED)
    return round(window.rows * share) if share is not None else 0
