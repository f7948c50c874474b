"""The two other formats of this sample: CSV as Lightning writes it, and TensorBoard's event files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class CsvLog:
    """`metrics.csv` with one sparse row a call, and `hparams.yaml` beside it."""

    def __init__(self, folder: Path, columns: list[str], params: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True)
        (folder / "hparams.yaml").write_text("".join(f"{key}: {value}\n" for key, value in params.items()))
        self._file = (folder / "metrics.csv").open("w", newline="")
        self._writer = csv.DictWriter(self._file, columns)
        self._writer.writeheader()

    def write(self, step: int, values: Mapping[str, float], epoch: int | None = None) -> None:
        """Append a row; columns without a value stay empty."""
        self._writer.writerow({"epoch": epoch, "step": step, **values})
        self._file.flush()

    def __enter__(self) -> CsvLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()


class EventLog:
    """Scalars in an event file, flushed after every step so that they can be watched."""

    def __init__(self, folder: Path) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append scalars of one step."""
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)
        self._writer.flush()

    def hparams(self, params: Mapping[str, Any], results: Mapping[str, float]) -> None:
        """Parameters and results for TensorBoard's HParams page; they go to a sub-folder named by the time."""
        self._writer.add_hparams(dict(params), dict(results))

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self._writer.close()
