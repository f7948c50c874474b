"""Devices, processes and history as blocks, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.plugin.api import Block, Cell, Column, Columns, Empty, Line, Lines, Note, Run, Stack, Table
from workbench_gpu.model import Absent, Device, GpuData, Machine, Process, Sample

_DEVICES = (
    Column("index", "gpu", align="right", priority=0),
    Column("name", "name", priority=4),
    Column("utilization", "busy", "share", "right", priority=0),
    Column("memory_used", "memory", "bytes", "right", priority=0),
    Column("memory_total", "of", "bytes", "right", priority=2),
    Column("temperature", "temp", "°C", "right", priority=3),
    Column("power", "power", "W", "right", priority=3),
    Column("power_limit", "limit", "W", "right", priority=5),
    Column("runs", "runs", priority=1),
)
_PROCESSES = (
    Column("gpu", "gpu", align="right", priority=0),
    Column("pid", "pid", align="right", priority=0),
    Column("memory", "memory", "bytes", "right", priority=1),
    Column("run", "run", priority=0),
    Column("state", "state", priority=3),
    Column("name", "process", priority=2),
    Column("kinds", "type", priority=4),
)


def machine_block(data: GpuData) -> Block:
    """Everything, most wanted first: devices, their processes, what was not told, and curves."""
    if isinstance(data.found, Absent):
        return Empty(data.found.title, data.found.hint)
    devices = data.found.devices
    blocks: list[Block] = [_device_table(data, devices), _process_block(data, devices)]
    blocks += [Note(text, "dim") for text in _remarks(devices)]
    charts = [_chart(data, devices, *each) for each in (("busy, %", _busy), ("memory, %", _full))]
    drawn = [chart for chart in charts if chart.lines]
    if drawn:
        blocks.append(Columns(drawn))
    return Stack(blocks)


def machine_shape(data: GpuData) -> dict[str, Any]:
    """The same, JSON-able; what the driver does not tell is null, and `unread` says why."""
    if not isinstance(data.found, Machine):
        return {"driver": None, "reason": f"{data.found.title}: {data.found.hint}", "devices": []}
    devices = [_device_shape(device, data.owners) for device in data.found.devices]
    return {"driver": data.found.driver, "reason": None, "devices": devices}


def _device_table(data: GpuData, devices: Sequence[Device]) -> Table:
    return Table(_DEVICES, [_device_row(device, data.owners) for device in devices])


def _device_row(device: Device, owners: Mapping[int, Run]) -> list[Cell]:
    names = dict.fromkeys(run.name for run in _runs_on(device, owners))
    name = f"{device.name or ''} (MIG)" if device.mig else device.name
    return [
        Cell(device.index),
        Cell(name),
        Cell(device.utilization),
        Cell(device.memory_used),
        Cell(device.memory_total),
        Cell(device.temperature),
        Cell(device.power),
        Cell(device.power_limit),
        Cell(", ".join(names), "accent") if names else Cell(None),
    ]


def _process_block(data: GpuData, devices: Sequence[Device]) -> Block:
    """A row for each process on each device."""
    listed = [(device, process) for device in devices for process in device.processes or ()]
    if not listed:
        told = any(device.processes is not None for device in devices)
        return Note("No process is on a GPU." if told else "The driver does not tell which processes use it.", "dim")
    return Table(_PROCESSES, [_process_row(device, each, data.owners.get(each.pid)) for device, each in listed])


def _process_row(device: Device, process: Process, run: Run | None) -> list[Cell]:
    ended = run is not None and run.ended_at is not None
    return [
        Cell(device.index),
        Cell(process.pid, text=str(process.pid)),
        Cell(process.memory),
        Cell(run.name, "accent") if run else Cell(None),
        Cell(run.status, "warn" if ended else "") if run else Cell(None),
        Cell(process.name),
        Cell(process.kinds),
    ]


def _remarks(devices: Sequence[Device]) -> list[str]:
    """What is missing, and why, once for all devices that it is missing on."""
    lacking: dict[str, list[int]] = {}
    for device in devices:
        for subject, reason in device.unread.items():
            lacking.setdefault(f"{subject} ({reason})", []).append(device.index)
    remarks = []
    if lacking:
        told = [f"{what}{_on(indices, devices)}" for what, indices in lacking.items()]
        remarks.append(f"Not told by the driver: {', '.join(told)}.")
    cut = [device.index for device in devices if device.mig]
    if cut:
        which = "The GPU" if len(devices) == 1 else f"GPU {', '.join(map(str, cut))}"
        remarks.append(f"{which} is cut by MIG: figures are of the whole device, instances are not read.")
    return remarks


def _on(indices: Sequence[int], devices: Sequence[Device]) -> str:
    """On which devices; nothing where there is but one."""
    if len(devices) == 1:
        return ""
    return " on every GPU" if len(indices) == len(devices) else f" on GPU {', '.join(map(str, indices))}"


def _busy(sample: Sample) -> float:
    return 100 * sample.utilization


def _full(sample: Sample) -> float:
    return 100 * sample.memory


def _chart(data: GpuData, devices: Sequence[Device], title: str, value: Callable[[Sample], float]) -> Lines:
    """One curve a device that has at least two values."""
    lines = []
    for device in devices:
        samples = data.history.get(device.id, ())
        y = np.asarray([value(sample) for sample in samples], np.float64)
        if np.isfinite(y).sum() > 1:
            x = np.asarray([sample.at for sample in samples], np.float64)
            lines.append(Line(f"GPU {device.index}", x, y, color=device.index))
    return Lines(lines, title, "time", "%", x_kind="time")


def _runs_on(device: Device, owners: Mapping[int, Run]) -> list[Run]:
    return [owners[process.pid] for process in device.processes or () if process.pid in owners]


def _device_shape(device: Device, owners: Mapping[int, Run]) -> dict[str, Any]:
    names = (
        "index", "name", "uuid", "mig", "utilization", "memory_used", "memory_total", "temperature", "power",
        "power_limit",
    )  # fmt: skip
    told = device.processes
    processes = None if told is None else [_process_shape(process, owners.get(process.pid)) for process in told]
    return {name: getattr(device, name) for name in names} | {"unread": dict(device.unread), "processes": processes}


def _process_shape(process: Process, run: Run | None) -> dict[str, Any]:
    shown = None if run is None else {"id": run.id, "name": run.name, "status": run.status}
    return {"pid": process.pid, "type": process.kinds, "memory": process.memory, "name": process.name, "run": shown}
