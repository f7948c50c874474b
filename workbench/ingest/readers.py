"""The readers of this installation: the built-in ones and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.plugin.api import Reader
from workbench.plugin.discovery import plugin_readers


def all_readers() -> Sequence[Reader]:
    """Built-in readers first, then plugins'; a tie between claims goes to the earlier one."""
    from workbench.readers.delimited import DelimitedReader
    from workbench.readers.jsonl import JsonlReader
    from workbench.readers.tensorboard import TensorBoardReader
    from workbench.readers.text_log import TextLogReader
    from workbench.readers.workbench_jsonl import WorkbenchReader

    return (WorkbenchReader(), TensorBoardReader(), JsonlReader(), DelimitedReader(), TextLogReader(), *plugin_readers())


def flush_intervals(readers: Sequence[Reader]) -> Mapping[str, float]:
    """Seconds each format's writer may be silent, by format."""
    return {reader.name: reader.flush_interval for reader in readers}
