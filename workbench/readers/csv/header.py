"""The header of a table: its delimiter, its columns, and when a later line is a new one."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from workbench.readers.keys import number, roles_of

MISSING = ("", "NA", "N/A", "null", "None")
"""Cells that hold no value; `nan` is one."""
BLANKS = " "
"""The delimiter of a table whose fields stand apart by any number of spaces and tabs."""
DECIMAL_COMMAS = "decimal commas read as points"
_DELIMITERS = (",", "\t", ";", "|")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d{1,4})?")


class Header(Struct, frozen=True):
    """The columns of a table in their order; None is a column without a name, which is not read."""

    fields: tuple[str | None, ...]
    delimiter: str
    remarks: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Fields in a line."""
        return len(self.fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have names."""
        return tuple(name for name in self.fields if name is not None)

    @classmethod
    def of(cls, cells: Sequence[str], delimiter: str) -> Header:
        """Name the columns: without padding, the second of a name as `name_1`, the third as `name_2`."""
        fields: list[str | None] = []
        remarks = []
        taken = {cell.strip() for cell in cells}
        seen: set[str] = set()
        for i, cell in enumerate(cells):
            name = cell.strip()
            if not name:
                fields.append(None)
                if i < len(cells) - 1:
                    remarks.append(f"column {i + 1} has no name and is not read")
                continue
            if name in seen:
                name = next(new for k in range(1, len(cells) + 1) if (new := f"{name}_{k}") not in taken)
                remarks.append(f"W170 column {i + 1} repeats a name: read as {name}")
                taken.add(name)
            seen.add(name)
            fields.append(name)
        return cls(tuple(fields), delimiter, tuple(remarks[:8]))

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Header | None:
        """The header found in an earlier chunk."""
        return cls(tuple(state["fields"]), state["delimiter"]) if "fields" in state else None

    def dump(self) -> dict[str, Any]:
        """What `load` needs."""
        return {"fields": list(self.fields), "delimiter": self.delimiter}


def guess_header(text: str) -> Header:
    """Read a header line with the delimiter that gives the most fields; blanks count where there is no other."""
    split = {delimiter: _parted(text, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: len(split[delimiter]))
    if len(split[best]) < 2 and len(text.split()) > 1:
        return Header.of(cells_of(text, BLANKS), BLANKS)
    return Header.of(split[best], best)


def cells_of(text: str, delimiter: str) -> list[str]:
    """The cells of a line, quotes taken for what they look like only where there are any."""
    if '"' in text:
        return _parted(text.strip(), delimiter)
    return text.split() if delimiter == BLANKS else text.split(delimiter)


def _parted(text: str, delimiter: str) -> list[str]:
    """The cells of a line by the rules of quoting, or of plain splitting where it breaks them."""
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=delimiter == BLANKS), [])
    except csv.Error:
        return text.split(delimiter)


def cell_number(cell: str, delimiter: str) -> float | int | None:
    """The number in a cell; its decimal point may be a comma where commas do not part the cells."""
    if delimiter != "," and "," in cell and _DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    return number(cell)


def section_header(cells: Sequence[str], now: Header) -> Header | None:
    """The header that a resumed run wrote into the middle: names only, the same ones or with an axis among them."""
    if not cells or any(number(cell) is not None or cell in MISSING[1:] for cell in cells):
        return None
    header = Header.of(cells, now.delimiter)
    if header.fields == now.fields:
        return header
    roles = roles_of(header.columns)
    named = len(set(header.columns)) == len(cells) > 1 and not header.remarks
    return header if named and (roles.steps or roles.epoch) else None
