"""Where a Hugging Face Trainer keeps a run, told by the arguments it writes into its TensorBoard log."""

from __future__ import annotations

import json
import re
from pathlib import PurePath, PurePosixPath

_DATED = re.compile(r"[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_.+")
"""`Oct03_12-34-56_host`, the folder that both the Trainer and PyTorch's writer make below `runs`."""
_ARGUMENTS = b"args/text_summary"
_TEXT = rb'"%s":\s*("(?:[^"\\]|\\.)*")'


def is_dated(path: PurePath) -> bool:
    """Whether an event file lies where the Trainer would put it, `<output_dir>/runs/<date>_<host>/`."""
    return path.parent.parent.name == "runs" and bool(_DATED.fullmatch(path.parent.name))


def output_folder(path: PurePath, head: bytes) -> PurePath | None:
    """The Trainer's output folder that an event file lies in, relative to the project; None for other writers'.

    A log outside of the output folder stays a run of its own: several trainings may share one folder for checkpoints.
    """
    if _ARGUMENTS not in head:
        return None
    output, logs = _argument(b"output_dir", head), _argument(b"logging_dir", head)
    if output is None:
        return None
    if logs is None:
        inside = is_dated(path) and path.parent.parent.parent.name == PurePosixPath(output).name
        return path.parent.parent.parent if inside else None
    try:
        below = len(PurePosixPath(logs).relative_to(PurePosixPath(output)).parts)
    except ValueError:
        return None
    folders = [path.parent, *path.parent.parents]
    return folders[below] if below < len(folders) else None


def _argument(name: bytes, head: bytes) -> str | None:
    found = re.search(_TEXT % name, head)
    if found is None:
        return None
    try:
        return str(json.loads(found[1]))
    except ValueError:
        return None
