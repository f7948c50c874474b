"""Someone trains on a machine with two GPUs and looks at the panel."""

from __future__ import annotations

import json

import pytest
from workbench_gpu.history import KEPT
from workbench_gpu.model import GpuData, Machine
from workbench_gpu.panel import RUNS_FOR, GpuPanel

from workbench.plugin.api import Block, Cell, Columns, Empty, Fit, Focus, Lines, Note, Stack, Table
from workbench.render.document import Document, Section
from workbench.render.formats import render
from workbench.render.html import render_block_html
from workbench.render.json import to_json
from workbench.render.markdown import render_markdown
from workbench.render.text import render_text

GIB = 1 << 30


@pytest.fixture
def panel(library, nvml, clock, host):
    return GpuPanel(nvml, clock, host)


def parts(block: Block) -> list[Block]:
    if isinstance(block, Stack | Columns):
        return [inner for part in block.blocks for inner in parts(part)]
    return [block]


def tables(panel: GpuPanel, data: GpuData) -> list[list[dict[str, Cell]]]:
    return [
        [dict(zip([column.key for column in block.columns], row, strict=True)) for row in block.rows]
        for block in parts(panel.view(data, Fit()))
        if isinstance(block, Table)
    ]


def test_each_gpu_shows_how_busy_full_and_hot_it_is_and_which_run_is_on_it(panel, project):
    devices, processes = tables(panel, panel.load(project, Focus()))
    assert [row["index"].value for row in devices] == [0, 1]
    first = {key: cell.value for key, cell in devices[0].items()}
    assert first == {
        "index": 0, "name": "NVIDIA H100 80GB HBM3", "utilization": 0.97, "memory_used": 40 * GIB,
        "memory_total": 80 * GIB, "temperature": 63.0, "power": 512.3, "power_limit": 700.0, "runs": "resnet",
    }  # fmt: skip
    assert devices[1]["utilization"].value == 0.0, "idle is 0, not unknown"
    assert devices[1]["runs"].value is None
    assert len(processes) == 1
    assert {key: cell.value for key, cell in processes[0].items()} == {
        "gpu": 0, "pid": 4242, "memory": 39 * GIB, "run": "resnet", "state": "running", "name": "python3.12",
        "kinds": "C",
    }  # fmt: skip


def test_the_last_minutes_become_curves_and_are_bounded(panel, project, library, clock):
    data = panel.load(project, Focus())
    assert not any(isinstance(part, Lines) for part in parts(panel.view(data, Fit()))), "one moment is no curve"
    for second in range(2 * KEPT):
        clock.now += panel.every
        library.gpus[0].busy = second % 100
        data = panel.load(project, Focus())
    busy, memory, degrees, watts = [part for part in parts(panel.view(data, Fit())) if isinstance(part, Lines)]
    assert [line.name for line in busy.lines] == ["GPU 0", "GPU 1"]
    assert busy.lines[0].y.tolist()[-3:] == [97.0, 98.0, 99.0]
    assert len(busy.lines[0].x) == KEPT + KEPT * panel.every // 10 + 1, "ten minutes closely, before that every 10 s"
    assert set(degrees.lines[1].y.tolist()) == {31.0}
    assert set(watts.lines[0].y.tolist()) == {512.3}
    assert busy.lines[0].x[-1] == clock.now
    assert set(memory.lines[0].y.tolist()) == {50.0}


def test_loads_that_the_store_causes_do_not_crowd_the_history(panel, project, clock):
    for _ in range(50):
        clock.now += 0.1
        data = panel.load(project, Focus())
    assert 4 <= len(data.history["GPU-0"]) <= 6, "about one a second, whatever asks"


def test_a_clock_that_is_set_back_does_not_stop_the_history(panel, project, clock):
    panel.load(project, Focus())
    clock.now -= 3600
    assert len(panel.load(project, Focus()).history["GPU-0"]) == 2


