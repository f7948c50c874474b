"""What a word in a statement may become, and when Enter is a new line."""

from __future__ import annotations

import pytest

from workbench.tui.sql_asking import one_line
from workbench.tui.sql_complete import completions, is_open, tokens

SCHEMA = {
    "run": [("id", "varchar"), ("name", "varchar")],
    "point": [("run_id", "varchar"), ("value", "double")],
    "window": [("window_start", "double")],
}


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("sel", "select"), ("SEL", "SELECT"), ("select * fr", "from"), ("select * from po", "point"),
        ("select * from win", '"window"'), ("select val", "value"), ("select p.val", "value"), ("select run.n", "name"),
        ("select quant", "quantile_cont"), ("describe r", "run"),
    ],
)  # fmt: skip
def test_the_likeliest_name_comes_first(before, first):
    whole = before if "p." not in before else f"{before} from point p"
    found = completions(before, whole, SCHEMA)
    assert found.names[0] == first
    assert before[: found.start] + first == before[: len(before) - len(before.split(" ")[-1].split(".")[-1])] + first


def test_columns_of_the_tables_at_hand_come_before_others():
    found = completions("select n", "select n from run", SCHEMA)
    assert found.names[0] == "name"


@pytest.mark.parametrize("before", ["", "select ", "select zzz", "x.y", "select"])
def test_where_nothing_fits_nothing_is_offered(before):
    assert list(completions(before, before, SCHEMA).names) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1", False), ("select count(", True), ("select count(*)", False), ("select 'a", True),
        ("select 'it''s'", False), ("select ')' from (", True), ('select "a', True), ("select 1 -- (", False),
        ("select 1 /* (", True), ("select [1, 2", True), ("select {'a': 1}", False), ("select )", False),
    ],
)  # fmt: skip
def test_a_statement_with_something_open_goes_on(text, expected):
    assert is_open(text) is expected


def test_words_texts_numbers_and_remarks_are_told_apart():
    text = "select name, 12 from run -- 'x'"
    assert [(text[a:b], kind) for a, b, kind in tokens(text)] == [
        ("select", "word"),
        ("12", "number"),
        ("from", "word"),
        ("-- 'x'", "remark"),
    ]


def test_a_statement_goes_on_one_line_only_where_that_means_the_same():
    assert one_line("select a,\n  b\nfrom run\n") == "select a, b from run"
    assert one_line("select 'a  b'\nfrom run") == "select 'a  b'\nfrom run"
    assert one_line("select 1 -- one\nfrom run") == "select 1 -- one\nfrom run"
