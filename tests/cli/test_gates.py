"""`report` in CI: gates, exit codes, files, and a comparison with what the main branch had."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import polars as pl
import pytest

from tests.support.command_line import program, workbench
from tests.support.ingest import Project
from tests.support.production import write_exports

pytestmark = pytest.mark.duckdb15


def gates_of(*arguments: str | Path, code: int) -> dict[str, dict[str, Any]]:
    """The gates of a report by their name, in its order."""
    found = workbench("report", *arguments, "--format", "json", code=code).json
    assert found["passed"] is (code == 0)
    return {gate["name"]: gate for gate in found["gates"]}


def files_below(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


TOML = """
[gates]
accurate = "best(val/accuracy) >= 0.85"
fast = "latency_ms.p95 <= 1.1 * baseline"
[gates.old_model]
check = "last(val/accuracy) >= 0.9"
where = "name:dense"
"""


def test_gates_of_the_project_and_of_the_command_line_are_judged_together(own: Project) -> None:
    (own.root / "workbench.toml").write_text(TOML)
    workbench("baseline", "dense")
    found = gates_of("--gate", "param(lr) == 0.1", code=1)
    assert list(found) == ["old_model", "accurate", "fast", "param(lr) == 0.1"], "what failed comes first"
    assert found["old_model"]["subject"] == "run dense", "`where` chooses the run"
    assert (found["old_model"]["value"], found["old_model"]["limit"]) == (0.88, 0.9)
    assert found["accurate"]["subject"] == "run named", "else the newest visible one"
    assert found["fast"]["limit"] == pytest.approx(1.1 * 16.0)
    workbench("hide", "named")
    assert gates_of(code=1)["accurate"]["subject"] == "run dense"


def test_the_judged_run_and_the_baseline_can_be_chosen_for_once(read: Project) -> None:
    check = "last(val/accuracy) >= baseline"
    assert "no baseline is set" in gates_of("--gate", check, code=1)[check]["message"]
    assert gates_of("--gate", check, "--baseline", "dense", code=0)[check]["limit"] == 0.88
    assert gates_of("--gate", check, "--baseline", "named", "--where", "name:dense", code=1)[check]["value"] == 0.88


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ("best(val/acuracy) >= 0.9", "run named has no metric 'val/acuracy' – did you mean 'val/accuracy'?"),
        ("drift(shop).share < 0.3", "no monitor 'shop' – define one under [monitor.NAME] in workbench.toml"),
        ("latency_ms.p95 <= 1.1 * baseline", "no baseline is set – choose one with: workbench baseline RUN"),
        ("best(val/accuracy >= 0.9", "best( is not closed (at character 1 of 'best(val/accuracy >= 0.9')"),
    ],
)
def test_a_gate_that_cannot_be_judged_fails_and_says_why(read: Project, check: str, why: str) -> None:
    found = gates_of("--gate", check, code=1)[check]
    assert (found["passed"], found["value"]) == (False, None)
    assert why in found["message"]
    shown = " ".join(workbench("report", "--gate", check, code=1).out.split())
    assert "FAILED" in shown and why.split(" – ", maxsplit=1)[0] in shown and "␊" not in shown


def test_every_exit_code_as_a_shell_sees_it(own: Project, tmp_path: Path) -> None:
    root = own.root
    assert program("report", root, "--gate", "best(val/accuracy) > 0.8").code == 0
    failed = program("report", root, "--gate", "best(val/accuracy) > 0.99")
    assert (failed.code, failed.err) == (1, "")
    assert "0.9 is not > 0.99" in failed.out
    (root / "workbench.toml").write_text('[gate]\nx = "y"\n')
    wrong = program("report", root)
    assert (wrong.code, wrong.out) == (2, "")
    (root / "workbench.toml").unlink()
    refused = program("report", root, "--strict", "--gate", "best(val/accuracy) > 0.8")
    assert refused.code == 4, "a line of dense/metrics.jsonl was refused"
    assert program("report", root, "--strict", "--gate", "best(val/accuracy) > 0.99").code == 1, "gates come first"
    own.store.close()
    (root / ".workbench" / "workbench.duckdb").write_bytes(b"no database" * 1000)
    broken = program("report", root)
    assert (broken.code, broken.out) == (3, "")
    assert "workbench.duckdb" in broken.err and "next:" in broken.err and "Traceback" not in broken.err


def test_several_formats_in_one_run_each_in_its_file(read: Project, tmp_path: Path) -> None:
    names = ["r.md", "r.html", "r.json", "r.xml", "r.txt"]
    answer = workbench(
        "report", *(word for name in names for word in ("--out", tmp_path / name)), "--gate", "n(mystery) > 0", code=1
    )
    assert answer.out == "" and answer.err.count("wrote ") == 5
    starts = {name: (tmp_path / name).read_text()[:20] for name in names}
    assert starts["r.md"].startswith("# Workbench report")
    assert starts["r.html"].startswith("<!doctype html>") or starts["r.html"].startswith("<!DOCTYPE html>")
    assert json.loads((tmp_path / "r.json").read_text())["passed"] is False
    assert starts["r.xml"].startswith("<?xml")
    assert starts["r.txt"].startswith("Workbench report")


def test_a_format_without_a_file_goes_to_stdout_and_names_decide_before_order(read: Project, tmp_path: Path) -> None:
    out = tmp_path / "gates.xml"
    answer = workbench("report", "--format", "md", "--format", "junit", "--out", out)
    assert answer.out.startswith("# Workbench report")
    assert out.read_text().startswith("<?xml")
    odd = tmp_path / "summary"
    workbench("report", "--format", "md", "--out", odd)
    assert odd.read_text().startswith("# Workbench report")
    assert "which format?" in workbench("report", "--out", odd, code=2).err
    assert "cannot be written" in workbench("report", "--out", tmp_path / "no" / "r.md", code=2).err


def test_junit_is_what_ci_systems_read(read: Project, tmp_path: Path) -> None:
    checks = ["best(val/accuracy) > 0.8", "best(val/accuracy) > 0.99", "best(<nix> & 'x') > 0"]
    options = [word for check in checks for word in ("--gate", check)]
    workbench("report", *options, "--out", tmp_path / "gates.xml", code=1)
    root = Xml.parse(tmp_path / "gates.xml").getroot()
    suite = root[0]
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [checks[1], checks[2], checks[0]]
    assert [case.find("failure") is not None for case in cases] == [True, True, False]
    failure = cases[0].find("failure")
    assert failure is not None and failure.get("message") == "0.9 is not > 0.99"


def test_without_a_store_the_files_are_read_and_nothing_is_left_behind(logs: Path) -> None:
    before = files_below(logs)
    assert gates_of("--gate", "best(val/accuracy) >= 0.9", "--gate", "n(val/accuracy) == 2", code=0)
    assert files_below(logs) == before
    workbench("pack", "--out", logs.parent / "main.wbpack")
    assert files_below(logs) == before
    assert program("report", logs, cwd=logs.parent).code == 0
    assert not (logs / ".workbench").exists()


# Against main -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Main with its pack, and a change of it: a better model, slower, on production data that moved."""
    main = tmp_path_factory.mktemp("main") / "shop"
    (main / "train").mkdir(parents=True)
    write_exports(main)
    (main / "exports" / "day2.parquet").unlink()
    rows = [{"step": step, "val/accuracy": 0.8, "latency_ms": 10.0} for step in range(10)]
    pl.DataFrame(rows).write_ndjson(main / "train" / "log.jsonl")
    pack = main.parent / "main.wbpack"
    assert "wrote" in workbench("pack", "--root", main, "--out", pack).err
    change = main.parent / "change"
    shutil.copytree(main, change)
    rows = [{"step": step, "val/accuracy": 0.9, "latency_ms": 15.0} for step in range(10)]
    pl.DataFrame(rows).write_ndjson(change / "train" / "log.jsonl")
    other = main.parent / "other"
    other.mkdir()
    write_exports(other)
    shutil.copy(other / "exports" / "day2.parquet", change / "exports")
    return main, change, pack


