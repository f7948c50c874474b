"""The pictures in the READMEs of the packages in plugins/, exported by the app itself.

`python -m tests.tools.plugin_screenshots FLIGHTS`: a folder that `workbench demo --headless --dir` filled.
The GPUs are those of the tests' stand-in for NVIDIA's library, and the program on them is this one.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pynvml
from workbench_gpu.panel import GpuPanel
from workbench_optuna.panel import OptunaPanel
from workbench_slices.panel import SlicesPanel

import workbench
from tests.tools.screenshot import picture
from workbench.cli.project import open_project, read_news
from workbench.plugin.api import Focus, Panel

PLUGINS = Path(__file__).parents[2] / "plugins"
SIZE = (120, 44)
GIB = 1 << 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the three pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flights", type=Path, help="a folder that `workbench demo` filled")
    parser.add_argument("--only", choices=("gpu", "optuna", "slices"), help="one of them")
    given = parser.parse_args(arguments)
    os.environ.pop("NO_COLOR", None)
    os.environ["COLORTERM"], os.environ["TZ"] = "truecolor", "UTC"
    time.tzset()
    for name, make in (("gpu", gpu), ("optuna", optuna), ("slices", slices)):
        if given.only in (None, name):
            with tempfile.TemporaryDirectory() as scratch:
                root, panel, key = make(Path(scratch), given.flights.resolve())
                svg = asyncio.run(picture(root, SIZE, (key,), [panel]))
            (PLUGINS / f"workbench-{name}" / "screenshot.svg").write_text(svg, encoding="utf-8")


def optuna(scratch: Path, flights: Path) -> tuple[Path, Panel, str]:
    """The study of 80 trials that the tests read."""
    root = scratch / "tuning"
    root.mkdir()
    shutil.copy(PLUGINS / "workbench-optuna/tests/studies/svm.db", root)
    _read(root)
    return root, OptunaPanel(), OptunaPanel.key


def slices(scratch: Path, flights: Path) -> tuple[Path, Panel, str]:
    """The sample's released model in production."""
    root = scratch / "flights"
    shutil.copytree(flights, root, ignore=shutil.ignore_patterns("*.lock", "snapshots"))
    panel = SlicesPanel()
    opened = open_project(root, fresh=False)
    panel.load(opened.query, Focus())  # the picture waits for no worker
    opened.store.close()
    return root, panel, SlicesPanel.key


def gpu(scratch: Path, flights: Path) -> tuple[Path, Panel, str]:
    """Two GPUs, one of them training, after ten minutes of it."""
    root = scratch / "vision"
    run = workbench.init(name="resnet50", dir=root / "runs", params={"lr": 0.1})
    for step in range(20):
        run.log({"train/loss": 2.0 / (step + 1)}, step=step)
    _read(root)
    library = _stand_in().Library
    devices = _stand_in().Gpu
    machine = library(
        [devices(compute={os.getpid(): 39 * GIB, 2_000_001: GIB}),
         devices(uuid="GPU-1", busy=0, used=0, degrees=31, milliwatts=68_000)],
        programs={os.getpid(): "/usr/bin/python3.12"},
    )  # fmt: skip
    pynvml.nvmlLib = machine
    clock = _Clock(time.time() - 600)
    panel = GpuPanel(pynvml, clock, ask_smi=lambda: None)
    opened = open_project(root, fresh=False)
    for look in range(300):
        first = machine.gpus[0]
        first.busy = 91 + look * 7 % 9 if look % 60 > 4 else 22
        first.degrees, first.used = 55 + min(look, 80) // 8, (36 + look % 60 // 12) * GIB
        first.milliwatts = 420_000 + 1_000 * (look * 37 % 120)
        panel.load(opened.query, Focus())
        clock.now += 2
    opened.store.close()
    return root, panel, GpuPanel.key


class _Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def _stand_in() -> ModuleType:
    """The library that the GPU panel's tests answer for."""
    spec = importlib.util.spec_from_file_location("gpu_stand_in", PLUGINS / "workbench-gpu/tests/conftest.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _read(root: Path) -> None:
    """Read everything in a project."""
    opened = open_project(root, fresh=False)
    read_news(opened, None, final=True)
    opened.store.close()


if __name__ == "__main__":
    main()
