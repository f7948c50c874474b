"""Which single-file plugins the user trusts: kept outside of any project, by the hash of what they say."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path


def digest_of(code: bytes) -> str:
    """The hash that trust goes by: one changed byte is another plugin."""
    return hashlib.sha256(code).hexdigest()


def is_trusted(digest: str) -> bool:
    """Whether the user has said so, here or in another project."""
    return (_folder() / digest).is_file()


def trust(path: Path) -> str:
    """Trust a file as it is now; returns its hash.

    Raises:
        OSError: it cannot be read, or the user's state folder cannot be written.
    """
    digest = digest_of(path.read_bytes())
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = json.dumps({"file": str(path.resolve()), "at": time.time()})
    half = folder / f".{digest}-{os.getpid()}"
    half.write_text(said, encoding="utf-8")
    half.replace(folder / digest)
    return digest


def distrust(path: Path) -> bool:
    """Trust a file no more; False where it was not trusted.

    Raises:
        OSError: it cannot be read, or the user's state folder cannot be written.
    """
    kept = _folder() / digest_of(path.read_bytes())
    known = kept.is_file()
    kept.unlink(missing_ok=True)
    return known


def _folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("workbench")) / "trusted-plugins"
