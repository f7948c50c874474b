"""What `plugins check` does: loads plugins, runs the battery on each, and says what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from workbench.cli.project import fail, tell
from workbench.core.config import nearest
from workbench.core.text import plain
from workbench.panels.registry import plugin_problems
from workbench.plugin.api import Reader
from workbench.plugin.discovery import KINDS, Loaded, listed, loaded_of
from workbench.plugin.testing import problems


def check_plugins(names: Sequence[str], sample: Path | None) -> bool:
    """Check these plugins, or all; False when one has a problem.

    Raises:
        ClickException: there is no plugin of such a name.
    """
    known = [*listed(), *(loaded.plugin for loaded in _all())]
    answers = {*(each.name for each in known), *(each.distribution for each in known)} - {""}
    answers |= {loaded.made.name for loaded in _all()}
    for name in names:
        if name not in answers:
            raise fail(f"no plugin {name!r}{nearest(name, answers)}\n  next: workbench plugins list", 2)
    good = True
    for failure in plugin_problems():
        if not names or {failure.plugin.name, failure.plugin.distribution}.intersection(names):
            good = False
            click.echo(f"✗ {plain(failure.plugin.words)}\n    {plain(failure.error)}")
    chosen = [each for each in _all() if not names or _is_asked(each, names)]
    for loaded in chosen:
        good &= _check(loaded, sample)
    if not chosen and good:
        tell("no plugins; workbench plugins new NAME writes one")
    return good


def _all() -> Sequence[Loaded]:
    return [loaded for group in KINDS for loaded in loaded_of(group)]


def _is_asked(loaded: Loaded, names: Sequence[str]) -> bool:
    return bool({loaded.plugin.name, loaded.plugin.distribution, loaded.made.name}.intersection(names))


def _check(loaded: Loaded, sample: Path | None) -> bool:
    made: Any = loaded.made
    words = loaded.plugin.words if made.name == loaded.plugin.name else f"{made.name}: {loaded.plugin.words}"
    if isinstance(made, Reader) and sample is None:
        click.echo(f"– {plain(words)}\n    a reader is checked on a file of its format: --sample FILE")
        return True
    found = problems(made, sample.read_bytes() if sample else b"", sample.name if sample else "train.log")
    click.echo(f"{'✗' if found else '✓'} {plain(words)}")
    for problem in found:
        click.echo(f"    {plain(problem, limit=600)}")
    return not found
