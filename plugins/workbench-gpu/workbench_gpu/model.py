"""What is known of a machine's GPUs at one moment; `None` is what the driver does not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.plugin.api import Run


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a device; memory in bytes."""

    pid: int
    kinds: str
    """How it uses the device: C computes, G draws, M computes through MPS; `C+G` is both."""
    memory: int | None = None
    name: str | None = None


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


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there is nothing to show, and what to do."""

    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class Sample:
    """How busy and how full a device was, at a time in seconds since 1970; shares of 1, NaN where unknown."""

    at: float
    utilization: float
    memory: float


@dataclass(frozen=True, slots=True)
class GpuData:
    """What the panel shows: the machine now, what each device did before, and whose run each process is."""

    found: Machine | Absent
    history: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """By the device's id, oldest first."""
    owners: Mapping[int, Run] = field(default_factory=dict)
    """By pid."""
