"""What the GPUs were like before: across restarts, between processes, and as runs logged it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace
from workbench_gpu.history import EVERY, LARGEST
from workbench_gpu.logged import figure_of, logged_by
from workbench_gpu.panel import GpuPanel

from workbench.plugin.api import Block, Columns, Fit, Focus, Lines, Series, Stack, Summary
from workbench.plugin.checks import check_block
from workbench.render.text import render_text


@pytest.fixture
def kept(project, tmp_path):
    """A project that has a state folder."""
    (tmp_path / ".workbench").mkdir()
    project.folder = tmp_path
    return project


def charts(block: Block) -> list[Lines]:
    if isinstance(block, Stack | Columns):
        return [chart for part in block.blocks for chart in charts(part)]
    return [block] if isinstance(block, Lines) else []


def lines_of(project) -> list[dict]:
    file = project.folder / ".workbench" / "gpu" / "node7.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_workbench_that_is_started_again_shows_the_day_so_far(kept, library, nvml, clock, host):
    before = GpuPanel(nvml, clock, host)
    for _ in range(60):
        before.load(kept, Focus())
        clock.now += 2
    assert len(lines_of(kept)) == 12, "a line in ten seconds"
    clock.now += 3600
    data = GpuPanel(nvml, clock, host).load(kept, Focus())
    samples = data.history["GPU-0"]
    assert len(samples) == 13
    assert (samples[0].utilization, samples[0].temperature, samples[0].power) == (0.97, 63.0, 512.3)
    busy = charts(GpuPanel().view(data, Fit()))[0].lines[0]
    assert np.isnan(busy.y).sum() == 1, "the hour without a look is not bridged"
    check_block(GpuPanel().view(data, Fit()))


def test_a_line_reads_like_any_log_of_metrics(kept, library, nvml, clock, host):
    GpuPanel(nvml, clock, host).load(kept, Focus())
    assert lines_of(kept) == [
        {
            "timestamp": clock.now, "gpu/0/uuid": "GPU-0", "gpu/0/utilization": 0.97, "gpu/0/memory": 0.5,
            "gpu/0/temperature": 63.0, "gpu/0/power": 512.3, "gpu/1/uuid": "GPU-1", "gpu/1/utilization": 0.0,
            "gpu/1/memory": 0.0, "gpu/1/temperature": 31.0, "gpu/1/power": 68.0,
        }
    ]  # fmt: skip


def test_yesterday_and_broken_lines_are_passed_over(kept, library, nvml, clock, host):
    folder = kept.folder / ".workbench" / "gpu"
    folder.mkdir()
    good = {"timestamp": clock.now - 60, "gpu/0/uuid": "GPU-0", "gpu/0/utilization": 0.5}
    old = {**good, "timestamp": clock.now - 100_000}
    later = {**good, "timestamp": clock.now + 3600}
    odd = {**good, "gpu/0/utilization": "high"}
    lines = [json.dumps(line) for line in (good, old, later, odd)]
    (folder / "node7.jsonl").write_text("\n".join(["{", "[]", "null", *lines, '{"timestamp": 1e']) + "\n")
    data = GpuPanel(nvml, clock, host).load(kept, Focus())
    assert [sample.utilization for sample in data.history["GPU-0"]] == [0.5, 0.97]


def test_a_long_file_is_set_aside_and_still_read(kept, library, nvml, clock, host):
    folder = kept.folder / ".workbench" / "gpu"
    folder.mkdir()
    line = json.dumps({"timestamp": clock.now - 60, "gpu/0/uuid": "GPU-0", "gpu/0/utilization": 0.25}) + "\n"
    (folder / "node7.jsonl").write_text(line + "#" * LARGEST + "\n")
    panel = GpuPanel(nvml, clock, host)
    panel.load(kept, Focus())
    assert (folder / "node7.1.jsonl").stat().st_size > LARGEST
    assert len(lines_of(kept)) == 1
    clock.now += EVERY
    data = GpuPanel(nvml, clock, host).load(kept, Focus())
    assert [sample.utilization for sample in data.history["GPU-0"]] == [0.25, 0.97, 0.97]


def test_a_folder_that_cannot_be_written_costs_the_history_and_nothing_else(kept, library, nvml, clock, host):
    (kept.folder / ".workbench" / "gpu").write_text("a file, not a folder")
    panel = GpuPanel(nvml, clock, host)
    data = panel.load(kept, Focus())
    assert "The history is not kept" in render_text(panel.view(data, Fit(100)), Fit(100))
    assert len(data.history["GPU-0"]) == 1


def test_nothing_is_made_where_there_is_no_project(project, library, nvml, clock, host, tmp_path):
    project.folder = tmp_path
    GpuPanel(nvml, clock, host).load(project, Focus())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "figure"),
    [
        ("system/gpu.0.gpu", ("utilization", "GPU 0")),
        ("system/gpu.1.memoryAllocated", ("memory", "GPU 1")),
        ("system/gpu.1.memoryAllocatedBytes", None),
        ("system/gpu.0.temp", ("temperature", "GPU 0")),
        ("system/gpu.0.powerWatts", ("power", "GPU 0")),
        ("system/gpu.0.powerPercent", None),
        ("system/gpu.process.0.gpu", None),
        ("system/gpu_0_utilization_percentage", ("utilization", "GPU 0")),
        ("system/gpu_3_memory_usage_percentage", ("memory", "GPU 3")),
        ("system/gpu_0_memory_usage_megabytes", None),
        ("system/gpu_0_power_usage_watts", ("power", "GPU 0")),
        ("system/gpu/0/utilization", ("utilization", "GPU 0")),
        ("gpu_util", ("utilization", "GPU")),
        ("train/loss", None),
        ("gpuless/loss", None),
    ],
)
def test_names_that_other_loggers_give_their_gpu_metrics(key, figure):
    assert figure_of(key) == figure


def test_a_laptop_shows_what_the_cluster_s_run_logged(project, run, clock):
    key = "system/gpu.0.gpu"
    wall = clock.now + np.arange(5.0)
    project.all_runs = [replace(run(4242), metrics={key: Summary(5, 90.0, 4, 80.0, 99.0)})]
    project.points = {("resnet000000", key): Series("resnet000000", key, np.arange(5), wall, np.full(5, 90.0), 5)}
    logged = logged_by(project, project.all_runs)
    assert logged is not None and list(logged.series) == ["utilization"]
    panel = GpuPanel(ask_smi=lambda: None)
    data = panel.load(project, Focus(run="resnet000000"))
    block = panel.view(data, Fit(100))
    check_block(block)
    assert charts(block)[0].lines[0].y.tolist() == [90.0] * 5
    assert "As resnet logged it" in render_text(block, Fit(100))
