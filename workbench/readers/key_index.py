"""The keys of a source: numbered for a batch, counted against a limit, remembered in its cursor in 4 bytes each."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

import numpy as np

MAX_KEYS = 20_000
"""Series a source may have; a row that brings one more is refused."""


class KeyIndex:
    """Numbers keys in the order they come; `codes` are of this chunk, the limit holds for the whole source."""

    def __init__(self, packed: str = "") -> None:
        self.codes: dict[str, int] = {}
        self._seen: set[int] = set(np.frombuffer(base64.b64decode(packed), "<u4").tolist())

    def has(self, name: str) -> bool:
        """Whether the source had this key before."""
        return name in self.codes or _checksum(name) in self._seen

    def admit(self, names: Iterable[str]) -> str:
        """Number the names that are new; where that would be too many, number none and say so."""
        new = [name for name in dict.fromkeys(names) if name not in self.codes]
        checksums = [_checksum(name) for name in new]
        unknown = {checksum for checksum in checksums if checksum not in self._seen}
        if len(self._seen) + len(unknown) > MAX_KEYS:
            first = next(name for name, checksum in zip(new, checksums, strict=True) if checksum in unknown)
            return (
                f"E180 more than {MAX_KEYS:,} keys in this source: {first[:200]!r} is new (is a counter in the name?)"
            )
        self._seen |= unknown
        for name in new:
            self.codes[name] = len(self.codes)
        return ""

    def packed(self) -> str:
        """Checksums of all keys seen, for the cursor; empty without any."""
        return base64.b64encode(np.array(sorted(self._seen), "<u4").tobytes()).decode()


def _checksum(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogatepass"))
