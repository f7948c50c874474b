"""Columns handed to DuckDB as an Arrow stream: the same values, no copy kept, and any number of scans."""

import gc
import weakref

import duckdb
import numpy as np
import pytest

from workbench.store.arrow import BATCH, Numbers, is_numbers
from workbench.store.incoming import MANY, insert, nan_as_null

pytestmark = pytest.mark.duckdb15


def columns(n: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    value = random.standard_normal(n)
    value[::7], value[1::7] = np.nan, np.inf
    return {
        "series": random.integers(0, 1 << 64, n, dtype=np.uint64),
        "generation": random.integers(-5, 5, n).astype(np.int32),
        "step": random.integers(-(1 << 62), 1 << 62, n),
        "value": value,
    }


@pytest.mark.parametrize("n", [0, 1, 2048, BATCH, 300_001])
def test_duckdb_reads_the_same_values(n):
    given = columns(n)
    with duckdb.connect() as con:
        con.register("given", Numbers(given))
        types = [row[1] for row in con.execute("DESCRIBE given").fetchall()]
        assert types == ["UBIGINT", "INTEGER", "BIGINT", "DOUBLE"]
        for _ in range(2):
            found = con.execute("SELECT * FROM given").fetchnumpy()
            for name, column in given.items():
                np.testing.assert_array_equal(found[name], column)


def test_columns_that_lie_apart_in_memory_are_read_as_they_are():
    table = np.arange(20_000, dtype=np.float64).reshape(-1, 4)
    with duckdb.connect() as con:
        con.register("given", Numbers({"second": table[:, 1], "back": table[::-1, 2]}))
        found = con.execute("SELECT * FROM given").fetchnumpy()
    np.testing.assert_array_equal(found["second"], table[:, 1])
    np.testing.assert_array_equal(found["back"], table[::-1, 2])


def test_nothing_is_kept_once_it_is_let_go():
    gc.collect()
    gc.disable()
    try:
        column = np.arange(100_000, dtype=np.float64)
        gone = weakref.ref(column)
        with duckdb.connect() as con:
            con.register("given", Numbers({"value": column}))
            assert con.execute("SELECT sum(value) FROM given").fetchall() == [(float(column.sum()),)]
            con.unregister("given")
        del column
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("n", [10, MANY - 1, MANY, 2 * MANY + 3])
def test_few_rows_and_many_are_stored_alike(n):
    given = columns(n)
    given["wall"] = given["value"].copy()
    with duckdb.connect() as con:
        con.execute("CREATE TABLE log (series UBIGINT, generation INTEGER, step BIGINT, value DOUBLE, wall DOUBLE)")
        insert(con, "log", given, nan_as_null(nullable=("wall",), values=("value",)))
        found = con.execute("SELECT value, wall, series FROM log").fetchnumpy()
    np.testing.assert_array_equal(found["value"], given["value"])
    np.testing.assert_array_equal(np.ma.getmaskarray(found["wall"]), np.isnan(given["wall"]))
    np.testing.assert_array_equal(found["series"], given["series"])


def test_texts_are_no_numbers():
    assert is_numbers({"a": np.zeros(1), "b": np.zeros(1, np.int32)})
    assert not is_numbers({"a": np.array(["x"], dtype=object)})
    assert not is_numbers({"a": np.zeros(1, bool)})
    assert not is_numbers({"a": np.zeros(1).astype(">f8")})


def test_rows_stay_in_their_order():
    with duckdb.connect(config={"threads": "4"}) as con:
        con.execute("CREATE TABLE log (place BIGINT)")
        insert(con, "log", {"place": np.arange(5 * BATCH + 7)})
        found = con.execute("SELECT place FROM log").fetchnumpy()["place"]
    np.testing.assert_array_equal(found, np.arange(5 * BATCH + 7))


@pytest.mark.parametrize("part", ["schema", "batches"])
def test_what_goes_wrong_inside_is_an_error_of_the_query_and_stores_nothing(part, monkeypatch):
    def fail(*_):
        raise MemoryError("no room")
        yield

    monkeypatch.setattr(f"workbench.store.arrow._Parts.{part}", fail if part == "batches" else lambda _: next(fail()))
    with duckdb.connect() as con:
        con.execute("CREATE TABLE log (value DOUBLE)")
        with pytest.raises(duckdb.Error, match="no room"):
            insert(con, "log", {"value": np.zeros(MANY)})
        assert con.execute("SELECT count(*) FROM log").fetchall() == [(0,)]


def test_a_refused_insert_lets_go_of_the_columns():
    column = np.arange(2.0 * MANY)
    gone = weakref.ref(column)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE log (value DOUBLE CHECK (value < 70000))")
        with pytest.raises(duckdb.ConstraintException):
            insert(con, "log", {"value": column})
        del column
        gc.collect()
        assert gone() is None
        insert(con, "log", {"value": np.zeros(MANY)})
        assert con.execute("SELECT count(*) FROM log").fetchall() == [(MANY,)]
