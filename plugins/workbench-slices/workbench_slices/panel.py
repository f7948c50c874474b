"""The panel: the worst slices of the run and of the monitors that are looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workbench.plugin.api import Block, Fit, Focus, Panel, Query, Run
from workbench_slices.client import Client
from workbench_slices.model import Question, Report, SlicesData, Subject
from workbench_slices.sources import monitor_subject, run_subject
from workbench_slices.views import slices_block, slices_shape

MONITORS = 3
"""Monitors shown where none is looked at."""
RUNS = 20
"""Newest runs among which one with predictions is sought, where none is looked at."""
_HINT = (
    "A run is sliced by the file it logged as run.data(FILE, role='predictions') or as an artifact called predictions, "
    "or by predictions.parquet, .csv or .jsonl in its folder; a monitor by its exports. The file holds the prediction, "
    "the label, and the features; a column of latency is used too."
)


@dataclass(frozen=True, slots=True)
class SlicesOptions:
    """What `[panel.slices]` can set."""

    slices: int = 8
    """Shown of each ranking at most."""
    min_rows: int = 0
    """Rows that a slice has at least; 0 is 30, and half a percent of many."""
    rows: int = 200_000
    """Rows looked at; of more, as many are drawn evenly."""
    features: tuple[str, ...] = ()
    """Columns that are sliced; empty is every one without a role."""
    ignore: tuple[str, ...] = ()
    """Columns that are not."""


class SlicesPanel(Panel):
    """Where a model is worst: slices of one or two features, by error and by latency."""

    name = "slices"
    title = "Slices"
    key = "W"
    options = SlicesOptions()

    def __init__(self, client: Client | None = None) -> None:
        """`client` answers questions about files; by default a worker process does."""
        self._client = client or Client()

    def load(self, query: Query, focus: Focus) -> SlicesData:
        """Find the predictions of what is looked at, and have them searched."""
        subjects = [*self._of_runs(query, focus), *self._of_monitors(query, focus)]
        asked = [replace(each, question=self._with_options(each.question)) for each in subjects]
        return SlicesData([Report(each, self._client.answer(each.question)) for each in asked], _HINT)

    def view(self, data: SlicesData, fit: Fit) -> Block:
        """A table for each loss of each subject, the worst slice first."""
        return slices_block(data, fit)

    def to_json(self, data: SlicesData) -> list[dict[str, Any]]:
        """Each subject with its rankings; conditions as feature, from, to and value."""
        return slices_shape(data)

    def _with_options(self, question: Question) -> Question:
        given: SlicesOptions = self.options
        columns = replace(
            question.columns,
            features=given.features or question.columns.features,
            ignore=(*question.columns.ignore, *given.ignore),
        )
        return replace(
            question, columns=columns, most_slices=given.slices, min_rows=given.min_rows, most_rows=given.rows
        )

    def _of_runs(self, query: Query, focus: Focus) -> list[Subject]:
        """The run that is looked at, or the newest one that has predictions; none where a window is looked at."""
        if focus.window is not None:
            return []
        runs: list[Run] = [run for run in query.runs(focus.where) if focus.run in (None, run.id)][:RUNS]
        found = (run_subject(query, run) for run in runs)
        return [subject for subject in found if subject is not None][:1]

    def _of_monitors(self, query: Query, focus: Focus) -> list[Subject]:
        names = [focus.monitor] if focus.monitor is not None else list(query.monitors())[:MONITORS]
        found = (monitor_subject(query, name, focus) for name in names)
        return [subject for subject in found if subject is not None]
