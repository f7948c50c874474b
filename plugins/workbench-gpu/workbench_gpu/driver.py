"""Asks NVML, or nvidia-smi where that cannot be loaded.

Every field that it refuses becomes None with its reason, and no refusal takes another field with it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from workbench_gpu import smi
from workbench_gpu.model import Absent, Device, Instance, Machine, Process

_NO_INSTANCE = 0xFFFFFFFF
_LISTS = (("C", "Compute"), ("G", "Graphics"), ("M", "MPSCompute"))


class Driver:
    """NVML, opened at the first look and kept open: the panel has no end at which it could be closed, and opening it
    anew each time wakes a sleeping driver for up to a second.
    """

    def __init__(self, nvml: ModuleType | None = None, ask_smi: smi.Ask | None = None) -> None:
        """`nvml` is pynvml, or what stands in for it; None imports it at the first look. `ask_smi` gives the XML of
        nvidia-smi; None runs it.
        """
        self._nvml: Any = nvml
        self._ask_smi = ask_smi
        self._open = False

    def look(self) -> Machine | Absent:
        """Every device as it is now, or why none can be seen; never raises what NVML does."""
        found = self._by_nvml()
        if isinstance(found, Absent) and found.is_unloadable:
            return smi.look(self._ask_smi or smi.asked_smi) or found
        return found

    def _by_nvml(self) -> Machine | Absent:
        try:
            nvml = self._nvml = self._nvml or _pynvml()
        except ImportError as error:
            return Absent("nvidia-ml-py cannot be imported", f"{error}. Next: pip install nvidia-ml-py", True)
        try:
            if not self._open:
                nvml.nvmlInit()
                self._open = True
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self._open = False
            return _absent(nvml, error)
        if not count:
            return Absent(
                "No NVIDIA GPU",
                "The driver is there but shows no device. Next: nvidia-smi -L; a container needs --gpus all",
            )
        asked = _Questions(nvml)
        return Machine([_device(nvml, index) for index in range(count)], asked("driver", "nvmlSystemGetDriverVersion"))


class _Questions:
    """Questions to NVML about one subject; `unread` keeps why there was no answer."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        # A driver older than the binding lacks functions; the binding says so with an error outside NVML's own.
        self._refusals = (nvml.NVMLError, nvml.NVMLLibraryMismatchError)
        self.unread: dict[str, str] = {}

    def __call__(self, subject: str, function: str, *arguments: Any) -> Any:
        """The answer of a function of NVML, or None."""
        return self.first(subject, (function, *arguments))

    def first(self, subject: str, *calls: tuple[Any, ...]) -> Any:
        """The answer of the first of several calls that means the same, the newest API before older ones, or None."""
        reason = "not known to this nvidia-ml-py"
        for function, *arguments in calls:
            ask = getattr(self._nvml, function, None)
            if ask is None:
                continue
            try:
                return ask(*arguments)
            except self._refusals as error:
                reason = _words(error)
        self.unread[subject] = reason
        return None


