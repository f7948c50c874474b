"""The kept view: what is unreadable or of another version never keeps the workbench from starting."""

from __future__ import annotations

import json

import pytest

from workbench.core.blocks import Cell, Column
from workbench.tui.session import Painting, ViewState, load_session, save_session


def test_a_view_and_a_painting_come_back_as_they_were(tmp_path):
    path = tmp_path / "deep" / "session.json"
    view = ViewState(
        "r1", ("r1", "r2"), "lr>0.1", "main", True, ("param:lr",), "val/loss", None, False, "wall", True, 0.9
    )
    painting = Painting(
        5.0, 70, (Column("name", width=9),), 1, ("r1",), ((Cell(None, "good", 0.5, text="\x1b[31mgbm \ud800"),),)
    )
    save_session(path, view, painting)
    assert load_session(path) == (view, painting)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 99}', '{"version": 1}', '{"version": 1, "view": [], "painting": null}'],
)
def test_a_broken_session_is_as_good_as_none(tmp_path, content):
    path = tmp_path / "session.json"
    path.write_text(content, encoding="utf-8")
    assert load_session(path) == (ViewState(), None)


def test_values_of_a_wrong_kind_keep_their_defaults(tmp_path):
    path = tmp_path / "session.json"
    view = {"where": 7, "sort": "name", "smooth": True, "descending": "yes", "marks": ["a"], "later": 1}
    path.write_text(json.dumps({"version": 1, "view": view}), encoding="utf-8")
    assert load_session(path) == (ViewState(sort="name", marks=("a",)), None)


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    save_session(blocked / "session.json", ViewState(), None)
    assert blocked.read_text(encoding="utf-8") == ""
