"""A machine without NVIDIA's driver, such as a laptop, a Mac or a CI runner: a reason and a next step, no exception."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pynvml
import pytest
from workbench_gpu.driver import Driver
from workbench_gpu.panel import GpuPanel

from workbench.plugin.api import Empty, Fit, Focus
from workbench.plugin.testing import problems
from workbench.render.text import render_text


def _driver_here() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def shown(panel: GpuPanel, project) -> Empty:
    data = panel.load(project, Focus())
    block = panel.view(data, Fit())
    assert isinstance(block, Empty)
    assert panel.to_json(data) == {"driver": None, "reason": f"{block.title}: {block.hint}", "devices": []}
    return block


@pytest.mark.skipif(_driver_here(), reason="this machine has an NVIDIA driver")
def test_the_real_binding_without_a_driver(project):
    block = shown(GpuPanel(), project)
    assert block.title == "No NVIDIA driver"
    assert "Next: " in block.hint or sys.platform == "darwin"


def test_on_macos_nobody_is_sent_to_install_what_does_not_exist(project, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", _no_library)
    block = shown(GpuPanel(pynvml), project)
    assert block.title == "No NVIDIA driver"
    assert "macOS" in block.hint and "Next" not in block.hint


def _no_library(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize(
    ("code", "title", "hint"),
    [
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "The NVIDIA driver is not loaded", "modprobe"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "The NVIDIA driver may not be asked", "/dev/nvidiactl"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "The NVIDIA driver and its library", "reboot"),
        (pynvml.NVML_ERROR_UNKNOWN, "The NVIDIA driver does not answer", "Unknown Error. Next: nvidia-smi"),
    ],
)
def test_each_way_a_driver_fails_has_its_next_step(library, project, code, title, hint):
    library.init = code
    block = shown(GpuPanel(pynvml), project)
    assert block.title.startswith(title)
    assert hint in block.hint
    assert project.asked == 0
    assert render_text(block, Fit(40))


def test_a_driver_without_a_device(library, project):
    library.gpus = []
    assert shown(GpuPanel(pynvml), project).title == "No NVIDIA GPU"


def test_a_binding_that_cannot_be_imported_is_named(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    block = shown(GpuPanel(), project)
    assert block.title == "nvidia-ml-py cannot be imported"
    assert "pip install nvidia-ml-py" in block.hint


def test_it_is_found_by_its_entry_point_and_imports_nothing_of_nvidia_until_it_is_looked_at():
    points = [point for point in entry_points(group="workbench.panels") if point.name == "gpu"]
    assert [point.value for point in points] == ["workbench_gpu.panel:GpuPanel"]
    code = "import sys, workbench_gpu.panel as p; p.GpuPanel(); sys.exit('pynvml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_kit_finds_nothing_wrong_with_it():
    assert problems(GpuPanel()) == []


def test_a_look_never_raises_what_the_driver_does(library):
    library.missing = {"nvmlDeviceGetCount_v2"}
    assert "Function Not Found" in Driver(pynvml).look().hint
