"""The readers of this installation: the built-in ones and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.plugin.api import Reader
from workbench.plugin.discovery import plugin_readers


def all_readers() -> Sequence[Reader]:
    """Built-in readers first, then plugins'; a tie between claims goes to the earlier one."""
    from workbench.readers.catboost import CatBoostReader
    from workbench.readers.delimited import DelimitedReader
    from workbench.readers.dvclive import DvcliveReader, DvcliveSummaryReader
    from workbench.readers.huggingface import HuggingFaceReader
    from workbench.readers.jsonl import JsonlReader
    from workbench.readers.optuna import OptunaReader
    from workbench.readers.optuna_journal import OptunaJournalReader
    from workbench.readers.sacred import SacredReader
    from workbench.readers.tensorboard import TensorBoardReader
    from workbench.readers.trackio import TrackioReader
    from workbench.readers.trackio_inbox import TrackioInboxReader
    from workbench.readers.workbench_jsonl import WorkbenchReader

    return (
        WorkbenchReader(), TensorBoardReader(),
        HuggingFaceReader(), OptunaReader(), OptunaJournalReader(), TrackioReader(), TrackioInboxReader(),
        SacredReader(), DvcliveReader(), DvcliveSummaryReader(), CatBoostReader(),
        JsonlReader(), DelimitedReader(), *plugin_readers(),
    )  # fmt: skip


def flush_intervals(readers: Sequence[Reader]) -> Mapping[str, float]:
    """Seconds each format's writer may be silent, by format."""
    return {reader.name: reader.flush_interval for reader in readers}
