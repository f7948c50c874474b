"""When a run that was taken up again began."""

from __future__ import annotations

import json

from tests.support.ingest import Project


def start(ts: float) -> str:
    return json.dumps({"v": 1, "t": "start", "run": "r1", "name": "tree", "ts": ts}) + "\n"


def logged(step: int, ts: float) -> str:
    return json.dumps({"t": "log", "step": step, "ts": ts, "m": {"loss": 1.0}}) + "\n"


def test_it_started_when_its_first_process_did_also_across_reads_and_files(project: Project) -> None:
    began = project.now - 5000
    project.write("runs/tree/r1.wb.jsonl", start(began) + logged(1, began + 1))
    project.read()
    project.write("runs/tree/r1.wb.jsonl", start(began + 900) + logged(2, began + 901))
    project.read()
    project.write("runs/tree/r1-2.wb.jsonl", start(began + 2000) + logged(3, began + 2001))
    project.read()
    (run,) = project.query.runs()
    assert run.started_at == began
    assert run.metrics["loss"].n == 3
