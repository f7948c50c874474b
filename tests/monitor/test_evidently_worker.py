"""Evidently's own HTML, made beside the program and never in it."""

import subprocess
import sys

import numpy as np
import pytest

from workbench.monitor.evidently_worker import EvidentlyError, evidently_html
from workbench.monitor.tables import DriftInputError

R = np.random.default_rng(0)


def test_the_report_is_written_with_each_stage_told_and_odd_columns_named(table, tmp_path):
    columns = {"x": R.normal(size=50), "empty": [None] * 50}
    reference, current = table("a.csv", columns), table("b.csv", columns | {"new": [1] * 50})
    told = []
    evidently_html(reference, current, tmp_path / "report.html", told.append)
    html = (tmp_path / "report.html").read_text()
    assert "<html" in html
    assert "Wasserstein" in html or "K-S p_value" in html
    assert told[1:] == [
        "reading the tables",
        "left out, as Evidently cannot compare them: empty, new",
        "importing Evidently",
        "comparing 1 columns of 50 and 50 rows",
        "writing the report",
    ]
    assert not list(tmp_path.glob("*.part"))


def test_tables_with_nothing_in_common_are_refused_in_words(table, tmp_path):
    with pytest.raises(EvidentlyError, match="no column in common"):
        evidently_html(table("a.csv", {"x": [1]}), table("b.csv", {"y": [1]}), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_what_is_missing_is_said_before_anything_slow_starts(table, tmp_path):
    path = table("a.csv", {"x": [1]})
    with pytest.raises(DriftInputError, match=r"did you mean 'a\.csv'"):
        evidently_html(path, tmp_path / "aa.csv", tmp_path / "report.html")
    with pytest.raises(EvidentlyError, match="create it first"):
        evidently_html(path, path, tmp_path / "reports" / "report.html")


def test_the_worker_module_itself_loads_nothing_heavy():
    code = "import sys, workbench.monitor.evidently_worker as w; print({'evidently', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