def against(root: Path, pack: Path) -> dict[str, Any]:
    found = workbench("report", root, "--against", pack, "--format", "json").json
    return next(section["data"] for section in found["sections"] if section["anchor"] == "against")


def test_a_change_is_compared_with_the_pack_of_main(branches: tuple[Path, Path, Path]) -> None:
    _, change, pack = branches
    data = against(change, pack)
    metrics = {row["key"]: row for row in data["metrics"]}
    assert metrics["val/accuracy"]["before"] == 0.8 and metrics["val/accuracy"]["now"] == 0.9
    assert metrics["val/accuracy"]["delta"]["absolute"] == pytest.approx(0.1)
    assert metrics["val/accuracy"]["delta"]["better"] is True
    assert metrics["latency_ms.p95"]["delta"] == {"absolute": 5.0, "relative": 0.5, "better": False}
    shop = {row["key"]: row for row in data["monitors"]["shop"]}
    assert shop["drifted share"]["before"] == 0.0 and shop["drifted share"]["now"] > 0
    assert shop["drifted share"]["delta"]["better"] is False
    assert shop["latency_ms.p95"]["now"] == pytest.approx(2 * shop["latency_ms.p95"]["before"])
    assert shop["drift of age"]["delta"]["better"] is False
    assert shop["drift of size"]["delta"]["absolute"] == 0
    text = workbench("report", change, "--against", pack).out
    assert "Against main" in text and "Monitor shop" in text and "drift of age" in text


def test_main_against_its_own_pack_shows_no_change(branches: tuple[Path, Path, Path]) -> None:
    main, _, pack = branches
    data = against(main, pack)
    assert {row["delta"]["absolute"] for row in data["metrics"] if row["delta"]} == {0}


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "empty"])
def test_a_pack_that_is_damaged_is_refused_before_any_work(
    branches: tuple[Path, Path, Path], tmp_path: Path, damage: str
) -> None:
    main, _, pack = branches
    data = pack.read_bytes()
    middle = len(data) // 2
    broken = tmp_path / "main.wbpack"
    broken.write_bytes({
        "text": b"{}", "cut": data[:middle], "empty": b"",
        "flipped": data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :],
    }[damage])  # fmt: skip
    answer = workbench("report", main, "--against", broken, code=2)
    assert answer.out == "" and str(broken) in answer.err and "pack" in answer.err
