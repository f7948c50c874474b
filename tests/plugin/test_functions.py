"""Decorated functions of other people's packages: where a metric, a section, a rule and a drift test are seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.plugin.conftest import Site, sections
from workbench.plugin.api import Finding, drift_test, metric, rule, section
from workbench.plugin.testing import problems

LAB = """
import numpy as np
from workbench.plugin.api import Finding, Note, drift_test, metric, rule, section

@metric("gap", needs=["train/loss|train_loss", "val/loss"], series=True, direction="lower", unit="share")
def gap(train, val):
    return val - train

@metric("last gap", needs=["train/loss", "val/loss"])
def last_gap(train, val):
    return val.last - train.last

@metric("name length")
def name_length(run):
    print("measuring", run.name)
    return len(run.name)

@metric("broken", needs=["val/loss"])
def broken(val):
    raise ZeroDivisionError("no such thing")

@section("How many")
def how_many(query):
    return [Note(f"{len(query.runs())} runs"), Note("that is all")]

@section("Broken part")
def broken_part(query, focus):
    raise RuntimeError("no section today")

@rule("far-apart")
def far_apart(query):
    for run in query.runs("gap>0.2"):
        yield Finding("gap", "gap", "bad", f"{run.name} learns by heart", run=run.id, monitor="")

@rule("broken-rule")
def broken_rule(query):
    return [{"sentence": "?"}]

@drift_test("medians", threshold=0.5, title="distance of medians")
def medians(reference, current):
    return abs(float(np.median(reference)) - float(np.median(current)))

@drift_test("most-frequent", threshold=0.5, of="categories")
def most_frequent(reference, current):
    return float(reference.argmax() != current.argmax())

@drift_test("broken-test", threshold=0.5)
def broken_test(reference, current):
    raise ValueError("too odd")
"""
GROUPS = {
    "metrics": ("gap", "last_gap", "name_length", "broken"),
    "sections": ("how_many", "broken_part"),
    "rules": ("far_apart", "broken_rule"),
    "drift_tests": ("medians", "most_frequent", "broken_test"),
}


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    made = make_site()
    made.add("lab", LAB)
    points = "".join(
        f"[workbench.{group}]\n" + "".join(f"{name} = wb_lab:{name}\n" for name in names)
        for group, names in GROUPS.items()
    )
    (made.folder / "wb_lab-1.2.dist-info" / "entry_points.txt").write_text(points)
    return made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs whose losses are apart, one without a training loss."""
    folder = tmp_path_factory.mktemp("lab")
    for name, train, val in (("tree", 0.4, 0.5), ("forest", 0.1, 0.5), ("dummy", None, 0.9)):
        (folder / name).mkdir()
        rows = [{"step": step, "train/loss": train, "val/loss": val} for step in (1, 2, 3)]
        kept = [{key: value for key, value in row.items() if value is not None} for row in rows]
        (folder / name / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in kept))
    for name, shift in (("old", 0), ("new", 3)):
        rows_text = "".join(f"{(i * 7919) % 1000 / 500 + shift},{'a' if i % 3 else 'b'}\n" for i in range(3000))
        (folder / f"{name}.csv").write_text(f"x,kind\n{rows_text}")
    (folder / "workbench.toml").write_text('[project]\nignore = ["*.csv"]\n')
    return folder


def test_a_derived_metric_is_a_metric_of_every_run_that_has_what_it_needs(site: Site, lab: Path) -> None:
    ran = site.run("runs", "--format", "json", cwd=lab)
    runs = {run["name"]: run["metrics"] for run in json.loads(ran.stdout)}
    assert runs["tree"]["gap"]["last"] == pytest.approx(0.1)
    assert runs["forest"]["gap"]["best"] == pytest.approx(0.4)
    assert runs["forest"]["last gap"]["last"] == pytest.approx(0.4)
    assert "gap" not in runs["dummy"] and "broken" not in runs["tree"]
    assert runs["dummy"]["name length"]["last"] == 5
    assert "metric name_length of wb-lab 1.2 printed: measuring" in ran.stderr
    assert "measuring" not in ran.stdout


def test_it_filters_runs_and_decides_gates(site: Site, lab: Path) -> None:
    found = site.run("runs", "--format", "json", "--where", "gap>0.2", cwd=lab)
    assert [run["name"] for run in json.loads(found.stdout)] == ["forest"]
    gates = ["--gate", "max(gap) <= 0.45", "--gate", "gap.p95 <= 0.01", "--where", "name:forest"]
    judged = json.loads(site.run("report", "--format", "json", *gates, cwd=lab).stdout)["gates"]
    assert {gate["check"]: gate["passed"] for gate in judged} == {"max(gap) <= 0.45": True, "gap.p95 <= 0.01": False}


