"""Drift of all columns together: what no column shows alone, a classifier tells, and names the columns."""

import numpy as np
import polars as pl
import pytest

from workbench.monitor.domain import DomainError, domain_drift
from workbench.monitor.drift import compare
from workbench.monitor.tables import DriftInputError

R = np.random.default_rng(2)


def rows(n, *, together):
    """Two columns that go together or do not, each with the same distribution either way, and three others."""
    one = R.normal(size=n)
    other = one if together else R.permutation(one)
    return {
        "one": one,
        "other": other * 0.9 + R.normal(size=n) * 0.436,
        "noise": R.normal(size=n),
        "word": R.choice(["a", "b", "c", None], n).tolist(),
        "id": np.arange(n),
    }


def test_columns_that_no_longer_go_together_are_told_by_name(table):
    left, right = table("a.parquet", rows(1500, together=True)), table("b.parquet", rows(1200, together=False))
    assert compare(left, right).drifted == 0
    told = []
    found = domain_drift(left, right, tell=told.append)
    assert found.drifted
    assert found.auc > 0.7 > found.noise_p95 > 0.5
    assert {column.column for column in found.columns} == {"one", "other"}
    assert "by one, other" in found.sentence or "by other, one" in found.sentence
    assert told[0] == "reading the tables"


def test_two_samples_of_one_kind_cannot_be_told_apart(table):
    left, right = table("a.csv", rows(1500, together=True)), table("b.csv", rows(1200, together=True))
    found = domain_drift(left, right)
    assert not found.drifted
    assert found.auc < 0.55
    assert found.sentence.startswith("A classifier cannot tell")


def test_what_cannot_be_learnt_from_is_refused_in_words(table):
    path = table("a.parquet", {"x": R.normal(size=20)})
    with pytest.raises(DriftInputError, match="fewer than 50 rows"):
        domain_drift(path, path)
    with pytest.raises(DriftInputError, match="no column in common"):
        domain_drift(path, table("b.parquet", pl.DataFrame({"y": [1]})))
    with pytest.raises(DriftInputError, match="did you mean"):
        domain_drift(path, path.with_name("aa.parquet"))
    assert issubclass(DomainError, RuntimeError)
