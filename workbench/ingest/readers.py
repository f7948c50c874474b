"""The readers of this installation: the built-in ones and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from workbench.plugin.api import Reader
from workbench.plugin.discovery import plugin_readers

_BUILT_IN = (
    ("own.reader", "WorkbenchReader"),
    ("tensorboard.reader", "TensorBoardReader"),
    ("wandb.reader", "WandbReader"),
    ("mlflow.reader", "MlflowReader"),
    ("mlflow.sqlite", "MlflowSqliteReader"),
    ("huggingface.reader", "HuggingFaceReader"),
    ("optuna.reader", "OptunaReader"),
    ("optuna.journal", "OptunaJournalReader"),
    ("trackio.reader", "TrackioReader"),
    ("trackio.inbox", "TrackioInboxReader"),
    ("sacred", "SacredReader"),
    ("dvclive", "DvcliveReader"),
    ("dvclive", "DvcliveSummaryReader"),
    ("catboost", "CatBoostReader"),
    ("sklearn_search", "SearchReader"),
    ("json.history", "JsonHistoryReader"),
    ("json.lines", "JsonlReader"),
    ("csv.delimited", "DelimitedReader"),
    ("text.reader", "TextLogReader"),
)
"""Module and class, in order: a tie between claims goes to the earlier one."""


def all_readers() -> Sequence[Reader]:
    """Built-in readers first, then plugins'."""
    built_in = [getattr(import_module(f"workbench.readers.{module}"), name)() for module, name in _BUILT_IN]
    return (*built_in, *plugin_readers())


def flush_intervals(readers: Sequence[Reader]) -> Mapping[str, float]:
    """Seconds each format's writer may be silent, by format."""
    return {reader.name: reader.flush_interval for reader in readers}
