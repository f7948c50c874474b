"""One stretch of a W&B run file: its records in order, and what they make of the run so far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.batch import Batch, Fact, Points, Purge, Reject
from workbench.readers.own.records import attributes
from workbench.readers.protobuf import BYTES, VARINT, Field, WireError, fields, signed
from workbench.readers.wandb import facts as told
from workbench.readers.wandb.columns import PAD, bodies
from workbench.readers.wandb.console import Console, piece_of
from workbench.readers.wandb.history import HIDDEN, Axes, Rows, joined
from workbench.readers.wandb.items import Unreadable, item, leaves, number, short
from workbench.readers.wandb.log import EXCERPT, Records

if TYPE_CHECKING:
    from numpy.typing import NDArray

HISTORY, SUMMARY, OUTPUT, CONFIG, STATS, ALERT, METRIC, OUTPUT_RAW = 2, 3, 4, 5, 7, 10, 12, 13
RUN, EXIT, PREEMPTING, ENVIRONMENT, OUTPUT_LOGGER = 17, 18, 23, 26, 27
_READ = frozenset(
    {HISTORY, SUMMARY, OUTPUT, CONFIG, STATS, ALERT, METRIC, OUTPUT_RAW, RUN, EXIT}
    | {PREEMPTING, ENVIRONMENT, OUTPUT_LOGGER}
)
SYSTEM = "system/"
"""What the keys of the machine's measurements begin with; their step is in seconds since the run's start."""
_MOST_DEFINED, _MOST_SET = 4096, 256
_GOALS = {1: "min", 2: "max"}


class Reading:
    """What one stretch has said so far, and what was known before."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state: dict[str, Any] = dict(state)
        self.console = Console(dict(state.get("console", {})))
        last = {name: math.nan if value is None else float(value) for name, value in state.get("axes", {}).items()}
        self.axes = Axes(dict(state.get("along", {})), last)
        self.rows = Rows(self.axes, unread=dict(state.get("unread", {})))
        self.own_summary = dict.fromkeys(state.get("set", ()))
        self.facts: dict[tuple[str, str], Fact] = {}
        self.rejects: list[Reject] = []
        self.purges: list[Purge] = []
        self.points: list[Points] = []
        self.stats: list[tuple[str, int, float, float, int]] = []
        self.last: float | None = state.get("last")

    def batch(self, records: Records, skipped: int) -> Batch:
        """Read the records; `skipped` bytes before them are done with."""
        self._records(records)
        self.rejects += records.rejects
        facts = sorted(self.facts.values(), key=lambda fact: fact.offset)
        refused = len(self.rejects) - len(records.rejects)
        message = self._message(records)
        self.state["lost"] = records.lost
        return Batch(
            joined([*self.points, self._stats_points()]), facts, tuple(self.rejects),
            accepted=len(records.at) - refused, consumed=skipped + records.end, state=self._kept(), message=message,
            purges=tuple(self.purges), histograms=tuple(self.rows.histograms), console=tuple(self.console.lines),
        )  # fmt: skip

    def _records(self, records: Records) -> None:
        """Take in all records: rows of history together, as far as no definition of a metric comes between."""
        padded = records.data + bytes(PAD)
        lo, hi = np.array(records.lo, np.int64), np.array(records.hi, np.int64)
        body_lo, body_hi = bodies(padded, lo, hi, HISTORY)
        rows, done = np.flatnonzero(body_lo), 0
        others = np.flatnonzero(body_lo == 0)
        summary_lo, summary_hi = (found.tolist() for found in bodies(padded, lo[others], hi[others], SUMMARY))
        for i, start, end in zip(others.tolist(), summary_lo, summary_hi, strict=True):
            try:
                if start:
                    self._summary(padded, Field(SUMMARY, BYTES, start, end), records.at[i])
                    continue
                body = _body(records.data, records.lo[i], records.hi[i])
                if body is None:
                    continue
                if body.number in (METRIC, EXIT, ALERT, HISTORY):
                    until = int(np.searchsorted(rows, i))
                    self._history(padded, rows[done:until], body_lo, body_hi, records)
                    done = until
                if body.number == HISTORY:  # its fields came in an unusual order
                    body_lo[i], body_hi[i] = body.lo, body.hi
                    self._history(padded, np.array([i]), body_lo, body_hi, records)
                else:
                    self._one(records.data, body, records.at[i])
            except (WireError, Unreadable) as error:
                self._refuse(records, i, f"E202 not a W&B record: {error}")
        self._history(padded, rows[done:], body_lo, body_hi, records)

    def _history(
        self, padded: bytes, rows: NDArray[np.intp], lo: NDArray[np.int64], hi: NDArray[np.int64], records: Records
    ) -> None:
        """Read some records as rows of history, together."""
        if not len(rows):
            return
        offset = np.array([records.at[i] for i in rows.tolist()], np.int64)
        points = self.rows.read(padded, offset, lo[rows], hi[rows])
        self.points.append(points)
        for row, reason in self.rows.refused:
            self._refuse(records, int(rows[row]), reason)
        self.rows.refused.clear()
        self.remember(self.rows.facts.values())
        self.rows.facts.clear()
        walls = points.wall[np.isfinite(points.wall)]
        if len(walls):
            self.seen(float(walls.max()))

    def _one(self, data: bytes, body: Field, at: int) -> None:
        """Take in a record that is no row of history."""
        match body.number:
            case 3:
                self._summary(data, body, at)
            case 4 | 13 | 27:
                self._output(data, body, at)
            case 5:
                self._config(data, body, at)
            case 7:
                self._stats(data, body, at)
            case 10:
                self.remember([told.alert_fact(data, body, self.last, at)])
            case 12:
                self._metric(data, body, at)
            case 17:
                self._run(data, body, at)
            case 18:
                self._exit(data, body, at)
            case 23:
                self.state["preempting"] = True
            case 26:
                self.remember(told.environment_facts(data, body, at))

    def remember(self, facts: Iterable[Fact]) -> None:
        """Keep facts; of several about one thing the one that stands last in the file holds."""
        for fact in facts:
            known = self.facts.get((fact.kind, fact.key))
            if known is None or known.offset <= fact.offset:
                self.facts[fact.kind, fact.key] = fact

    def seen(self, wall: float | None) -> None:
        """Note a time of the run; the latest is when it ended."""
        if wall is not None and (self.last is None or wall > self.last):
            self.last = wall

    def _run(self, data: bytes, body: Field, at: int) -> None:
        self.remember(told.run_facts(data, body, at))
        start = told.start_of(data, body)
        if start is not None:
            self.state["start"] = start
            self.seen(start)
        for part in fields(data, body.lo, body.hi):
            if part[:2] == (told.CONFIG_IN_RUN, BYTES):
                self._config(data, part, at)
        step = told.rewound_to(data, body)
        if step is not None and self.state.get("rewound") != step:
            self.state["rewound"] = step
            self.purges.append(Purge(step + 1, at))

    def _config(self, data: bytes, body: Field, at: int) -> None:
        """Parameters by dotted key, nested ones merged as W&B does; one that is taken away has no value any more."""
        for part in fields(data, body.lo, body.hi):
            if part.wire != BYTES or part.number not in (1, 2):
                continue
            one = item(data, part)
            path = ".".join(one.path)
            if one.path[0] == "_wandb":
                continue
            tree = one.value if isinstance(one.value, dict) and "_type" not in one.value and part.number == 1 else None
            new = {path: None if part.number == 2 else one.value} if tree is None else dict(leaves(tree, f"{path}."))
            self.remember(attributes("param", {name: short(value) for name, value in new.items()}, None, at))

    def _summary(self, data: bytes, body: Field, at: int) -> None:
        """What was set by hand, and what `define_metric` asked for; W&B's own copy of each row is passed over."""
        copied = data.find(b"_runtime", body.lo, body.hi) >= 0 or data.find(b"_timestamp", body.lo, body.hi) >= 0
        if copied and not self._may_tell(data, body):
            return
        for part in fields(data, body.lo, body.hi):
            if part.wire != BYTES or part.number not in (1, 2) or (copied and not self._may_tell(data, part)):
                continue
            one = item(data, part)
            if one.path[0] in HIDDEN:
                continue
            name = ".".join(one.path)
            if isinstance(one.value, dict):
                found = dict(leaves(one.value, f"{name}.")) if "_type" not in one.value else {}
            elif copied and name not in self.own_summary:
                continue
            else:
                found = {name: None if part.number == 2 else one.value}
                if not copied and len(self.own_summary) < _MOST_SET:
                    self.own_summary[name] = None
            shown = {key: short(value) for key, value in found.items() if not isinstance(value, dict)}
            self.remember(attributes("summary", shown, None, at))

    def _may_tell(self, data: bytes, part: Field) -> bool:
        """Whether a copy of a row holds an aggregate, or a key that was set by hand before."""
        if data.find(b"{", part.lo, part.hi) >= 0:
            return True
        return bool(self.own_summary) and any(
            data.find(name.encode("utf-8", "replace"), part.lo, part.hi) >= 0 for name in self.own_summary
        )

    def _metric(self, data: bytes, body: Field, at: int) -> None:
        name, step_metric, goal = told.metric_of(data, body)
        if name and step_metric and not step_metric.startswith("_") and len(self.axes.named) < _MOST_DEFINED:
            self.axes.named[name] = step_metric
        if name and goal in _GOALS:
            self.remember([Fact("goal", _GOALS[goal], name, None, at)])

    def _output(self, data: bytes, body: Field, at: int) -> None:
        if body.number == OUTPUT_LOGGER:
            words = next((data[f.lo : f.hi] for f in fields(data, body.lo, body.hi) if f[:2] == (1, BYTES)), b"")
            self.console.add_line(words.decode("utf-8", "replace"), at)
            return
        stream, wall, words_said = piece_of(data, body)
        self.seen(wall)
        self.console.add(stream, wall, words_said, at)

    def _stats(self, data: bytes, body: Field, at: int) -> None:
        wall, found = told.stats_of(data, body)
        if wall is None:
            return
        self.seen(wall)
        step = math.floor(wall - self.state.setdefault("start", wall))
        for name, value in found:
            measured = number(value)
            if measured is not None:
                self.stats.append((SYSTEM + name, step, wall, measured, at))

    def _exit(self, data: bytes, body: Field, at: int) -> None:
        code = 0
        for part in fields(data, body.lo, body.hi):
            if part[:2] == (1, VARINT):
                code = signed(data, part)
            elif part[:2] == (3, VARINT) and data[part.lo]:
                return  # the run goes on elsewhere
        self.console.finish(self.last, at)
        self.remember(told.exit_facts(code, self.last, at, preempted=bool(self.state.get("preempting"))))

    def _refuse(self, records: Records, i: int, reason: str) -> None:
        lo, hi = records.lo[i], records.hi[i]
        self.rejects.append(Reject(records.at[i], hi - lo, reason, records.data[lo : min(hi, lo + EXCERPT)]))

    def _stats_points(self) -> Points:
        """Measurements of the machine as points."""
        keys: dict[str, int] = {}
        key = np.array([keys.setdefault(row[0], len(keys)) for row in self.stats], np.int32)
        step = np.array([row[1] for row in self.stats], np.int64)
        wall, value = np.array([row[2:4] for row in self.stats], np.float64).reshape(-1, 2).T
        offset = np.array([row[4] for row in self.stats], np.int64)
        return Points(tuple(keys), key, step, wall, value, offset)

    def _kept(self) -> dict[str, Any]:
        axes = {name: None if math.isnan(value) else value for name, value in self.axes.last.items()}
        state = self.state | {
            "console": self.console.held, "axes": axes, "along": self.axes.named, "unread": self.rows.unread,
            "set": list(self.own_summary), "last": self.last,
        }  # fmt: skip
        return {name: value for name, value in state.items() if value not in (None, False, {}, [])}

    def _message(self, records: Records) -> str:
        counts = ", ".join(f"{kind} {n}" for kind, n in sorted(self.rows.unread.items()))
        rest = ""
        if records.rest == "zeros":
            rest = "the last bytes have not arrived yet"
        elif records.rest == "damaged":
            rest = "damaged in the last block; what follows it will be read"
        return "; ".join(part for part in (rest, f"not read: {counts}" if counts else "") if part)


def _body(data: bytes, lo: int, hi: int) -> Field | None:
    """The field of a record that says what it is about; None for kinds that are not read."""
    for field in fields(data, lo, hi):
        if field.wire == BYTES and field.number in _READ:
            return field
    return None
