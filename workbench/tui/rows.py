"""What the run table shows of its runs: columns, and cells when a row comes into view."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from workbench.core import units
from workbench.core.blocks import Cell, Column, Table
from workbench.core.model import Roles, Run
from workbench.core.status import STATE_MARKS
from workbench.tui.ordering import RunOrder
from workbench.tui.run_columns import ROOMY, GridColumns, Snapshot, fitting, fixed_columns
from workbench.tui.session import ViewState

SAMPLE = 200
"""Runs looked at to choose columns and their widths."""

EXACT = 9
"""Characters up to which a number among the params is shown as it was logged; longer ones are rounded in the table."""


class Choice(Struct, frozen=True):
    """A column that can be shown or sorted by."""

    key: str
    title: str


class RunRows(RunOrder):
    """The rows of the run table, their columns and their cells."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._extras: Sequence[Column] = ()
        self._columns: Sequence[Column] = ()
        self.fixed_count = 0
        """Columns that do not scroll."""

    def take(self, snapshot: Snapshot) -> None:
        """Show what a load of the store gave."""
        super().take(snapshot)
        self._extras = self._choose_extras()

    # Columns

    def choices(self) -> list[Choice]:
        """Every column there is, the fixed ones first."""
        main = self.snapshot.main
        fixed = [Choice("age", "age"), Choice("name", "name"), Choice("state", "state")]
        if main is not None:
            fixed.insert(0, Choice("main", main))
        if self.snapshot.latency is not None:
            fixed.append(Choice("p95", f"p95 of {self.snapshot.latency}"))
        known = [key for key in self._known_keys() if key != f"metric:{main}"]
        return fixed + [Choice(key, key.replace(":", " ", 1)) for key in known]

    def _known_keys(self) -> list[str]:
        kinds: dict[str, Counter[str]] = {"param": Counter(), "tag": Counter(), "metric": Counter()}
        for run in self.snapshot.runs[:SAMPLE]:
            kinds["param"].update(run.params.keys())
            kinds["tag"].update(run.tags.keys())
            kinds["metric"].update(run.metrics.keys())
        return [
            f"{kind}:{key}" for kind, keys in kinds.items() for key in sorted(keys, key=lambda key: (-keys[key], key))
        ]

    def _choose_extras(self) -> Sequence[Column]:
        """A business metric, params that differ between runs, tags, the other metrics, the other params."""
        keys = self._known_keys()
        metrics = [f"metric:{key}" for key in self._metrics_in_order() if key != self.snapshot.main]
        business = [key for key in metrics if self.snapshot.roles[key[7:]].kind == "business"][:1]
        params = [key for key in keys if key.startswith("param:")]
        tags = [key for key in keys if key.startswith("tag:")]
        telling = [key for key in params if self._differs(key[6:])]
        return [self._extra(key) for key in dict.fromkeys([*business, *telling, *tags, *metrics, *params])]

    def _metrics_in_order(self) -> Sequence[str]:
        from workbench.panels.parts import metric_order  # numpy is not wanted before the first paint

        return metric_order(self.snapshot.runs[:SAMPLE], self.snapshot.roles.__getitem__)

    def _differs(self, param: str) -> bool:
        return len({repr(run.params.get(param)) for run in self.snapshot.runs[:SAMPLE]}) > 1

    def _extra(self, key: str) -> Column:
        kind, _, name = key.partition(":")
        unit = self.snapshot.roles.get(name, Roles()).unit if kind == "metric" else ""
        cells = [_extra_cell(run, kind, name, unit) for run in islice(self.snapshot.runs, 40)]
        longest = max((len(_rough(cell, unit)) for cell in cells), default=4)
        numbers = all(isinstance(cell.value, int | float | None) for cell in cells)
        width = max(min(len(name), 14), min(longest, 18), 4)
        return Column(key, name, unit, "right" if numbers else "left", width)

    def columns(self, view: ViewState, width: int, first: int = 0) -> GridColumns:
        """Columns for a grid of this width, the extra ones from `first` on."""
        extras = self._wanted(view)
        fixed = fixed_columns(self.snapshot, width)
        self.fixed_count = len(fixed)
        names = [len(run.name or run.path) for run in islice(self.snapshot.runs, SAMPLE)]
        extras = [replace(each, width=view.widths.get(each.key, each.width)) for each in extras[first:]]
        layout = fitting(fixed, extras, width, max(names, default=0))
        self._columns = layout.columns
        return layout

    @property
    def extra_columns(self) -> Sequence[Column]:
        """The columns that can be turned on and off, as wide as their values ask for."""
        return self._extras

    def table(self, view: ViewState, ids: Sequence[str]) -> Table:
        """These runs under every column there is or that was chosen, whatever there is room for."""
        columns = [*fixed_columns(self.snapshot, ROOMY), *self._wanted(view)]
        return Table(
            columns, [[self._cell(self.by_id[each], column.key) for column in columns] for each in ids], "", ids
        )

    def _wanted(self, view: ViewState) -> Sequence[Column]:
        if view.columns is None:
            return self._extras
        known = {column.key: column for column in self._extras}
        return [known[key] for key in view.columns if key in known]

    def extra_keys(self) -> list[str]:
        """Keys of the columns that can be turned on and off."""
        return [column.key for column in self._extras]

    def extra_count(self, view: ViewState) -> int:
        """How many columns there are besides the fixed ones."""
        return len(self._extras if view.columns is None else view.columns)

    # Cells

    def cells(self, run_id: str) -> Sequence[Cell]:
        """The cells of one row, one for each column last laid out."""
        run = self.by_id[run_id]
        return [self._cell(run, column.key) for column in self._columns]

    def _cell(self, run: Run, key: str) -> Cell:
        if key == "state":
            glyph, _, tone = STATE_MARKS[run.status]
            mark = " !" if run.attention in ("warn", "bad") else ""
            return Cell(run.status, tone, text=f"{glyph} {run.status}{mark}")
        if key == "name":
            return Cell(run.name or run.path, "dim" if run.hidden else "")
        if key == "age":
            return Cell(None, "dim", text=units.age(None if run.started_at is None else self._clock() - run.started_at))
        if key == "spark":
            return Cell("", spark=self.sparks.get(run.id, ()))
        if key == "main":
            summary = run.metrics.get(self.snapshot.main or "")
            if summary is not None and summary.last is not None and math.isnan(summary.last):
                return Cell(summary.last, "bad", text="NaN")
            return _even(self.main_value(run), self.snapshot.roles.get(self.snapshot.main or "", Roles()).unit)
        if key == "delta":
            return self._delta(run)
        if key == "p95":
            return Cell(self.p95(run.id))
        kind, _, name = key.partition(":")
        return _extra_cell(run, kind, name, self.snapshot.roles.get(name, Roles()).unit)

    def _delta(self, run: Run) -> Cell:
        from workbench.core.compare import delta  # numpy is not wanted before the first paint

        snapshot = self.snapshot
        if run.id == snapshot.baseline:
            return Cell("baseline", "accent", text="◆ base")
        base = self.by_id.get(snapshot.baseline or "")
        direction = snapshot.roles.get(snapshot.main or "", Roles()).direction
        change = delta(self.main_value(run), None if base is None else self.main_value(base), direction)
        relative = None if change is None else change.relative
        return Cell(None, units.delta_tone(relative, direction), relative)


def _even(value: float | None, unit: str) -> Cell:
    """A metric with all its four digits, or four decimals, so that the points of a column stand below each other."""
    text = units.value(value, unit)
    digits, decimals = text.replace(".", "").lstrip("-0"), len(text.partition(".")[2])
    if unit or not decimals or not digits.isdigit():
        return Cell(value)
    return Cell(value, text=text + "0" * (4 - max(len(digits), decimals)))


def _extra_cell(run: Run, kind: str, name: str, unit: str) -> Cell:
    if kind == "metric":
        summary = run.metrics.get(name)
        return _even(None if summary is None else summary.last, unit)
    if kind == "tag":
        return Cell(run.tags.get(name, "") or ("✓" if name in run.tags else ""))
    value = run.params.get(name)
    shown = value if value is None or isinstance(value, bool | int | float | str) else str(value)
    exact = units.logged(value)
    return Cell(shown, text=exact if len(exact) <= EXACT else units.number(value))


def _rough(cell: Cell, unit: str) -> str:
    """About what a cell will say, to measure it."""
    return cell.text or (
        units.value(cell.value, unit) if isinstance(cell.value, int | float) else str(cell.value or "")
    )
