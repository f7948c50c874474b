"""Expressions over columns of an export: a small grammar, no way to anything else, and never an error on a row."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.expressions import ExpressionError, Kind, columns_of, expression_sql, parse_expression

COLUMNS: dict[str, tuple[str, Kind]] = {
    "code": ("code", "text"), "n": ("n", "number"), "ok": ("ok", "bool"), "a b": ('"a b"', "number"),
}  # fmt: skip
ROWS = """(VALUES ('500', 2.0::DOUBLE, true, 4.0::DOUBLE), ('abc', 0.0, false, -1.0), (NULL, -1e308, NULL, 'nan'))
    t(code, n, ok, "a b")"""


def values(text: str) -> list[object]:
    sql, _ = expression_sql(parse_expression(text), COLUMNS.__getitem__)
    return [row[0] for row in duckdb.sql(f"SELECT {sql} FROM {ROWS}").fetchall()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code >= 500", [True, None, None]),
        ("code = 'abc' or not ok", [False, True, None]),
        ("1 / n", [0.5, None, -1e-308]),
        ("n + 2 * 3 - -1", [9, 7, -1e308]),
        ("(if(ok, n, 0) + 2) * 3 % 5", [2, 1, 1]),
        ("code in (500, 200)", [True, None, None]),
        ("code is null", [False, False, True]),
        ("ok is not null and n > 1", [True, False, False]),
        ("if(ok, n, 10)", [2, 10, 10]),
        ("coalesce(code, 'none')", ["500", "abc", "none"]),
        ('"a b" * 2', [8, -2, pytest.approx(float("nan"), nan_ok=True)]),
        ("sqrt(n)", [pytest.approx(2**0.5), 0, None]),
        ("ln(n)", [pytest.approx(0.6931471805599453), None, None]),
        ("least(n, 1)", [1, 0, -1e308]),
        ("lower('ABC')", ["abc"] * 3),
        ("ok + 1", [2, 1, None]),
        ("not not ok", [True, False, None]),
    ],
)  # fmt: skip
def test_what_expressions_give(text: str, expected: list[object]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sqrtt(n)", "did you mean 'sqrt'?"),
        ("read_csv('/etc/passwd')", "no function 'read_csv'"),
        ("(select 1)", "expected ')' before '1'"),
        ("n; drop table x", "';' has no meaning here"),
        ("n >", "at the end"),
        ("sqrt(n, 2)", "takes 1 values, got 2"),
        ("'open", "has no meaning here"),
        ("1e999", "larger than any number"),
        ("(" * 60 + "n" + ")" * 60, "deeper than 50"),
        ("n " * 600, "at most 1,000"),
        ("", "expected a column"),
    ],
)
def test_what_is_none_is_told(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as told:
        parse_expression(text)
    assert says in str(told.value)


def test_columns_are_named_bare_or_in_quotes() -> None:
    assert columns_of(parse_expression('price * "units sold" / (price + 1)')) == ["price", "units sold"]


@given(st.lists(st.sampled_from(["code", "n", "ok", '"a b"', "1", "'x'", "+", "-", "*", "/", "%", "<", "=", "and", "or",
    "not", "(", ")", "is null", "sqrt(", "exp(", "log10(", "if(", ",", "coalesce(", "in (", "round(", "floor(",
    "1e300"]), min_size=1, max_size=12))  # fmt: skip
def test_whatever_is_an_expression_runs_on_every_row(words: list[str]) -> None:
    try:
        parse_expression(" ".join(words))
    except ExpressionError:
        return
    assert len(values(" ".join(words))) == 3
