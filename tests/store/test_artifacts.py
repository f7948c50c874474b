"""The files a run made: where they lie, and that no log leads out of the project."""

from __future__ import annotations

import json

import pytest

from tests.support.ingest import Project

pytestmark = pytest.mark.duckdb15


def test_files_are_found_from_the_project_and_from_the_runs_folder_and_nowhere_else(project: Project) -> None:
    for place in ("plots/roc.png", "runs/one/loss.png"):
        (project.root / place).parent.mkdir(parents=True, exist_ok=True)
        (project.root / place).write_bytes(b"image")
    outside = project.root.parent / "secret.png"
    outside.write_bytes(b"image")
    names = (
        "plots/roc.png",
        "loss.png",
        "gone.png",
        "../secret.png",
        str(outside),
        str(project.root / "plots/roc.png"),
    )
    rows = [{"t": "run", "v": 1, "id": "one", "name": "one"}]
    rows += [{"t": "artifact", "key": f"{at} {name}", "path": name} for at, name in enumerate(names)]
    project.write("runs/one/log.wb.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    project.read(final=True)
    (run,) = project.query.runs()
    found = {each.path: each.place for each in project.query.artifacts(run.id)}
    roc, loss = (str((project.root / place).resolve()) for place in ("plots/roc.png", "runs/one/loss.png"))
    assert found == {
        names[0]: roc, names[1]: loss, names[2]: "", names[3]: "", names[4]: "", names[5]: roc,
    }  # fmt: skip
