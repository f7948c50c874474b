"""Devices, processes and history as blocks, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from workbench.plugin.api import Block, Cell, Column, Empty, Note, Run, Stack, Table
from workbench_gpu.charts import history_blocks, logged_blocks
from workbench_gpu.model import Absent, Device, GpuData, Instance, Machine, Process

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
    Column("instance", "instance", align="right", priority=1),
)
_INSTANCES = (
    Column("gpu", "gpu", align="right", priority=0),
    Column("mig", "MIG", align="right", priority=0),
    Column("profile", "profile", priority=2),
    Column("instance", "instance", align="right", priority=3),
    Column("memory_used", "memory", "bytes", "right", priority=0),
    Column("memory_total", "of", "bytes", "right", priority=1),
    Column("runs", "runs", priority=1),
)


def machine_block(data: GpuData) -> Block:
    """Everything, most wanted first: devices, their processes, what was not told, and curves."""
    if isinstance(data.found, Absent):
        nothing = Empty(data.found.title, data.found.hint)
        logged = logged_blocks(data.logged)
        return Stack([*logged, nothing]) if logged else nothing
    devices = data.found.devices
    blocks: list[Block] = [_device_table(data, devices), *_instance_tables(data, devices)]
    blocks.append(_process_block(data, devices))
    blocks += [Note(text, "dim") for text in _remarks(devices)]
    if data.found.source != "NVML":
        blocks.append(
            Note(f"Told by {data.found.source}, every few seconds: NVML itself cannot be loaded here.", "dim")
        )
    if data.remark:
        blocks.append(Note(data.remark, "warn"))
    return Stack([*blocks, *history_blocks(data, devices), *logged_blocks(data.logged)])


def machine_shape(data: GpuData) -> dict[str, Any]:
    """The same, JSON-able; what the driver does not tell is null, and `unread` says why."""
    if not isinstance(data.found, Machine):
        return {"driver": None, "reason": f"{data.found.title}: {data.found.hint}", "devices": []}
    devices = [_device_shape(device, data.owners) for device in data.found.devices]
    return {"driver": data.found.driver, "source": data.found.source, "reason": None, "devices": devices}


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


def _instance_tables(data: GpuData, devices: Sequence[Device]) -> list[Block]:
    """A row for each MIG device, with the runs on it."""
    rows = [_instance_row(data, device, part) for device in devices for part in device.instances]
    return [Table(_INSTANCES, rows)] if rows else []


def _instance_row(data: GpuData, device: Device, part: Instance) -> list[Cell]:
    on_it = [process for process in device.processes or () if process.instance == part.gpu_instance]
    names = dict.fromkeys(data.owners[process.pid].name for process in on_it if process.pid in data.owners)
    return [
        Cell(device.index),
        Cell(part.index),
        Cell(part.name),
        Cell(part.gpu_instance),
        Cell(part.memory_used),
        Cell(part.memory_total),
        Cell(", ".join(names), "accent") if part.gpu_instance is not None and names else Cell(None),
    ]


def _process_block(data: GpuData, devices: Sequence[Device]) -> Block:
    """A row for each process on each device."""
    listed = [(device, process) for device in devices for process in device.processes or ()]
    if not listed:
        told = any(device.processes is not None for device in devices)
        return Note("No process is on a GPU." if told else "The driver does not tell which processes use it.", "dim")
    cut = any(process.instance is not None for _, process in listed)
    rows = [_process_row(device, each, data.owners.get(each.pid)) for device, each in listed]
    if cut:
        return Table(_PROCESSES, rows)
    return Table(_PROCESSES[:-1], [row[:-1] for row in rows])


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
        Cell(process.instance),
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
        remarks.append(f"{which} is cut by MIG: how busy an instance is, no driver tells.")
    return remarks


def _on(indices: Sequence[int], devices: Sequence[Device]) -> str:
    """On which devices; nothing where there is but one."""
    if len(devices) == 1:
        return ""
    return " on every GPU" if len(indices) == len(devices) else f" on GPU {', '.join(map(str, indices))}"


def _runs_on(device: Device, owners: Mapping[int, Run]) -> list[Run]:
    return [owners[process.pid] for process in device.processes or () if process.pid in owners]


def _device_shape(device: Device, owners: Mapping[int, Run]) -> dict[str, Any]:
    names = (
        "index", "name", "uuid", "mig", "utilization", "memory_used", "memory_total", "temperature", "power",
        "power_limit",
    )  # fmt: skip
    told = device.processes
    processes = None if told is None else [_process_shape(process, owners.get(process.pid)) for process in told]
    more = {"unread": dict(device.unread), "instances": [asdict(each) for each in device.instances]}
    return {name: getattr(device, name) for name in names} | more | {"processes": processes}


def _process_shape(process: Process, run: Run | None) -> dict[str, Any]:
    shown = None if run is None else {"id": run.id, "name": run.name, "status": run.status}
    names = ("pid", "memory", "name", "instance")
    return {"type": process.kinds, "run": shown} | {name: getattr(process, name) for name in names}
