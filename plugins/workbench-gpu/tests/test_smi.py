"""NVML cannot be loaded, but the program nvidia-smi is there: its XML, as different drivers write it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from workbench_gpu import smi
from workbench_gpu.driver import Driver
from workbench_gpu.model import Absent, Instance, Machine, Process
from workbench_gpu.panel import SMI_FOR, GpuPanel

from workbench.plugin.api import Fit, Focus
from workbench.render.text import render_text

MIB, GIB = 1 << 20, 1 << 30
OUTPUTS = Path(__file__).parent / "outputs"


def output(name: str) -> str:
    return (OUTPUTS / f"{name}.xml").read_text(encoding="utf-8")


def machine(name: str) -> Machine:
    found = smi.machine_of(output(name))
    assert isinstance(found, Machine)
    return found


@pytest.fixture
def unloadable(monkeypatch):
    """A machine whose libnvidia-ml cannot be loaded."""
    import pynvml

    def no_library(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", no_library)
    return pynvml


def test_a_driver_of_2022_tells_of_an_idle_gpu():
    found = machine("driver-510-tesla")
    device = found.devices[0]
    assert (found.driver, found.source) == ("510.47.03", "nvidia-smi")
    assert (device.name, device.utilization, device.memory_used) == ("Tesla P100-PCIE-16GB", 0.0, 0)
    assert (device.memory_total, device.temperature) == (16384 * MIB, 38.0)
    assert (device.power, device.power_limit) == (26.16, 250.0)
    assert device.processes == () and not device.unread and not device.mig


def test_several_gpus_with_processes_of_everybody():
    first, second = machine("driver-570-two").devices
    assert (first.index, second.index) == (0, 1)
    assert (first.power, first.power_limit) == (512.34, 700.0), "the instant power, not the average of the last second"
    assert first.processes == (
        Process(4242, "C", 38912 * MIB, "python3.12"),
        Process(901, "C", 1024 * MIB, "tritonserver"),
        Process(77, "G", None, None),
    )
    assert second.temperature is None and second.unread == {"temperature": "N/A"}
    assert second.processes == ()


def test_mig_devices_and_what_a_container_may_not_see():
    device = machine("driver-535-mig").devices[0]
    assert device.mig and device.utilization is None
    assert device.unread == {"utilization": "N/A", "memory": "Insufficient Permissions"}
    assert device.instances == [Instance(0, 1, 0, None, 107 * MIB, 20096 * MIB), Instance(1, 5, 0, None, None, None)]
    assert device.processes is not None and device.processes[0].instance == 1


def test_the_panel_falls_back_to_the_program_and_says_so(unloadable, project, host, clock):
    asked = []

    def ask() -> str:
        asked.append(1)
        return output("driver-570-two")

    panel = GpuPanel(unloadable, clock, host, ask)
    data = panel.load(project, Focus())
    text = render_text(panel.view(data, Fit(120)), Fit(120))
    assert "resnet" in text and "Told by nvidia-smi" in text
    panel.load(project, Focus())
    assert len(asked) == 1, "it may wake every GPU: not every two seconds"
    clock.now += SMI_FOR
    panel.load(project, Focus())
    assert len(asked) == 2


def test_without_the_program_the_reason_is_that_of_the_library(unloadable):
    found = Driver(unloadable, lambda: None).look()
    assert isinstance(found, Absent) and found.title == "No NVIDIA driver"


@pytest.mark.parametrize(
    ("error", "title", "words"),
    [
        (subprocess.CalledProcessError(9, "nvidia-smi", b"NVIDIA-SMI has failed because it couldn't communicate\n"),
         "nvidia-smi fails", "couldn't communicate"),
        (subprocess.TimeoutExpired("nvidia-smi", 10), "nvidia-smi does not answer", "-pm 1"),
        (PermissionError(13, "Permission denied"), "nvidia-smi does not answer", "Permission denied"),
    ],
)  # fmt: skip
def test_a_program_that_fails_has_its_next_step(error, title, words):
    def ask() -> str:
        raise error

    found = smi.look(ask)
    assert isinstance(found, Absent)
    assert found.title == title and words in found.hint and "Next: " in found.hint


def test_names_of_processes_that_are_not_escaped_hide_nobody():
    text = output("driver-570-two").replace("tritonserver", "train --lr=1 &\x01& --tag=a&b")
    found = smi.machine_of(text)
    assert isinstance(found, Machine)
    assert [process.pid for process in found.devices[0].processes or ()] == [4242, 901, 77]


def test_output_that_is_cut_off_is_said_to_be():
    found = smi.machine_of(output("driver-570-two")[:900])
    assert isinstance(found, Absent) and found.title == "nvidia-smi cannot be understood"


def test_the_program_is_run_with_the_arguments_it_knows(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\n[ "$*" = "-q -x" ] && cat "{OUTPUTS / "driver-510-tesla.xml"}"\n')
    program.chmod(0o755)
    monkeypatch.setattr("workbench_gpu.smi.shutil.which", lambda name: str(program))
    found = smi.look()
    assert isinstance(found, Machine) and found.driver == "510.47.03"
