"""What is known of a machine's GPUs at one moment; `None` is what the driver does not tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.plugin.api import Run, Series


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a device; memory in bytes."""

    pid: int
    kinds: str
    """How it uses the device: C computes, G draws, M computes through MPS; `C+G` is both."""
    memory: int | None = None
    name: str | None = None
    instance: int | None = None
    """The GPU instance it is on, where the device is cut by MIG."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One MIG device: memory in bytes. How busy it is, no driver tells."""

    index: int
    gpu_instance: int | None = None
    compute_instance: int | None = None
    name: str | None = None
    """Its profile, such as `1g.10gb`; None where it is not told."""
    memory_used: int | None = None
    memory_total: int | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU: shares of 1, bytes, degrees Celsius and watts."""

    index: int
    name: str | None = None
    uuid: str | None = None
    mig: bool = False
    """It is cut into MIG instances; the figures here are those of the whole."""
    utilization: float | None = None
    memory_used: int | None = None
    """Without what the driver keeps for itself, where the driver can tell."""
    memory_total: int | None = None
    temperature: float | None = None
    power: float | None = None
    power_limit: float | None = None
    processes: Sequence[Process] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    """Why a field is None, in the driver's words."""
    instances: Sequence[Instance] = ()
    """Its MIG devices."""

    @property
    def memory_share(self) -> float | None:
        """How full it is."""
        if self.memory_used is None or not self.memory_total:
            return None
        return self.memory_used / self.memory_total

    @property
    def id(self) -> str:
        """What stays the same between two looks."""
        return self.uuid or f"#{self.index}"


@dataclass(frozen=True, slots=True)
class Machine:
    """Every GPU that the driver shows."""

    devices: Sequence[Device]
    driver: str | None = None
    source: str = "NVML"
    """Who was asked: NVML, or the program nvidia-smi where that could not be loaded."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there is nothing to show, and what to do."""

    title: str
    hint: str
    is_unloadable: bool = False
    """NVML itself could not be loaded; the program nvidia-smi may know more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a device was like at a time in seconds since 1970; NaN where unknown."""

    at: float
    utilization: float
    """A share of 1, as is memory."""
    memory: float
    temperature: float = math.nan
    """Degrees Celsius."""
    power: float = math.nan
    """Watts."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What a run itself logged of its GPUs."""

    run: Run
    series: Mapping[str, Sequence[tuple[str, Series]]] = field(default_factory=dict)
    """By figure (`utilization`, `memory`, `temperature`, `power`): name of the GPU and its values."""


@dataclass(frozen=True, slots=True)
class GpuData:
    """What the panel shows: the machine now, what each device did before, and whose run each process is."""

    found: Machine | Absent
    history: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """By the device's id, oldest first."""
    owners: Mapping[int, Run] = field(default_factory=dict)
    """By pid."""
    logged: Logged | None = None
    remark: str = ""
    """Why the history is not kept; empty where it is."""
