"""The picture of the README is made by the app, loads nothing, and says nothing of the machine it was made on."""

from __future__ import annotations

import asyncio

from tests.support.ingest import Project, line
from tests.tools.screenshot import picture


def test_the_picture_is_the_same_each_time_and_stands_alone(project: Project):
    for run in ("rule", "tree"):
        project.write(f"{run}/metrics.jsonl", "".join(line(step, loss=1 / (step + 1)) for step in range(9)))
    project.read(final=True)
    project.store.close()
    svg = asyncio.run(picture(project.root, (80, 24)))
    assert svg == asyncio.run(picture(project.root, (80, 24)))
    assert "rule" in svg and "2&#160;marked" in svg
    assert "@font-face" not in svg and "url(http" not in svg
    assert str(project.root) not in svg
