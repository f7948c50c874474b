"""The panel: the devices, the processes on them with their runs, and what the last minutes were like."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from workbench.plugin.api import Block, Fit, Focus, Panel, Query, Run
from workbench_gpu.driver import Driver
from workbench_gpu.model import Device, GpuData, Machine, Sample
from workbench_gpu.owners import Host, ThisHost, owners_of
from workbench_gpu.views import machine_block, machine_shape

KEPT = 300
"""Samples kept of each device: ten minutes at the panel's own pace."""
RUNS_FOR = 10.0
"""Seconds that an answer about runs is good for while the same processes are there: asking reads every run."""


class GpuPanel(Panel):
    """NVIDIA GPUs of this machine, and whose run is on them."""

    name = "gpu"
    title = "GPU"
    key = "6"
    every = 2.0

    def __init__(
        self, nvml: ModuleType | None = None, clock: Callable[[], float] = time.time, host: Host | None = None
    ) -> None:
        """`nvml` is pynvml, or what stands in for it; None imports it at the first load."""
        self._driver = Driver(nvml)
        self._clock = clock
        self._host = host
        self._history: dict[str, deque[Sample]] = {}
        self._runs: tuple[float, frozenset[int], Mapping[int, Run]] = (-math.inf, frozenset(), {})
        self._one_at_a_time = threading.Lock()

    def load(self, query: Query, focus: Focus) -> GpuData:
        """Look at every device, and ask whose run its processes are."""
        with self._one_at_a_time:
            now = self._clock()
            found = self._driver.look()
            if not isinstance(found, Machine):
                return GpuData(found)
            self._remember(found.devices, now)
            history = {device.id: tuple(self._history[device.id]) for device in found.devices}
            return GpuData(found, history, self._owners(query, found.devices, now))

    def view(self, data: GpuData, fit: Fit) -> Block:
        """A row a device, a row a process, and curves once there is more than one moment to show."""
        return machine_block(data)

    def to_json(self, data: GpuData) -> dict[str, Any]:
        """The devices with their processes and runs, or the reason why there are none."""
        return machine_shape(data)

    def _remember(self, devices: Iterable[Device], now: float) -> None:
        """Keep a sample of each device, unless the last is too young: every change of the store loads the panel."""
        for device in devices:
            samples = self._history.setdefault(device.id, deque(maxlen=KEPT))
            if not samples or not 0 <= now - samples[-1].at < self.every / 2:
                samples.append(Sample(now, _or_nan(device.utilization), _or_nan(device.memory_share)))

    def _owners(self, query: Query, devices: Iterable[Device], now: float) -> Mapping[int, Run]:
        pids = frozenset(process.pid for device in devices for process in device.processes or ())
        if not pids:
            return {}
        asked, known, owners = self._runs
        if pids != known or not 0 <= now - asked < RUNS_FOR:
            self._host = self._host or ThisHost()
            owners = owners_of(pids, query.runs(hidden=True), self._host)
            self._runs = (now, pids, owners)
        return owners


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
