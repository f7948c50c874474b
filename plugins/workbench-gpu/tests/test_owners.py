"""Whose run a process on the GPU is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from workbench_gpu.owners import ThisHost, owners_of


def names(found) -> dict[int, str]:
    return {pid: run.name for pid, run in found.items()}


def test_a_process_that_made_a_run_belongs_to_it(host, run):
    assert names(owners_of([4242, 1717], [run(4242)], host)) == {4242: "resnet"}


def test_workers_that_a_training_script_spawned_belong_to_its_run(host, run):
    host.parents = {4301: 4300, 4300: 4242, 4242: 1, 99: 98, 98: 1}
    assert names(owners_of([4301, 99], [run(4242)], host)) == {4301: "resnet"}


@pytest.mark.parametrize(
    "changed",
    [{"host": "node8"}, {"boot": "another"}, {"start_ticks": 7}, {"pid": "4242"}],
    ids=["another host", "before the reboot", "the pid was used again", "a pid that is no number"],
)
def test_a_run_of_another_process_is_never_taken_for_this_one(host, run, changed):
    other = run(4242)
    other = replace(other, environment={**other.environment, **changed})
    assert not owners_of([4242], [other], host)


def test_where_nothing_tells_processes_apart_the_pid_decides(host, run):
    host.boot, host.ticks = None, {}
    assert names(owners_of([4242], [run(4242)], host)) == {4242: "resnet"}
    logged_by_others = replace(run(4242), environment={"pid": 4242, "host": "node7"})
    assert names(owners_of([4242], [logged_by_others], host)) == {4242: "resnet"}


def test_of_several_runs_of_one_process_the_one_that_goes_on_has_it(host, run):
    search = [run(4242, "trial-3", ended_at=3.0), run(4242, "trial-2"), run(4242, "trial-1", ended_at=1.0)]
    assert names(owners_of([4242], search, host)) == {4242: "trial-2"}
    assert names(owners_of([4242], [search[0], search[2]], host)) == {4242: "trial-3"}


def test_a_process_tree_that_goes_in_circles_ends(host, run):
    host.parents = {7: 8, 8: 7}
    assert not owners_of([7], [run(4242)], host)


def test_this_host_reads_a_process_whose_name_is_meant_to_confuse(tmp_path: Path):
    fields = ["S", "17", *map(str, range(5, 23))]
    fields[19] = "123456"
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "stat").write_text(f"42 (a) b) (c) {' '.join(fields)}\n")
    host = ThisHost(tmp_path, "node7")
    assert (host.parent(42), host.started(42)) == (17, 123456)
    assert (host.parent(43), host.started(43), host.boot) == (None, None, None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")
def test_this_host_knows_this_process_as_the_logging_api_does():
    from workbench import tracking

    logged = tracking._process()
    host = ThisHost()
    assert (host.name, host.boot) == (logged["host"], logged["boot"])
    assert host.started(os.getpid()) == logged["start_ticks"]
    assert host.parent(os.getpid()) == os.getppid()
