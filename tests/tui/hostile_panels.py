"""The workbench on a terminal with a panel that prints wherever it can; run as a program by a story."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import ClassVar

from workbench.core.config import Config
from workbench.plugin.api import Note, Panel

LOUD = "LOUD-AND-CLEAR"


def shout() -> None:
    """Print by every way there is."""
    print(LOUD)
    print(LOUD, file=sys.stderr)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.write(LOUD)
            stream.flush()
    for descriptor in (1, 2):
        os.write(descriptor, LOUD.encode())
    subprocess.run(["echo", LOUD], check=True)


class Loud(Panel):
    name: ClassVar[str] = "loud"
    title: ClassVar[str] = "Loud"
    key: ClassVar[str] = "6"

    def load(self, query, focus):
        shout()
        thread = threading.Thread(target=shout)
        thread.start()
        thread.join()

    def view(self, data, fit):
        shout()
        return Note("it has said what it had to say", "good")


def main(root: Path) -> None:
    from tests.tui.project import LiveQuery, Notebook
    from tests.tui.stories import panels
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.quiet import kept_terminal

    def all_panels(_):
        shout()
        return [*panels(), Loud()]

    query = LiveQuery()
    with kept_terminal(root / "tui.log") as taken:
        WorkbenchApp(query, Notebook(query), Config(root), all_panels, on_start=taken).run()
    print("the terminal is ours again")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
