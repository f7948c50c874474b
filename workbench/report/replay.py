"""The section that says which of the last windows would have failed the gates."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.blocks import Block, Cell, Column, Empty, Note, Stack, Table
from workbench.core.moments import window_name
from workbench.core.query import Fit
from workbench.panels.parts import that_fit
from workbench.panels.shapes import moment, number
from workbench.render.document import Section
from workbench.rules.replay import Replay

_LISTED = 50
_FAILED = (
    Column("window", "window", priority=0), Column("gate", "gate", priority=0),
    Column("value", "value", align="right", priority=0), Column("limit", "limit", align="right", priority=1),
    Column("message", "why", priority=2),
)  # fmt: skip


def replay_section(replayed: Sequence[Replay], fit: Fit) -> Section:
    """How often each gate would have failed, and when and why."""
    shape = [
        {
            "gate": each.gate.name, "check": each.gate.check, "monitor": each.monitor,
            "windows": [
                {"start": moment(window.start), "passed": result.passed, "value": number(result.value),
                 "message": result.message}
                for window, result in each.verdicts
            ],
        }
        for each in replayed
    ]  # fmt: skip
    return Section("Replay", _block(replayed, fit), "replay", shape)


def _block(replayed: Sequence[Replay], fit: Fit) -> Block:
    if not replayed:
        return Empty("No gate asks production", "Replay needs gates on windows, such as flights.auc >= 0.6.")
    blocks: list[Block] = [*map(_sentence, replayed)]
    failed = [(window, each, result) for each in replayed for window, result in each.failed]
    failed.sort(key=lambda one: -one[0].start)
    if failed:
        rows = [
            [
                Cell(window_name(window)),
                Cell(each.gate.name, "bad"),
                Cell(result.value),
                Cell(result.limit),
                Cell(result.message),
            ]
            for window, each, result in failed[:_LISTED]
        ]
        kept = that_fit(_FAILED, rows, fit)
        blocks.append(
            Table([_FAILED[at] for at in kept], [[row[at] for at in kept] for row in rows], "Would have failed")
        )
    return Stack(blocks)


def _sentence(one: Replay) -> Note:
    """`drift would have failed 3 of the last 12 windows of flights, from 2013-05-06 to 2013-05-20`."""
    failed, total = one.failed, len(one.verdicts)
    if not total:
        return Note(f"{one.gate.name} ({one.gate.check}): {one.monitor} has no closed window", "warn")
    if not failed:
        return Note(f"{one.gate.name} ({one.gate.check}) would have passed all of the last {total} windows", "good")
    names = [window_name(window) for window, _ in failed]
    span = names[0] if len(names) == 1 else f"first {names[0]}, last {names[-1]}"
    text = f"{one.gate.name} ({one.gate.check}) would have failed {len(failed)} of the last {total} windows: {span}"
    return Note(text, "bad")
