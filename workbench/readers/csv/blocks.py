"""Many plain lines of a table at once: checked field by field, then parsed by columns."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, field

from workbench.readers.blocks import Block, Odd, axis_of, bound_together, take, whole_steps
from workbench.readers.csv.header import BLANKS, DECIMAL_COMMAS, MISSING, Header, cell_number
from workbench.readers.lines import Lines
from workbench.readers.rows import Rows

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

BLOCK = 16_384
"""Lines parsed together: one odd line makes its whole block take the slow way."""
_COMMENT = re.compile(rb"(?m)^[ \t]*#")
_SMALLEST = 64
_PATIENCE = 2


class Kinds(Struct):
    """Columns of this chunk that hold texts; the others are taken for numbers."""

    texts: set[str] = field(default_factory=set)
    failures: int = 0


def read_block(rows: Rows, lines: Lines, first: int, last: int, header: Header, kinds: Kinds) -> bool:
    """Read lines first to last - 1 at once if all are plain; otherwise change nothing and return False."""
    if last - first < _SMALLEST or kinds.failures > _PATIENCE or header.width < 2:
        return False
    data = lines.stretch(first, last)
    if header.delimiter == BLANKS:
        data = b"\n".join(b" ".join(line.split()) for line in data.removesuffix(b"\n").split(b"\n"))
    if b"#" in data and _COMMENT.search(data):
        return False
    if not _even(data, last - first, header):
        kinds.failures += 1
        return False
    import polars as pl

    try:
        _take(rows, _parse(rows, data, lines.places[first:last], header, kinds))
    except (Odd, pl.exceptions.PolarsError, OverflowError):
        kinds.failures += 1
        return False
    rows.accept(last - first)
    kinds.failures = 0
    return True


@functools.cache
def _unmarked(delimiter: str) -> bytes:
    """Every byte that does not structure a table."""
    return bytes(set(range(256)) - set(delimiter.encode() + b'\n"\0'))


def _even(data: bytes, n: int, header: Header) -> bool:
    """Whether each of n lines has the header's number of fields, and none a quote or NUL."""
    marks = header.delimiter.encode() * (header.width - 1) + b"\n"
    return (data if data.endswith(b"\n") else data + b"\n").translate(None, _unmarked(header.delimiter)) == marks * n


def _parse(rows: Rows, data: bytes, offsets: NDArray[np.int64], header: Header, kinds: Kinds) -> Block:
    """Parse the lines by columns, each a float64 or a text by the first line's cell."""
    import polars as pl

    cells = (data[: data.find(b"\n")] if b"\n" in data else data).split(header.delimiter.encode())
    kinds.texts |= rows.attributes.words.intersection(header.columns)
    shorts = {f"c{i}": name for i, name in enumerate(header.fields)}
    for name, cell in zip(header.fields, cells, strict=True):
        text = cell.decode("utf-8", "replace").strip()
        if name is not None and text not in MISSING and cell_number(text, header.delimiter) is None:
            kinds.texts.add(name)
    commas = header.delimiter != "," and any(
        b"," in cell for name, cell in zip(header.fields, cells, strict=True) if name not in kinds.texts and name
    )
    floats = [short for short, name in shorts.items() if name is not None and name not in kinds.texts]
    frame = pl.read_csv(
        data, has_header=False, separator=header.delimiter, quote_char=None,
        schema={short: pl.Float64 if short in floats else pl.String for short in shorts},
        null_values=list(MISSING[1:]), decimal_comma=commas,
    )  # fmt: skip
    if len(frame) != len(offsets) or not floats:
        raise Odd
    if commas:
        rows.note(DECIMAL_COMMAS)
    numbers = frame if len(floats) == frame.width else frame[floats]
    matrix = numbers.to_numpy(order="c")
    if any(numbers.null_count().row(0)):
        present = numbers.select(pl.all().is_not_null()).to_numpy(order="c")
    else:
        present = np.ones(matrix.shape, np.bool_)
    texts = {name: _texts(frame[short]) for short, name in shorts.items() if name in kinds.texts}
    return Block([shorts[short] or "" for short in floats], matrix, present, texts, offsets)


def _texts(column: pl.Series) -> list[str | None]:
    """The cells without padding, None where they are missing."""
    cells = (cell.strip() if cell is not None else "" for cell in column.to_list())
    return [None if cell in MISSING else cell for cell in cells]


def _take(rows: Rows, block: Block) -> None:
    names = [*block.names, *block.texts]
    axis = axis_of(rows, names)
    for name in (*bound_together(names), *([axis] if axis else [])):
        if name in block.texts or not block.present[:, block.names.index(name)].all():
            raise Odd
    floats = block.column(axis) if axis is not None else None
    take(rows, block, axis, None if floats is None else whole_steps(floats))
