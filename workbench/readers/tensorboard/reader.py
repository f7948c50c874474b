"""TensorBoard event files, whoever wrote them: scalars, histograms, hyperparameters, notes, images, restarts."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Framing, Head, Reader

_SESSION_FOLDER = re.compile(r"\d{9,10}\.\d{1,9}")
_SUBSETS = ("train", "validation")
_TASKS = ("detect", "segment", "classify", "pose", "obb")
"""Folders in which Ultralytics keeps runs, the first of which it calls `train`."""


def run_folder(path: PurePath) -> tuple[PurePath, str]:
    """The folder of the run that an event file belongs to, and what its keys then begin with.

    PyTorch's `add_hparams` writes to a sub-folder named by the time, Keras to `train` and `validation`: both are parts
    of the run above. The sub-folders of `add_scalars` cannot be told from runs by name: a claim sees by their content.
    """
    folder = path.parent
    while _SESSION_FOLDER.fullmatch(folder.name):
        folder = folder.parent
    if folder.name in _SUBSETS and folder.parent.name not in _TASKS:
        return folder.parent, f"{folder.name}/"
    return folder, ""


def _second_end(data: bytes) -> int:
    """Where the second record ends, as far as the beginning of a file tells: a Trainer's arguments stand there."""
    from workbench.readers.tensorboard.records import HEADER

    start = HEADER + int.from_bytes(data[:8], "little") + 4
    return start + HEADER + int.from_bytes(data[start : start + 8], "little") + 4


class TensorBoardReader(Reader):
    """Reads event files record by record; only complete records with right checksums count."""

    name: ClassVar[str] = "tensorboard"
    framing: ClassVar[Framing] = "records"
    names: ClassVar[tuple[str, ...]] = ("*tfevents*",)
    version: ClassVar[int] = 3
    flush_interval: ClassVar[float] = 120.0

    def claim(self, head: Head) -> Claim:
        """Certain when the name says so and the first record's header holds; likely while there is no header yet."""
        if "tfevents" not in head.name:
            return Claim(0.0, "no tfevents in its name")
        from workbench.readers.huggingface.folder import is_dated, output_folder
        from workbench.readers.tensorboard.parts import part_of
        from workbench.readers.tensorboard.records import HEADER, valid_header

        start = head.data[:HEADER]
        if not start.strip(b"\0") or (len(start) < HEADER and head.size < HEADER):
            if part_of(head):
                return Claim(0.4, "no record yet; whether it is a curve of the run above, its first values tell")
            return Claim(0.5, "named like an event file; no record yet")
        if valid_header(start):
            if is_dated(head.path) and _second_end(head.data) > head.size:
                return Claim(0.4, "has only its version record yet; whose run it is, the next one may tell")
            trainer = output_folder(head.path, head.data)
            if trainer is not None:
                return Claim(1.0, "a Hugging Face Trainer's log inside its output folder", run_folder=str(trainer))
            return _claim_by_values(head)
        return Claim(0.0, "named like an event file, but does not begin with a TFRecord header")

    def run_folder(self, path: PurePath) -> tuple[PurePath, str]:
        """The folder of the run, with the sub-folders that loggers make of one run merged."""
        return run_folder(path)

    def read(self, chunk: Chunk) -> Batch:
        """Decode the complete records of a stretch; what comes after them waits for the next."""
        from workbench.readers.tensorboard.reading import read_records

        return read_records(chunk)


def _claim_by_values(head: Head) -> Claim:
    """A run of its own, or one curve of the run above, as far as the first values tell."""
    from workbench.readers.tensorboard.parts import part_of

    part = part_of(head)
    if part is True:
        return Claim(0.4, "has no value yet; whether it is a curve of the run above, its first values tell")
    if not part:
        return Claim(1.0, "begins with a TFRecord header whose checksum holds")
    run = run_folder(part.folder / head.name)[0]
    why = f"one curve of the run in {part.folder}, as `add_scalars` writes them"
    return Claim(1.0, why, run_folder=str(run), key_suffix=f"/{part.curve}")
