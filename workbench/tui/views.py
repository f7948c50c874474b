"""Saved views: filter, order, columns, marks and chart under a name, in a plain file of the project's state folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from workbench.core import text
from workbench.tui.session import ViewState, plainly, view_of, write_whole

LEFT_OUT = ("cursor", "screen", "run", "monitor")
"""What of a view is not kept: where one is."""
KEPT = tuple(name for name in ViewState.__struct_fields__ if name not in LEFT_OUT)
"""Filter, order, columns, marks, and how charts are drawn."""


class ViewsError(Exception):
    """The file of views cannot be read or written; the message says which, and where in it."""


class SavedViews(Struct, frozen=True):
    """The views of a project by name, as they stand in its file."""

    by_name: Mapping[str, Mapping[str, Any]]

    def opened(self, name: str, now: ViewState) -> ViewState:
        """What is seen now, with what the view keeps instead."""
        kept = {key: value for key, value in self.by_name[name].items() if key in KEPT}
        return view_of(kept, now)


def views_path(root: Path) -> Path:
    """Where the views of a project are kept."""
    return root / ".workbench" / "views.json"


def load_views(path: Path) -> SavedViews:
    """The saved views; none where there is no file.

    Raises:
        ViewsError: the file is no JSON object of views by name.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return SavedViews({})
    except json.JSONDecodeError as error:
        raise ViewsError(f"{path}: line {error.lineno}: {error.msg}; mend it or delete it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ViewsError(f"{path}: {error}") from error
    if not isinstance(data, dict) or not all(isinstance(view, dict) for view in data.values()):
        raise ViewsError(f"{path}: not an object of views by name; mend it or delete it")
    return SavedViews(data)


def save_view(path: Path, name: str, view: ViewState) -> SavedViews:
    """Keep a view under a name, in the place of one of that name.

    Raises:
        ViewsError: the file cannot be read, and so is not replaced, or cannot be written.
    """
    everything = plainly(view)
    views = {**load_views(path).by_name, name: {key: everything[key] for key in KEPT}}
    return _written(path, views)


def delete_view(path: Path, name: str) -> SavedViews:
    """Forget a view.

    Raises:
        ViewsError: as for `save_view`.
    """
    return _written(path, {key: view for key, view in load_views(path).by_name.items() if key != name})


def _written(path: Path, views: Mapping[str, Mapping[str, Any]]) -> SavedViews:
    try:
        write_whole(path, json.dumps(dict(sorted(views.items())), indent=2) + "\n")
    except OSError as error:
        raise ViewsError(f"{path}: {error.strerror or error}") from error
    return SavedViews(dict(sorted(views.items())))


def in_words(view: ViewState) -> str:
    """What a view is about, in a few words."""
    said = [f"filter {view.where}"] * bool(view.where)
    said.append(f"by {view.sort}{' ▼' if view.descending else ''}")
    said += [f"{len(view.columns)} columns"] if view.columns is not None else []
    said += [f"{len(view.marks)} marked"] * bool(view.marks)
    return text.plain(" · ".join(said))
