"""The panel: the devices, the processes on them with their runs, and what the last day was like."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from workbench.plugin.api import Block, Fit, Focus, Panel, Query, Run
from workbench_gpu import smi
from workbench_gpu.driver import Driver
from workbench_gpu.history import History
from workbench_gpu.logged import RUNS, logged_by
from workbench_gpu.model import Absent, Device, GpuData, Logged, Machine
from workbench_gpu.owners import Host, ThisHost, owners_of
from workbench_gpu.views import machine_block, machine_shape

RUNS_FOR = 10.0
"""Seconds that an answer about runs is good for while the same processes are there: asking reads every run."""
SMI_FOR = 10.0
"""Seconds that an answer of nvidia-smi is good for: it starts a program, and may wake every GPU."""


class GpuPanel(Panel):
    """NVIDIA GPUs of this machine, whose run is on them, and what a run logged of its own."""

    name = "gpu"
    title = "GPU"
    key = "T"
    every = 2.0

    def __init__(
        self,
        nvml: ModuleType | None = None,
        clock: Callable[[], float] = time.time,
        host: Host | None = None,
        ask_smi: smi.Ask | None = None,
    ) -> None:
        """`nvml` is pynvml, or what stands in for it; None imports it at the first load."""
        self._driver = Driver(nvml, ask_smi)
        self._clock = clock
        self._host = host
        self._history = History(self.every)
        self._runs: tuple[float, frozenset[int], Mapping[int, Run]] = (-math.inf, frozenset(), {})
        self._logged: tuple[tuple[str, str | None] | None, Logged | None] = (None, None)
        self._looked: tuple[float, Machine | Absent] | None = None
        self._one_at_a_time = threading.Lock()

    def load(self, query: Query, focus: Focus) -> GpuData:
        """Look at every device, ask whose run its processes are, and what the run looked at logged."""
        with self._one_at_a_time:
            now = self._clock()
            found, logged = self._look(now), self._logged_of(query, focus)
            if not isinstance(found, Machine):
                return GpuData(found, logged=logged)
            self._history.open(query.root(), self._this_host().name, now)
            self._history.remember(found.devices, now)
            history = {device.id: self._history.of(device.id) for device in found.devices}
            owners = self._owners(query, found.devices, now)
            return GpuData(found, history, owners, logged, self._history.remark)

    def view(self, data: GpuData, fit: Fit) -> Block:
        """A row a device, a row a process, and curves once there is more than one moment to show."""
        return machine_block(data)

    def to_json(self, data: GpuData) -> dict[str, Any]:
        """The devices with their processes and runs, or the reason why there are none."""
        return machine_shape(data)

    def _look(self, now: float) -> Machine | Absent:
        """The devices now; those of nvidia-smi, and their absence, a few seconds ago."""
        if self._looked is not None and 0 <= now - self._looked[0] < SMI_FOR:
            return self._looked[1]
        found = self._driver.look()
        slow = isinstance(found, Machine) and found.source != "NVML"
        self._looked = (now, found) if slow else None
        return found

    def _this_host(self) -> Host:
        self._host = self._host or ThisHost()
        return self._host

    def _owners(self, query: Query, devices: Iterable[Device], now: float) -> Mapping[int, Run]:
        pids = frozenset(process.pid for device in devices for process in device.processes or ())
        if not pids:
            return {}
        asked, known, owners = self._runs
        if pids != known or not 0 <= now - asked < RUNS_FOR:
            owners = owners_of(pids, query.runs(hidden=True), self._this_host())
            self._runs = (now, pids, owners)
        return owners

    def _logged_of(self, query: Query, focus: Focus) -> Logged | None:
        """GPU metrics of the run looked at, or of the newest that has some; asked again when the store changes."""
        asked = query.revision(), focus.run
        if asked != self._logged[0]:
            runs: Sequence[Run] = query.newest(RUNS)
            if focus.run is not None:
                runs = [run for run in runs if run.id == focus.run] or [
                    run for run in query.runs(hidden=True) if run.id == focus.run
                ]
            self._logged = asked, logged_by(query, runs)
        return self._logged[1]
