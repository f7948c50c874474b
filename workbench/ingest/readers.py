"""The readers of this installation: the built-in ones and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from workbench.plugin.api import Reader
from workbench.plugin.discovery import plugin_readers

_BUILT_IN = (
    ("workbench_jsonl", "WorkbenchReader"),
    ("tensorboard", "TensorBoardReader"),
    ("wandb", "WandbReader"),
    ("mlflow", "MlflowReader"),
    ("mlflow_sqlite", "MlflowSqliteReader"),
    ("huggingface", "HuggingFaceReader"),
    ("optuna", "OptunaReader"),
    ("optuna_journal", "OptunaJournalReader"),
    ("trackio", "TrackioReader"),
    ("trackio_inbox", "TrackioInboxReader"),
    ("sacred", "SacredReader"),
    ("dvclive", "DvcliveReader"),
    ("dvclive", "DvcliveSummaryReader"),
    ("catboost", "CatBoostReader"),
    ("sklearn_search", "SearchReader"),
    ("json_history", "JsonHistoryReader"),
    ("jsonl", "JsonlReader"),
    ("delimited", "DelimitedReader"),
    ("text_log", "TextLogReader"),
)
"""Module and class, in order: a tie between claims goes to the earlier one."""


def all_readers() -> Sequence[Reader]:
    """Built-in readers first, then plugins'."""
    built_in = [getattr(import_module(f"workbench.readers.{module}"), name)() for module, name in _BUILT_IN]
    return (*built_in, *plugin_readers())


def flush_intervals(readers: Sequence[Reader]) -> Mapping[str, float]:
    """Seconds each format's writer may be silent, by format."""
    return {reader.name: reader.flush_interval for reader in readers}