def test_the_report_has_its_sections_findings_and_what_fails_by_name(site: Site, lab: Path) -> None:
    ran = site.run("report", "--format", "json", cwd=lab)
    found = sections(json.loads(ran.stdout)["sections"])
    assert found["how-many"]["title"] == "How many"
    assert found["how-many"]["block"]["blocks"][0]["text"] == "3 runs"  # type: ignore[index]
    assert "no section today" in found["broken-part"]["data"]["error"]  # type: ignore[index]
    findings = {each["sentence"]: each for each in found["findings"]["data"]}  # type: ignore[attr-defined]
    assert findings.keys() == {
        "forest learns by heart",
        "rule broken_rule of wb-lab 1.2 failed: it gave a dict instead of a Finding",
    }
    assert findings["forest learns by heart"]["monitor"] == ""
    assert not any("rule:" in str(anchor) for anchor in found), "a rule is no monitor"
    left_out = {each["name"]: each["error"] for each in found["plugins"]["data"]}  # type: ignore[attr-defined]
    assert left_out["broken"].startswith("ZeroDivisionError: no such thing")


def test_a_drift_test_is_a_method_by_name(site: Site, lab: Path) -> None:
    ran = site.run("drift", "old.csv", "new.csv", "--method", "medians", "--cat-method", "most-frequent",
                   "--mode", "evidently", "--format", "json", cwd=lab)  # fmt: skip
    columns = {each["column"]: each for each in json.loads(ran.stdout)["columns"]}
    assert columns["x"]["method"] == "distance of medians"
    assert (columns["x"]["score"], columns["x"]["drifted"]) == (pytest.approx(3.0), True)
    assert (columns["kind"]["method"], columns["kind"]["drifted"]) == ("most-frequent", False)


def test_one_that_fails_leaves_the_column_unjudged_and_says_why(site: Site, lab: Path) -> None:
    for mode in ("evidently", "calibrated"):
        ran = site.run("drift", "old.csv", "new.csv", "--num-method", "broken-test", "--mode", mode, "--format",
                       "json", cwd=lab)  # fmt: skip
        columns = {each["column"]: each for each in json.loads(ran.stdout)["columns"]}
        assert columns["x"]["status"] == "unsupported"
        assert "drift test broken_test of wb-lab 1.2 failed: ValueError: too odd" in columns["x"]["reason"]
        assert columns["kind"]["status"] == "ok"


def test_a_misspelt_one_gets_the_nearest_name(site: Site, lab: Path) -> None:
    ran = site.run("drift", "old.csv", "new.csv", "--method", "median", cwd=lab)
    assert ran.returncode == 2
    assert "did you mean 'medians'?" in ran.stderr


def test_a_rule_that_is_gone_takes_its_findings_with_it(site: Site, lab: Path) -> None:
    site.run("watch", "--once", cwd=lab)
    with_rules = site.run("sql", "SELECT count(*) FROM finding", "--format", "json", cwd=lab)
    nothing = Site(lab / "no-site")
    nothing.folder.mkdir()
    nothing.run("watch", "--once", cwd=lab)
    without = nothing.run("sql", "SELECT count(*) FROM finding", "--format", "json", cwd=lab)
    counts = [next(iter(json.loads(ran.stdout)[0].values())) for ran in (with_rules, without)]
    assert counts == [2, 0]


def odd_metric(train: Any) -> Any:
    return "high"


BAD = {
    "gave a str instead of a number": metric("m", needs=["loss"])(odd_metric),
    "gave (2,) values for (3,) steps": metric("m", needs=["loss"], series=True)(lambda loss: loss[:2]),
    "the metric's name is ' '": metric(" ")(odd_metric),
    "instead of a finite number": drift_test("d", threshold=0.1)(lambda left, right: float("nan")),
    "changes the samples": drift_test("d", threshold=0.1)(lambda left, right: float(left.fill(0) is None)),
    "which is drift by its threshold": drift_test("d", threshold=0.5)(lambda left, right: 1.0),
    "which is no drift by its threshold": drift_test("d", threshold=0.5)(lambda left, right: 0.0),
    "severity one of info, warn, bad": rule("r")(lambda query: [Finding("k", "s", "awful", "!")]),  # type: ignore[arg-type]
    "`name` is 'My Rule'": rule("My Rule")(lambda query: []),
    "view() gave a str": section("S", name="s")(lambda query: "text"),  # type: ignore[arg-type,return-value]
}


@pytest.mark.parametrize(("words", "made"), BAD.items(), ids=BAD.keys())
def test_the_battery_finds_what_breaks_the_contract(words: str, made: Any) -> None:
    assert any(words in problem for problem in problems(made)), problems(made)


def test_a_decorated_function_is_still_a_function() -> None:
    double = metric("double", needs=["loss"], series=True)(lambda loss: 2 * loss)
    assert double(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    with pytest.raises(TypeError, match=r"write needs=\['loss'\]"):
        metric("m", needs="loss")
    with pytest.raises(TypeError, match="a series is made of other series"):
        metric("m", series=True)
