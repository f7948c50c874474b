"""Textual's own DataTable on live logs: `datatable_app.py FOLDER`, a row a run, looked at four times a second."""

import json
import os
import sys
from pathlib import Path

from textual.app import App
from textual.widgets import DataTable

COLUMNS = ("step", "loss", "accuracy", "lr")


class Table(App):
    def compose(self):
        yield DataTable(cursor_type="row")

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_column("state", key="state")
        table.add_column("name", key="name")
        for name in COLUMNS:
            table.add_column(name, key=name)
        self.ends = {}
        self.set_interval(0.25, self.look)

    def look(self):
        table = self.query_one(DataTable)
        for path in sorted(Path(sys.argv[1]).glob("*/log.jsonl")):
            with path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                if end == self.ends.get(path) or not end:
                    continue
                file.seek(max(0, end - 300))
                row = json.loads(file.read().splitlines()[-1])
            if path not in self.ends:
                table.add_row("running", path.parent.name, *("" for _ in COLUMNS), key=str(path))
            self.ends[path] = end
            for name in COLUMNS:
                table.update_cell(str(path), name, row[name])


Table().run()