def test_runs_are_asked_for_when_processes_change_and_now_and_then(panel, project, library, clock):
    panel.load(project, Focus())
    panel.load(project, Focus())
    assert project.asked == 1
    library.gpus[1].compute = {77: GIB}
    panel.load(project, Focus())
    assert project.asked == 2
    clock.now += RUNS_FOR
    panel.load(project, Focus())
    assert project.asked == 3
    for each in library.gpus:
        each.compute = {}
    clock.now += RUNS_FOR
    panel.load(project, Focus())
    assert project.asked == 3, "an idle machine costs no query"


def test_what_the_driver_refuses_is_a_dash_with_its_reason_and_takes_nothing_else_along(panel, project, library, nvml):
    refused = {
        "power": nvml.NVML_ERROR_NOT_SUPPORTED,
        "processes": nvml.NVML_ERROR_NO_PERMISSION,
        "utilization": nvml.NVML_ERROR_NOT_SUPPORTED,
    }
    library.gpus[0].refused = refused
    data = panel.load(project, Focus())
    devices = tables(panel, data)[0]
    assert [devices[0][key].value for key in ("utilization", "power", "power_limit", "runs")] == [None] * 4
    assert [devices[0][key].value for key in ("memory_used", "temperature")] == [40 * GIB, 63.0]
    assert devices[1]["power"].value == 68.0
    text = render_text(panel.view(data, Fit()), Fit(160))
    assert "–" in text
    assert "power (Not Supported) on GPU 0" in text
    assert "processes (Insufficient Permissions) on GPU 0" in text


def test_a_gpu_that_fell_off_the_bus_leaves_the_others_their_row(panel, project, library, nvml):
    library.gpus[1].refused = {"device": nvml.NVML_ERROR_GPU_IS_LOST}
    data = panel.load(project, Focus())
    devices = tables(panel, data)[0]
    assert [row["utilization"].value for row in devices] == [0.97, None]
    assert "GPU is lost) on GPU 1" in render_text(panel.view(data, Fit()), Fit(100))


def test_a_gpu_with_unified_memory_shows_what_its_processes_hold(panel, project, library, nvml):
    library.gpus[0].refused = {"memory": nvml.NVML_ERROR_NOT_SUPPORTED}
    devices, processes = tables(panel, panel.load(project, Focus()))
    assert devices[0]["memory_used"].value is devices[0]["memory_total"].value is None
    assert processes[0]["memory"].value == 39 * GIB


def test_mig_devices_have_a_row_each_with_the_runs_on_them(panel, project, library, nvml, part):
    library.gpus[0].mig = nvml.NVML_DEVICE_MIG_ENABLE
    library.gpus[0].parts = {0: part(1), 2: part(5, used=0)}
    library.gpus[0].placed = {4242: 1}
    library.gpus[0].refused = {"utilization": nvml.NVML_ERROR_NOT_SUPPORTED}
    library.gpus[1].mig = None
    data = panel.load(project, Focus())
    devices, instances, processes = tables(panel, data)
    assert devices[0]["name"].value == "NVIDIA H100 80GB HBM3 (MIG)"
    assert [{key: cell.value for key, cell in row.items()} for row in instances] == [
        {"gpu": 0, "mig": 0, "profile": "3g.40gb", "instance": 1, "memory_used": 5 * GIB, "memory_total": 40 * GIB,
         "runs": "resnet"},
        {"gpu": 0, "mig": 2, "profile": "3g.40gb", "instance": 5, "memory_used": 0, "memory_total": 40 * GIB,
         "runs": None},
    ]  # fmt: skip
    assert processes[0]["instance"].value == 1
    text = render_text(panel.view(data, Fit()), Fit(160))
    assert "MIG is on on GPU 0" not in text
    assert "GPU 0 is cut by MIG" in text


