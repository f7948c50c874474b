"""A machine with GPUs that is not there: NVIDIA's own binding runs, on a library that is answered for in Python.

Only the C library is replaced, so that function names, versions of structs, the two calls of a list and every error
class are those of the real pynvml.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pynvml
import pytest
from msgspec.structs import replace

from workbench.plugin.api import Run, Series

GIB = 1 << 30
PARTS = 1000
"""Handles from here on are of MIG devices."""
NOWHERE: Mapping[int, int] = {}
NOT_KNOWN = pynvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value


@dataclass
class Gpu:
    """What the driver would say of one device; a field in `refused` is answered with that error code instead."""

    name: str = "NVIDIA H100 80GB HBM3"
    uuid: str = "GPU-0"
    busy: int = 97
    total: int = 80 * GIB
    reserved: int = 1 * GIB
    used: int = 40 * GIB
    degrees: int = 63
    milliwatts: int = 512_340
    limit: int = 700_000
    mig: int | None = 0
    compute: dict[int, int] = field(default_factory=dict)
    """Bytes by pid."""
    graphics: dict[int, int] = field(default_factory=dict)
    mps: dict[int, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    parts: dict[int, Part] = field(default_factory=dict)
    """MIG devices by slot, of the seven there are."""
    placed: dict[int, int] = field(default_factory=dict)
    """GPU instance by pid."""


@dataclass
class Part:
    """What the driver would say of one MIG device."""

    gpu_instance: int
    compute_instance: int = 0
    name: str = "NVIDIA H100 80GB HBM3 MIG 3g.40gb"
    used: int = 5 * GIB
    total: int = 40 * GIB


@dataclass
class Library:
    """libnvidia-ml, as pynvml calls it: C functions that fill what they are pointed to and return a code."""

    gpus: list[Gpu] = field(default_factory=list)
    driver: str = "580.95.05"
    programs: dict[int, str] = field(default_factory=dict)
    init: int = pynvml.NVML_SUCCESS
    missing: set[str] = field(default_factory=set)
    """Functions that a driver of this age does not have."""
    opened: int = 0

    def __getattr__(self, name: str) -> Callable[..., int]:
        """The C function of this name; absent ones are an AttributeError, as ctypes makes it."""
        function = type(self).__dict__.get(f"_{name}")
        if function is None or name in self.missing:
            raise AttributeError(name)

        def called(*arguments: Any) -> int:
            return int(function(self, *map(_pointed, arguments)) or pynvml.NVML_SUCCESS)

        return called

    def _nvmlErrorString(self, code):
        raise AttributeError("codes in the tests have their words in pynvml")

    def _nvmlInitWithFlags(self, flags):
        self.opened += self.init == pynvml.NVML_SUCCESS
        return self.init

    def _nvmlSystemGetDriverVersion(self, text, size):
        text.value = self.driver.encode()

    def _nvmlSystemGetProcessName(self, pid, text, size):
        if pid.value not in self.programs:
            return pynvml.NVML_ERROR_NO_PERMISSION
        text.value = self.programs[pid.value].encode()
        return 0

    def _nvmlDeviceGetCount_v2(self, count):
        if not self.opened:
            return pynvml.NVML_ERROR_UNINITIALIZED
        count.value = len(self.gpus)
        return 0

    def _nvmlDeviceGetHandleByIndex_v2(self, index, handle):
        ctypes.cast(ctypes.pointer(handle), ctypes.POINTER(ctypes.c_void_p))[0] = index.value + 1
        return self.gpus[index.value].refused.get("device", 0)

    def _of(self, handle, field):
        number = ctypes.cast(handle, ctypes.c_void_p).value
        if number >= PARTS:
            return self.gpus[number // PARTS - 1].parts[number % PARTS], 0
        gpu = self.gpus[number - 1]
        return gpu, gpu.refused.get(field, 0)

    def _nvmlDeviceGetMaxMigDeviceCount(self, handle, count):
        count.value = 7
        return 0

    def _nvmlDeviceGetMigDeviceHandleByIndex(self, handle, index, part):
        number = ctypes.cast(handle, ctypes.c_void_p).value
        if index.value not in self.gpus[number - 1].parts:
            return pynvml.NVML_ERROR_NOT_FOUND
        ctypes.cast(ctypes.pointer(part), ctypes.POINTER(ctypes.c_void_p))[0] = number * PARTS + index.value
        return 0

    def _nvmlDeviceGetGpuInstanceId(self, handle, number):
        number.value = self._of(handle, "")[0].gpu_instance
        return 0

    def _nvmlDeviceGetComputeInstanceId(self, handle, number):
        number.value = self._of(handle, "")[0].compute_instance
        return 0

    def _nvmlDeviceGetName(self, handle, text, size):
        gpu, code = self._of(handle, "name")
        text.value = gpu.name.encode()
        return code

    def _nvmlDeviceGetUUID(self, handle, text, size):
        gpu, code = self._of(handle, "uuid")
        text.value = gpu.uuid.encode()
        return code

    def _nvmlDeviceGetUtilizationRates(self, handle, rates):
        gpu, code = self._of(handle, "utilization")
        rates.gpu = gpu.busy
        return code

    def _nvmlDeviceGetMemoryInfo_v2(self, handle, memory):
        gpu, code = self._of(handle, "memory")
        if memory.version != pynvml.nvmlMemory_v2:
            return pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH
        memory.total, memory.reserved, memory.used = gpu.total, gpu.reserved, gpu.used
        return code

    def _nvmlDeviceGetMemoryInfo(self, handle, memory):
        gpu, code = self._of(handle, "memory")
        memory.total, memory.used = gpu.total, gpu.used + getattr(gpu, "reserved", 0)
        return code

    def _nvmlDeviceGetTemperatureV(self, handle, reading):
        gpu, code = self._of(handle, "temperature")
        if reading.version != pynvml.nvmlTemperature_v1 or reading.sensorType != pynvml.NVML_TEMPERATURE_GPU:
            return pynvml.NVML_ERROR_INVALID_ARGUMENT
        reading.temperature = gpu.degrees
        return code

    def _nvmlDeviceGetTemperature(self, handle, sensor, degrees):
        gpu, code = self._of(handle, "temperature")
        degrees.value = gpu.degrees
        return code

    def _nvmlDeviceGetPowerUsage(self, handle, milliwatts):
        gpu, code = self._of(handle, "power")
        milliwatts.value = gpu.milliwatts
        return code

    def _nvmlDeviceGetEnforcedPowerLimit(self, handle, milliwatts):
        gpu, code = self._of(handle, "power")
        milliwatts.value = gpu.limit
        return code

    def _nvmlDeviceGetMigMode(self, handle, current, pending):
        gpu, _ = self._of(handle, "mig")
        if gpu.mig is None:
            return pynvml.NVML_ERROR_NOT_SUPPORTED
        current.value = pending.value = gpu.mig
        return 0

    def _nvmlDeviceGetComputeRunningProcesses_v3(self, handle, count, infos):
        gpu, code = self._of(handle, "processes")
        return code or _listed(gpu.compute, count, infos, gpu.placed)

    def _nvmlDeviceGetGraphicsRunningProcesses_v3(self, handle, count, infos):
        return _listed(self._of(handle, "processes")[0].graphics, count, infos)

    def _nvmlDeviceGetMPSComputeRunningProcesses_v3(self, handle, count, infos):
        return _listed(self._of(handle, "processes")[0].mps, count, infos)

    _nvmlDeviceGetComputeRunningProcesses_v2 = _nvmlDeviceGetComputeRunningProcesses_v3


def _pointed(argument: Any) -> Any:
    """What a `byref` points to; anything else as it is."""
    return getattr(argument, "_obj", argument)


def _listed(memory_by_pid: Mapping[int, int], count: Any, infos: Any, placed: Mapping[int, int] = NOWHERE) -> int:
    """NVML's way with lists: too little room is answered with how much is needed."""
    room, count.value = count.value, len(memory_by_pid)
    if room < count.value:
        return int(pynvml.NVML_ERROR_INSUFFICIENT_SIZE)
    for place, (pid, memory) in enumerate(memory_by_pid.items()):
        infos[place].pid, infos[place].usedGpuMemory = pid, memory
        infos[place].gpuInstanceId = placed.get(pid, 0xFFFFFFFF)
    return 0