def _device(nvml: Any, index: int) -> Device:
    ask = _Questions(nvml)
    handle = ask("device", "nvmlDeviceGetHandleByIndex", index)
    if handle is None:
        return Device(index, unread=ask.unread)
    busy = ask("utilization", "nvmlDeviceGetUtilizationRates", handle)
    memory = ask.first(
        "memory",
        ("nvmlDeviceGetMemoryInfo", handle, getattr(nvml, "nvmlMemory_v2", None)),
        ("nvmlDeviceGetMemoryInfo", handle),
    )
    temperature = ask.first(
        "temperature",
        ("nvmlDeviceGetTemperatureV", handle, nvml.NVML_TEMPERATURE_GPU),
        ("nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU),
    )
    cut = _is_cut(nvml, handle)
    return Device(
        index,
        ask("name", "nvmlDeviceGetName", handle),
        ask("uuid", "nvmlDeviceGetUUID", handle),
        cut,
        None if busy is None else busy.gpu / 100,
        None if memory is None else memory.used,
        None if memory is None else memory.total,
        None if temperature is None else float(temperature),
        _watts(ask("power", "nvmlDeviceGetPowerUsage", handle)),
        _watts(_Questions(nvml)("power limit", "nvmlDeviceGetEnforcedPowerLimit", handle)),
        _processes(nvml, handle, ask),
        ask.unread,
        _instances(nvml, handle) if cut else (),
    )


def _is_cut(nvml: Any, handle: Any) -> bool:
    """Whether MIG is on; a device that knows no MIG refuses the question."""
    modes = _Questions(nvml)("MIG", "nvmlDeviceGetMigMode", handle)
    return modes is not None and modes[0] == nvml.NVML_DEVICE_MIG_ENABLE


def _instances(nvml: Any, handle: Any) -> tuple[Instance, ...]:
    """The MIG devices of a device; slots without one are refused and left out."""
    ask = _Questions(nvml)
    found = []
    for index in range(ask("instances", "nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
        part = ask("instance", "nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
        if part is None:
            continue
        memory = ask("memory", "nvmlDeviceGetMemoryInfo", part)
        gpu_instance = ask("GPU instance", "nvmlDeviceGetGpuInstanceId", part)
        compute_instance = ask("compute instance", "nvmlDeviceGetComputeInstanceId", part)
        name = ask("name", "nvmlDeviceGetName", part)
        used, total = (None, None) if memory is None else (memory.used, memory.total)
        profile = name.rpartition("MIG ")[2] if name else None
        found.append(Instance(index, gpu_instance, compute_instance, profile, used, total))
    return tuple(found)


def _processes(nvml: Any, handle: Any, ask: _Questions) -> tuple[Process, ...] | None:
    """Processes by memory, the largest first; None where not even those that compute are told."""
    found: dict[int, Process] = {}
    for kind, infos in _lists(nvml, handle, ask):
        if infos is None and kind == "C":
            return None
        for info in infos or ():
            known = found.get(info.pid)
            if known is None:
                found[info.pid] = Process(info.pid, kind, info.usedGpuMemory, _name(nvml, info.pid), _instance_of(info))
            else:
                memory = max(known.memory or 0, info.usedGpuMemory or 0) or None
                found[info.pid] = replace(known, kinds=f"{known.kinds}+{kind}", memory=memory)
    return tuple(sorted(found.values(), key=lambda process: (-(process.memory or 0), process.pid)))


def _instance_of(info: Any) -> int | None:
    """The GPU instance of a process; NVML says so with all bits set where there is none."""
    instance = getattr(info, "gpuInstanceId", None)
    return None if instance is None or instance == _NO_INSTANCE else int(instance)


def _lists(nvml: Any, handle: Any, ask: _Questions) -> Iterator[tuple[str, Any]]:
    """The three lists of processes; only the missing of the first is worth a word: many devices draw nothing."""
    for kind, name in _LISTS:
        function = f"nvmlDeviceGet{name}RunningProcesses"
        questions = ask if kind == "C" else _Questions(nvml)
        yield kind, questions.first("processes", (function, handle), (f"{function}_v2", handle))


def _name(nvml: Any, pid: int) -> str | None:
    """The program's file name; None for another user's process, or one that is gone."""
    path = _Questions(nvml)("process", "nvmlSystemGetProcessName", pid)
    return path.rpartition("/")[2] if path else None


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else round(milliwatts / 1000, 1)


def _pynvml() -> ModuleType:
    import pynvml

    module: ModuleType = pynvml
    return module


def _words(error: Exception) -> str:
    return str(error).rstrip(".")


def _absent(nvml: Any, error: Exception) -> Absent:
    """Why NVML cannot be used on this machine, and the next step."""
    code, words = getattr(error, "value", None), _words(error)
    if code == nvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        if sys.platform == "darwin":
            return Absent("No NVIDIA driver", "NVIDIA makes none for macOS; the panel shows GPUs on Linux.", True)
        hint = "install the driver, or start the container with --gpus all; nvidia-smi then lists the GPUs"
        return Absent("No NVIDIA driver", f"{words} (libnvidia-ml.so.1). Next: {hint}", True)
    titles = {
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: (
            "The NVIDIA driver is not loaded",
            "sudo modprobe nvidia, then nvidia-smi",
        ),
        nvml.NVML_ERROR_NO_PERMISSION: (
            "The NVIDIA driver may not be asked",
            "ls -l /dev/nvidiactl shows who may; often the groups video and render",
        ),
        nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
            "The NVIDIA driver and its library are of different versions",
            "reboot; the driver was updated while it was loaded",
        ),
    }
    title, step = titles.get(code, ("The NVIDIA driver does not answer", "nvidia-smi, which asks the same library"))
    return Absent(title, f"{words}. Next: {step}")
