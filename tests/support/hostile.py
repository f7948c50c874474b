"""Names and values that try to reach the terminal, break the page or the parser."""

from __future__ import annotations

import json
from pathlib import Path

TITLE = "\x1b]0;pwned\x07"
CLIPBOARD = "\x1b]52;c;cHduZWQ=\x1b\\"
C1 = "\x9b31m\x9d52;c;cHduZWQ=\x9c"
BIDI = "\u202egnp.exe\u2066"
MARKUP = [
    "[/]",
    "[red]red[/red]",
    "[@click=app.quit]quit[/]",
    "[link='a",
    "<script>alert(1)</script>",
    "a|b`c`",
    "=1+1",
]
NAMES = [TITLE, CLIPBOARD, C1, BIDI, "nul\x00nul", "\ud800lone", "tab\tnew\nline", "e\u0301" * 40, *MARKUP]

FORBIDDEN = [b"\x1b]52", b"\x1b]0;pwned", b"\xc2\x9b", b"\xc2\x9d", "\u202e".encode(), "\u2066".encode(), b"pwned\x07"]
"""What must never be written to a terminal."""


def write_hostile(root: Path) -> list[tuple[str, int]]:
    """A project of hostile logs; returns (file, byte offset) of every line that must be refused."""
    refused: list[tuple[str, int]] = []
    (root / "evil").mkdir()
    with (root / "evil" / "metrics.jsonl").open("wb") as file:
        for step in range(20):
            row = {"step": step, "loss": 1 / (step + 1), **{name: float(step) for name in NAMES}, "text": CLIPBOARD}
            file.write(json.dumps(row).encode() + b"\n")
        file.write(b'{"step": 20, "loss": NaN, "acc": Infinity, "low": -Infinity}\n')
        for bad in (
            b'{"step": 21, "loss": 0.',
            b"[1, 2, 3]",
            b"not json \x1b]0;pwned\x07",
            b'{"step": 22, "l\x00ss": 1}',
        ):
            refused.append(("evil/metrics.jsonl", file.tell()))
            file.write(bad + b"\n")
        file.write(b'{"step": 23, "loss": 0.5, "bytes": "\xff\xfe"}\n')
        file.write(b'{"step": 24, "blob": "' + b"x" * 10_000_000 + b'", "loss": 0.25}\n')
        refused.append(("evil/metrics.jsonl", file.tell()))
        file.write(b"[" * 5000 + b"]" * 5000 + b"\n")
    (root / "evil" / "hparams.yaml").write_text(
        json.dumps({"name": CLIPBOARD, "[/]": "[red]", "object": "x", "api_key": "sk-" + "a" * 40})
    )
    folder = root / f"run {TITLE}[red] {BIDI}"
    folder.mkdir()
    (folder / "metrics.csv").write_text("step,loss,=cmd\n" + "".join(f"{i},{i / 10},1\n" for i in range(5)))
    return refused
