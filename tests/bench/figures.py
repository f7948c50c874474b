"""What the bench says: figures beside their peers and budgets, as a table for the terminal or for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ratio", "speedup", "extra", "most"]
"""How a figure meets its budget: ours / peer, peer / ours, ours - peer, or ours alone."""

_BETWEEN: Mapping[Kind, Callable[[float, float], float]] = {
    "ratio": lambda ours, peer: ours / peer,
    "speedup": lambda ours, peer: peer / ours,
    "extra": lambda ours, peer: ours - peer,
}


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in the figure's unit, or a bare number for the ratios."""

    kind: Kind
    limit: float

    def words(self, unit: str) -> str:
        return {
            "ratio": f"≤ {self.limit:g} x",
            "speedup": f"≥ {self.limit:g} x faster",
            "extra": f"≤ {self.limit:g} {unit} more",
            "most": f"≤ {self.limit:g} {unit}",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing; `ours` is None where it could not be measured, and `note` says why."""

    name: str
    unit: str
    ours: float | None
    peer: float | None = None
    peer_name: str = ""
    budget: Budget | None = None
    note: str = ""

    @property
    def against(self) -> float | None:
        """The number that the budget limits: a ratio, a difference, or ours alone."""
        kind = self.budget.kind if self.budget else "ratio"
        if self.ours is None or kind == "most":
            return self.ours
        return None if self.peer is None else _BETWEEN[kind](self.ours, self.peer)

    @property
    def passed(self) -> bool | None:
        """None without a budget or without a measurement."""
        if self.budget is None or self.against is None:
            return None
        return self.against >= self.budget.limit if self.budget.kind == "speedup" else self.against <= self.budget.limit

    @property
    def verdict(self) -> str:
        if self.ours is None:
            return "not measured"
        return {True: "ok", False: "MISSED", None: ""}[self.passed]


HEADINGS = ("what", "ours", "peer", "against it", "budget", "")


def cells(figure: Figure) -> tuple[str, ...]:
    peer = "" if figure.peer is None else f"{number(figure.peer)} {figure.unit} {figure.peer_name}"
    return (
        figure.name,
        "–" if figure.ours is None else f"{number(figure.ours)} {figure.unit}",
        peer,
        _against(figure),
        figure.budget.words(figure.unit) if figure.budget else "",
        figure.verdict,
    )


def _against(figure: Figure) -> str:
    if figure.peer is None or figure.ours is None:
        return ""
    kind = figure.budget.kind if figure.budget else "ratio"
    if kind == "extra":
        return f"{number(figure.ours - figure.peer)} {figure.unit} more"
    if kind == "speedup":
        return f"{figure.peer / figure.ours:.1f} x faster"
    return f"{figure.ours / figure.peer:.2f} x"


def number(value: float) -> str:
    """Three digits, never in powers of ten for what a person would write out."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_text(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, *map(cells, figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    notes = [f"{figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def as_markdown(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(cells, figures)]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    notes = "\n".join(f"- {figure.name}: {figure.note}" for figure in figures if figure.note)
    return f"{table}\n\n{notes}\n" if notes else f"{table}\n"