def test_a_finished_run_that_still_holds_memory_stands_out(panel, project, run):
    project.all_runs = [run(4242, status="finished", ended_at=1_767_614_100.0)]
    row = tables(panel, panel.load(project, Focus()))[1][0]
    assert (row["state"].value, row["state"].tone) == ("finished", "warn")


def test_a_process_that_computes_and_draws_is_one_row(panel, project, library):
    library.gpus[0].graphics = {4242: 1 * GIB, 900: GIB // 8}
    library.gpus[0].mps = {555: 2 * GIB}
    rows = tables(panel, panel.load(project, Focus()))[1]
    found = [(row["pid"].value, row["kinds"].value, row["memory"].value) for row in rows]
    assert found == [(4242, "C+G", 39 * GIB), (555, "M", 2 * GIB), (900, "G", GIB // 8)]


def test_memory_of_a_process_that_the_driver_does_not_know_is_unknown(panel, project, library, nvml):
    library.gpus[0].compute = {4242: nvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value}
    assert tables(panel, panel.load(project, Focus()))[1][0]["memory"].value is None


def test_an_idle_machine_says_that_nothing_runs(panel, project, library):
    library.gpus[0].compute = {}
    assert Note("No process is on a GPU.", "dim") in parts(panel.view(panel.load(project, Focus()), Fit()))


def test_an_older_driver_is_asked_in_its_own_words(panel, project, library):
    library.missing = {
        "nvmlDeviceGetTemperatureV", "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    }  # fmt: skip
    data = panel.load(project, Focus())
    assert isinstance(data.found, Machine)
    device = data.found.devices[0]
    assert (device.temperature, device.memory_used) == (63.0, 41 * GIB)
    assert [process.pid for process in device.processes or ()] == [4242]
    assert not device.unread


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 160])
def test_it_fits_any_terminal_and_keeps_what_matters(panel, project, library, clock, columns):
    for _ in range(30):
        clock.now += 2
        data = panel.load(project, Focus())
    for unicode in (True, False):
        fit = Fit(columns, unicode=unicode)
        lines = render_text(panel.view(data, fit), fit).splitlines()
        assert max(map(len, lines)) <= columns
        text = "\n".join(lines)
        assert "97.0 %" in text and "40.0 GiB" in text and "4242" in text and "resnet" in text


def test_it_renders_in_every_format_of_the_report(panel, project, clock, library):
    library.gpus[0].name = "H100 \x1b[31m<script>|[/]"
    panel.load(project, Focus())
    clock.now += 2
    data = panel.load(project, Focus())
    block = panel.view(data, Fit(120))
    document = Document("report", sections=[Section("GPU", block, "gpu", panel.to_json(data))])
    for format in ("text", "md", "html", "json"):
        page = render(document, format)
        assert "resnet" in page
        assert "\x1b" not in page
        assert "<script>" not in page or format in ("text", "json")
    assert json.loads(json.dumps(to_json(block)))["type"] == "stack"
    assert "resnet" in render_markdown(block) and "resnet" in render_block_html(block)


def test_json_names_devices_processes_and_runs(panel, project):
    shape = panel.to_json(panel.load(project, Focus()))
    assert shape["driver"] == "580.95.05"
    assert shape["reason"] is None
    assert shape["devices"][0]["utilization"] == 0.97
    assert shape["devices"][0]["processes"] == [
        {
            "pid": 4242, "type": "C", "memory": 39 * GIB, "name": "python3.12", "instance": None,
            "run": {"id": "resnet000000", "name": "resnet", "status": "running"},
        }
    ]  # fmt: skip
    assert shape["devices"][1]["processes"] == []
    json.dumps(shape, allow_nan=False)


def test_a_driver_that_goes_away_and_comes_back_is_opened_again(panel, project, library):
    assert panel.load(project, Focus()).history
    library.opened = 0
    assert isinstance(panel.view(panel.load(project, Focus()), Fit()), Empty)
    data = panel.load(project, Focus())
    assert isinstance(data.found, Machine)
    assert library.opened == 1, "opened once, then kept open"
