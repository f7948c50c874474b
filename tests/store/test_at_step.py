"""Values at a step: the last one logged until then, whatever was written twice."""

from __future__ import annotations

from tests.support.ingest import Project, line


def test_the_value_at_a_step_is_the_last_one_until_then(project: Project) -> None:
    for step in (0, 10, 20):
        project.write("a/log.jsonl", line(step, **{"val/loss": 1.0 - step / 100, "acc": step / 20}), at=1.0)
    project.write("b/log.jsonl", line(15, **{"val/loss": 0.5}), at=2.0)
    project.write("a/log.jsonl", line(10, **{"val/loss": 0.25}), at=3.0)
    project.read(final=True)
    query = project.query
    runs = {run.name: run.id for run in query.runs()}
    found = query.at_step(list(runs.values()), ["val/loss", "acc"], 14)
    assert found == {(runs["a"], "val/loss"): 0.25, (runs["a"], "acc"): 0.5}, "b had not begun, step 10 came twice"
    assert query.at_step([runs["b"]], ["val/loss"], 15) == {(runs["b"], "val/loss"): 0.5}
    assert query.at_step([], ["val/loss"], 15) == {} and query.at_step([runs["a"]], ["no"], 15) == {}
