"""Files that are read through another one, such as the metric files of a run folder that one reader takes whole."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import PurePath

from workbench.ingest.discovery import Detection, Found
from workbench.ingest.globs import glob_regex

_WILD = re.compile(r"[*?\[]")


class Covers:
    """Which source covers a path; patterns are relative to the folder of the source that claims them."""

    def __init__(self) -> None:
        self._by_folder: dict[PurePath, dict[PurePath, re.Pattern[str]]] = {}

    def add(self, owner: PurePath, patterns: Sequence[str]) -> None:
        """Leave what matches to `owner`; `*` stays within a folder, `**` does not."""
        for pattern in patterns:
            whole = os.path.normpath(f"{owner.parent}/{pattern}")
            fixed = whole[: wild.start()] if (wild := _WILD.search(whole)) else whole
            owners = self._by_folder.setdefault(PurePath(fixed.rpartition("/")[0]), {})
            known = f"{owners[owner].pattern}|" if owner in owners else ""
            owners[owner] = re.compile(known + glob_regex(whole), re.DOTALL)

    def drop(self, owner: PurePath) -> None:
        """Forget what a source covered that is gone."""
        for owners in self._by_folder.values():
            owners.pop(owner, None)

    def clear(self) -> None:
        """Forget all."""
        self._by_folder.clear()

    def owner(self, path: PurePath) -> PurePath | None:
        """The source that a file is read through, None for a file that stands for itself."""
        if not self._by_folder:
            return None
        text = str(path)
        for folder in path.parents:
            for owner, pattern in self._by_folder.get(folder, {}).items():
                if owner != path and pattern.fullmatch(text):
                    return owner
        return None


def covering_first(claimed: tuple[Found, Detection]) -> tuple[bool, int, float]:
    """Files that others are read through come first, the outermost and the most certain ahead."""
    item, detection = claimed
    covers = bool(detection.claim.covers)
    return (not covers, len(item.path.parts) if covers else 0, -detection.claim.score if covers else 0.0)
