"""Sections that plugins add to reports, as panels without a tab."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.query import Query
from workbench.plugin.api import Block, Fit, Focus, Panel, Section, Stack


class SectionPanel(Panel):
    """A section in a panel's clothes: the report boxes it as it boxes any panel."""

    def __init__(self, section: Section) -> None:
        self._section = section
        vars(self).update(name=section.name, title=section.title)

    def load(self, query: Query, focus: Focus) -> Block | Sequence[Block]:
        """What the function gives: a section is loaded and viewed in one."""
        return self._section(query, focus)

    def view(self, data: Block | Sequence[Block], fit: Fit) -> Block:
        """Several blocks one below the other."""
        return Stack(data) if isinstance(data, list | tuple) else data  # type: ignore[return-value]
