"""Copying out of the interface: what is copied as text, and the ways it takes to where it can be pasted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from workbench.core import text
from workbench.core.blocks import Cell, Column, Table
from workbench.tui.run_words import count
from workbench.tui.session import write_whole

LONGEST = 74_994
"""Bytes of base64 that terminals take in one OSC 52; xterm and many after it drop what is longer."""
_SCREEN_PART = 252
"""Bytes that GNU screen passes through in one string."""
_WITHOUT = ("linux", "dumb", "vt100", "vt220", "cons25", "sun", "")
"""TERM of terminals that know no OSC 52."""
_PATIENCE = 2.0
"""Seconds that tmux has for taking a text."""


class Copied(Struct, frozen=True):
    """What is copied, in a word or two, and as text."""

    what: str
    text: str

    @property
    def size(self) -> str:
        """How much it is."""
        lines, letters = len(self.text.splitlines()), len(self.text.encode())
        return f"{count(letters, 'byte')}" + (f" in {count(lines, 'line')}" if lines > 1 else "")


def yank_path(root: Path) -> Path:
    """Where a text is kept that no clipboard is known to have."""
    return root / ".workbench" / "yank.txt"


def safe(words: str) -> str:
    """A text that does nothing when it is pasted into a terminal, but for its own line ends and tabs."""
    lines = words.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(text.plain(part, limit=10_000_000) for part in line.split("\t")) for line in lines)


# Texts


def cell_words(cell: Cell) -> str:
    """A cell's value with all its digits, or what it shows where it has none."""
    if cell.value is None:
        return cell.text or ("" if cell.delta is None else f"{cell.delta!r}")
    if isinstance(cell.value, bool):
        return "yes" if cell.value else "no"
    return cell.value if isinstance(cell.value, str) else repr(cell.value)


def row_words(columns: Sequence[Column], cells: Sequence[Cell]) -> str:
    """A row with tabs between its values, as spreadsheets take it; sparklines are left out."""
    return "\t".join(cell_words(cell).replace("\t", " ") for cell in _told(columns, cells))


def _told(columns: Sequence[Column], cells: Sequence[Cell]) -> list[Cell]:
    return [cell for column, cell in zip(columns, cells, strict=True) if column.key != "spark"]


def table_csv(tables: Sequence[Table]) -> str:
    """Tables as CSV, an empty line between them; no cell is one that a spreadsheet would take for a formula."""
    import csv  # none of what copying needs is wanted before the first paint
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for place, table in enumerate(tables):
        if place:
            out.write("\n")
        told = [column for column in table.columns if column.key != "spark"]
        writer.writerow([_no_formula(column.title or column.key) for column in told])
        for row in table.rows:
            writer.writerow([_csv_cell(cell) for cell in _told(table.columns, row)])
    return out.getvalue()


def _csv_cell(cell: Cell) -> str:
    words = cell_words(cell)
    return words if isinstance(cell.value, int | float) or cell.delta is not None else _no_formula(words)


def _no_formula(words: str) -> str:
    shown = text.plain(words, multiline=True)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@", "\t", "\r")) else shown


# Ways


def osc52(words: str, environment: Mapping[str, str]) -> str:
    """The sequence that puts a text on the terminal's clipboard, through tmux or screen where one is between."""
    import base64

    sequence = f"\x1b]52;c;{base64.b64encode(words.encode()).decode('ascii')}\x07"
    if environment.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("STY"):
        parts = [sequence[at : at + _SCREEN_PART] for at in range(0, len(sequence), _SCREEN_PART)]
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return sequence


def takes_osc52(words: str, environment: Mapping[str, str]) -> str:
    """Why a text cannot go by OSC 52; empty where it can, as far as one can tell."""
    if 4 * ((len(words.encode()) + 2) // 3) > LONGEST:
        return "too long for OSC 52"
    between = environment.get("TMUX") or environment.get("STY")
    if not between and environment.get("TERM", "") in _WITHOUT:
        return "this terminal has no clipboard"
    if not between and (environment.get("TERM_PROGRAM") == "Apple_Terminal" or environment.get("VTE_VERSION")):
        return "this terminal does not take OSC 52"
    return ""


def to_tmux(words: str) -> bool:
    """Have tmux keep a text in its buffer, and on the clipboard of its terminal where it may; False where it cannot."""
    import subprocess

    for flags in (["-w"], []):
        try:
            done = subprocess.run(
                ["tmux", "load-buffer", *flags, "-"],
                input=words.encode(), capture_output=True, check=False, timeout=_PATIENCE,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False


def deliver(
    copied: Copied,
    environment: Mapping[str, str],
    write: Callable[[str], None],
    file: Path | None,
    tmux: Callable[[str], bool] = to_tmux,
) -> str:
    """Send a text every way there is, and say which it took; the file is for where no way is known to have worked.

    `write` puts a sequence on the terminal; no `file` means that none may be written.

    Raises:
        OSError: no way is left, because the file cannot be written either.
    """
    words = safe(copied.text)
    ways = ["tmux's buffer"] if environment.get("TMUX") and tmux(words) else []
    kept = bool(ways)
    why_not = takes_osc52(words, environment)
    if not why_not:
        write(osc52(words, environment))
        ways.append("the terminal's clipboard (OSC 52)")
    if not kept and file is not None:
        write_whole(file, words)
        ways.append(f"{file.parent.name}/{file.name}")
    if not ways:
        raise OSError(why_not)
    said = f" · {why_not}" if why_not else ""
    return f"{copied.what} copied, {copied.size}: to {' and '.join(ways)}{said}"
