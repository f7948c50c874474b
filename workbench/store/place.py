"""Where a project's state lies: `.workbench/`, and the store elsewhere when that is on a network file system."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

from msgspec import Struct

STATE_NAME = ".workbench"
STORE_NAME = "workbench.duckdb"
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "lustre", "ceph", "gpfs", "beegfs", "glusterfs", "afs", "9p"}
    | {"afpfs", "webdav", "panfs", "orangefs", "macfuse", "osxfuse", "fuse-t"}
)
_ESCAPED = re.compile(r"\\([0-7]{3})")
_NETWORK_FUSE = ("sshfs", "rclone", "s3fs", "gcsfuse", "glusterfs", "blobfuse", "juicefs", "goofys", "mountpoint-s3")


class Place(Struct, frozen=True):
    """The folders of a project: `state` beside its files, `store` on a local disk."""

    root: Path
    state: Path
    store: Path
    remark: str = ""
    """Why the store lies elsewhere, for the user; empty when it lies in `state`."""

    @property
    def database(self) -> Path:
        """The store file."""
        return self.store / STORE_NAME


def place_of(root: Path, *, mounts: str | None = None) -> Place:
    """Decide where state and store lie; creates nothing. `mounts` replaces the system's mount table in tests."""
    root = root.resolve()
    state = root / STATE_NAME
    chosen = os.environ.get("WORKBENCH_STORE")
    if chosen:
        folder = Path(chosen).expanduser().resolve() / project_hash(root)
        return Place(root, state, folder, f"the store lies in {folder} (WORKBENCH_STORE)")
    kind = file_system(root, mounts)
    if not is_network(kind):
        return Place(root, state, state)
    import platformdirs

    folder = Path(platformdirs.user_state_dir("workbench")) / project_hash(root)
    return Place(root, state, folder, f"{root} is on a network file system ({kind}); the store lies in {folder}")


def project_hash(root: Path) -> str:
    """A short stable name for a project's path."""
    return f"{root.name or 'root'}-{hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()}"


def is_network(kind: str) -> bool:
    """Whether a file system type is reached over a network, where locks and inotify cannot be trusted."""
    return kind in _NETWORK or any(name in kind for name in _NETWORK_FUSE)


def file_system(path: Path, mounts: str | None = None) -> str:
    """The type of the file system a path lies on, empty when the system does not tell."""
    best, kind = "", ""
    for point, name in _mounts(mounts):
        prefix = point.rstrip("/") + "/"
        if (str(path) + "/").startswith(prefix) and len(prefix) >= len(best):
            best, kind = prefix, name  # of two on one point, autofs and what it mounted, the later one covers
    return kind


def _mounts(text: str | None) -> list[tuple[str, str]]:
    if text is None:
        try:
            text = os.fsdecode(Path("/proc/self/mounts").read_bytes())
        except OSError:
            text = _mac_mounts()
    rows = [line.split(" ") for line in text.split("\n")]  # other white space may stand in a name
    return [(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), row[1]), row[2]) for row in rows if len(row) > 2]


def _mac_mounts() -> str:
    """macOS' `mount` in the form of a mount table."""
    try:
        lines = os.fsdecode(subprocess.run(["/sbin/mount"], capture_output=True, timeout=5, check=False).stdout)
    except (OSError, subprocess.SubprocessError):
        return ""
    rows = (line.partition(" on ") for line in lines.splitlines())
    return "\n".join(
        f"{_escaped(device)} {_escaped(rest.rpartition(' (')[0])} {rest.rpartition(' (')[2].rstrip(')').split(',')[0]}"
        for device, _, rest in rows
    )


def _escaped(name: str) -> str:
    return name.replace("\\", r"\134").replace(" ", r"\040")
