"""Two million points from disk to committed, each format beside the fastest reader of it that we know."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import data
from tests.bench.figures import Budget, Figure
from tests.bench.processes import (
    PEER_PYTHON,
    PEERS,
    WORKBENCH,
    Plan,
    ProcessFailed,
    Spent,
    environment,
    in_turns,
    measured,
    middle,
)  # fmt: skip
from workbench.store.place import STATE_NAME, place_of
from workbench.store.store import Store


class WrongCount(RuntimeError):
    """Something was not read whole, so its time means nothing."""


def measure(plan: Plan) -> Sequence[Figure]:
    files = plan.of(data.FILES, data.FILES // 10)
    viewers = [_beside_viewer(plan, files, name) for name in VIEWERS]
    return [_event_files(plan, files), *viewers, _text(plan, files, "jsonl"), _text(plan, files, "csv")]


def committed(root: Path, points: int, *command: str) -> Spent:
    """Read a project cold: a fresh store, a process of its own, every point counted afterwards."""
    shutil.rmtree(root / STATE_NAME, ignore_errors=True)
    spent = measured([WORKBENCH, *(command or ("watch", "--once")), root])
    _require_points(root, points)
    return spent


def told(root: Path, points: int) -> float:
    """Seconds from a cold start until `watch --once` says that all is committed; runs are judged after that."""
    shutil.rmtree(root / STATE_NAME, ignore_errors=True)
    began = time.perf_counter()
    command = [str(WORKBENCH), "watch", "--once", str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(), text=True) as process:
        assert process.stderr is not None
        seconds = next((time.perf_counter() - began for line in process.stderr if "lines read" in line), None)
        process.stderr.read()
    if seconds is None or process.returncode:
        raise ProcessFailed(f"{' '.join(command)} ended with {process.returncode} and never said what it had read")
    _require_points(root, points)
    return seconds


def _require_points(root: Path, points: int) -> None:
    store = Store(place_of(root))
    with store.read() as con:
        row = con.execute("SELECT count(*) FROM point").fetchone()
    store.close()
    if row is None or row[0] != points:
        raise WrongCount(f"{root}: {row and row[0]} points in the store, {points} in the files")


def _points(files: int) -> int:
    return files * data.STEPS * len(data.TAGS)


def _event_files(plan: Plan, files: int) -> Figure:
    root = data.once(plan.scratch / f"tensorboard-{files}", lambda folder: data.event_files(folder, files))
    points = _points(files)
    name = f"{points / 1e6:g} M scalars in {files} TensorBoard files, cold, to committed"
    budget = Budget("ratio", 1.0)
    if not PEER_PYTHON.exists():
        return Figure(name, "s", told(root, points), budget=budget, note="no peer: run `make bench`")
    found = in_turns(
        plan,
        plan.rounds,
        {
            "ours": lambda: told(root, points),
            "rustboard": lambda: rustboard(root, files),
            "ours, with judging": lambda: committed(root, points),
        },
    )
    peer, cpu = (median(each[name] for each in found["rustboard"]) for name in ("wall", "cpu"))
    whole = found["ours, with judging"]
    note = (
        f"with every run judged: {middle(whole):.2f} s; processor: ours {_cpu(whole):.2f} s, peer {cpu:.2f} s; the peer"
        " keeps them in memory only"
    )
    return Figure(name, "s", median(found["ours"]), peer, "TensorBoard's Rust server", budget, note)


VIEWERS: Mapping[str, Sequence[str]] = {
    "terminalboard": ("-m", "terminalboard", "--once", "--reset-view"),
    "epokio": ("-m", "epokio", "watch", "--once", "--root"),
}
"""Terminal viewers that read event files themselves, asked for one frame of a folder."""


def _beside_viewer(plan: Plan, files: int, viewer: str) -> Figure:
    """Our whole way, to committed and listed, beside one frame of another viewer."""
    root = data.once(plan.scratch / f"tensorboard-{files}", lambda folder: data.event_files(folder, files))
    name = f"{_points(files) / 1e6:g} M scalars, cold, to the first whole table"

    def ours() -> float:
        return committed(root, _points(files), "runs").wall

    home = plan.scratch / "home"
    home.mkdir(exist_ok=True)

    def theirs() -> float:
        spent = measured([PEER_PYTHON, *VIEWERS[viewer], root], HOME=str(home), COLUMNS="120", LINES="40")
        if not spent.output.strip():
            raise WrongCount(f"{viewer} drew nothing")
        return spent.wall

    budget = Budget("speedup", 8)
    if not _is_installed(viewer):
        return Figure(name, "s", ours(), budget=budget, note=f"{viewer} is not installed: run `make bench`")
    found = in_turns(plan, min(plan.rounds, 2), {"ours": ours, viewer: theirs})
    note = "ours: `workbench runs` where nothing was read before, which is one process, too"
    return Figure(name, "s", min(found["ours"]), min(found[viewer]), f"{viewer} --once", budget, note)


def _is_installed(library: str) -> bool:
    try:
        return bool(measured([PEER_PYTHON, "-c", f"import {library}"]))
    except (OSError, ProcessFailed):
        return False


def rustboard(root: Path, files: int) -> dict[str, float]:
    out = measured([PEER_PYTHON, PEERS / "rustboard.py", root, str(data.STEPS - 1)]).output
    answer: dict[str, float] = json.loads(out)
    if answer["series"] != files * len(data.TAGS):
        raise WrongCount(f"TensorBoard's server has {answer['series']} whole series of {files * len(data.TAGS)}")
    return answer


def _text(plan: Plan, files: int, kind: str) -> Figure:
    make: Callable[[Path, int], None] = {"jsonl": data.json_files, "csv": data.csv_files}[kind]
    root = data.once(plan.scratch / f"{kind}-{files}", lambda folder: make(folder, files))
    peer = [sys.executable, str(PEERS / "polars_read.py"), str(root), kind]
    points = _points(files)
    sides: dict[str, Callable[[], Any]] = {
        f"{kind}, ours": lambda: committed(root, points),
        "polars": lambda: measured(peer),
        f"{kind}, to committed": lambda: told(root, points),
    }
    found = in_turns(plan, plan.rounds, sides)
    if int(found["polars"][0].output) != files * data.STEPS:
        raise WrongCount(f"polars read {found['polars'][0].output!r} rows of {files * data.STEPS}")
    ours, peers = found[f"{kind}, ours"], found["polars"]
    early = median(found[f"{kind}, to committed"])
    return Figure(
        f"{points / 1e6:g} M points in {files} {kind.upper()} files, whole processes", "s", middle(ours), middle(peers),
        {"jsonl": "polars.read_ndjson", "csv": "polars.read_csv"}[kind],
        Budget("ratio", 2.5) if kind == "jsonl" else None,
        f"to committed, before runs are judged: {early:.2f} s, {early / middle(peers):.1f} x; processor: ours"
        f" {_cpu(ours):.2f} s, peer {_cpu(peers):.2f} s",
    )  # fmt: skip


def _cpu(spent: Sequence[Spent]) -> float:
    return median(each.cpu for each in spent)