@dataclass
class FakeHost:
    """A host with a process tree of its own."""

    name: str = "node7"
    boot: str | None = "b007"
    parents: dict[int, int] = field(default_factory=dict)
    ticks: dict[int, int] = field(default_factory=dict)

    def started(self, pid: int) -> int | None:
        return self.ticks.get(pid)

    def parent(self, pid: int) -> int | None:
        return self.parents.get(pid)


@dataclass
class Project:
    """What the panel asks a project."""

    all_runs: list[Run] = field(default_factory=list)
    asked: int = 0
    folder: Path = Path("/nowhere")
    points: dict[tuple[str, str], Series] = field(default_factory=dict)
    version: int = 1

    def root(self) -> Path:
        return self.folder

    def revision(self) -> str:
        return str(self.version)

    def newest(self, n: int) -> list[Run]:
        return self.all_runs[:n]

    def series(self, run_id: str, key: str, points: int = 0) -> Series:
        return self.points[run_id, key]

    def runs(self, where: str = "", *, hidden: bool = False) -> list[Run]:
        self.asked += 1
        assert hidden, "a hidden run holds its GPU too"
        return self.all_runs


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: float = 1_767_614_400.0

    def __call__(self) -> float:
        return self.now


def training(pid: int, name: str = "resnet", **changes: Any) -> Run:
    """A run that Workbench's own logging wrote on node7."""
    environment = {"pid": pid, "host": "node7", "boot": "b007", "start_ticks": 1000 + pid}
    run = Run(name.ljust(12, "0"), name, "workbench", f"runs/{name}", "running", "data is coming in", 1_767_614_000.0)
    return replace(run, environment=environment, **changes)


@pytest.fixture(autouse=True)
def _no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever machine the tests run on, its own nvidia-smi is not asked."""
    monkeypatch.setattr("workbench_gpu.smi.shutil.which", lambda name: None)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Two GPUs behind the real pynvml: one trains, one idles."""
    made = Library(
        [Gpu(compute={4242: 39 * GIB}), Gpu(uuid="GPU-1", busy=0, used=0, degrees=31, milliwatts=68_000)],
        programs={4242: "/usr/bin/python3.12"},
    )
    monkeypatch.setattr(pynvml, "nvmlLib", made)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return made


@pytest.fixture
def nvml() -> ModuleType:
    return pynvml


@pytest.fixture
def part() -> type[Part]:
    return Part


@pytest.fixture
def host() -> FakeHost:
    return FakeHost(ticks={4242: 5242})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def project() -> Project:
    return Project([training(4242)])


@pytest.fixture
def run() -> Callable[..., Run]:
    return training
