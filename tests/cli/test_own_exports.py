"""What workbench writes into a project stays what it is: no listing, report or export comes back as a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core import written
from workbench.core.batch import Head
from workbench.readers.own.exports import OWN_EXPORT, own_export

PROGRAM = [sys.executable, "-m", "workbench.cli.main"]
NOT_READ = "an export of workbench, not read"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    for name, level in (("gbm", 0.5), ("mlp", 0.7)):
        (root / "runs" / name).mkdir(parents=True)
        lines = [json.dumps({"step": step, "loss": level / (step + 1)}) + "\n" for step in range(20)]
        (root / "runs" / name / "metrics.jsonl").write_text("".join(lines))
    asked(root, "watch --once")
    return root


@pytest.fixture(scope="module")
def written_by_workbench(project: Path) -> list[dict[str, object]]:
    """The project with everything in it that workbench can write; the runs as they were before."""
    before: list[dict[str, object]] = json.loads(asked(project, "runs --format json"))
    for command, name in REDIRECTED:
        if name != "copy.log":
            assert asked(project, command, name), command
    for command, name in ASKED:
        asked(project, command.format(name))
    for name in ("sql.csv", "sql.json"):
        subprocess.run([*PROGRAM, "sql", SQL, "--out", name], cwd=project, check=True, capture_output=True)
    with (project / "sql-again.csv").open("w") as stream:
        subprocess.run([*PROGRAM, "sql", SQL, "--format", "csv"], cwd=project, check=True, stdout=stream)
    return before


def asked(root: Path, command: str, into: str | None = None) -> str:
    """What a command prints; with `into`, what the shell's redirection puts into that file."""
    words = [*PROGRAM, *command.split()]
    if into is None:
        return subprocess.run(words, cwd=root, check=True, capture_output=True, text=True).stdout
    with (root / into).open("w") as stream:
        subprocess.run(words, cwd=root, check=True, stdout=stream, stderr=subprocess.PIPE)
    return (root / into).read_text(errors="replace")


REDIRECTED = [
    ("runs", "runs.log"), ("runs --format csv", "runs.csv"), ("runs --format json", "runs.json"),
    ("runs --format md", "runs.txt"), ("show gbm --format json", "gbm.json"), ("compare", "compare.log"),
    ("compare --format csv", "compare.csv"), ("compare --format json", "compare.json"),
    ("sources --format csv", "sources.csv"), ("report", "report.log"), ("report --format md", "report.txt"),
    ("report --format json", "report.json"), ("report --format html", "report.html"), ("logs gbm", "copy.log"),
    ("export points", "points.csv"), ("export points --format json", "points.json"),
    ("panel params --format json", "params.json"),
]  # fmt: skip
"""Commands and names under which a reader of logs would look into what they print."""
ASKED = [
    ("export points --out {}", "all.csv"), ("export points --out {}", "all.json"),
    ("export points --out {}", "all.parquet"), ("report --format json --out {}", "ci.json"),
    ("report --format text --out {}", "ci.log"),
]  # fmt: skip
SQL = "select step, value as loss from point order by step"


def test_nothing_that_workbench_wrote_becomes_a_run_or_is_read(
    project: Path, written_by_workbench: list[dict[str, object]]
) -> None:
    before = written_by_workbench
    asked(project, "watch --once")
    after = json.loads(asked(project, "runs --format json"))
    assert [run["id"] for run in after] == [run["id"] for run in before]
    assert [run["metrics"] for run in after] == [run["metrics"] for run in before]
    sources = {source["path"]: source for source in json.loads(asked(project, "sources --format json"))}
    for name in (
        "runs.log",
        "runs.csv",
        "gbm.json",
        "compare.csv",
        "points.csv",
        "all.json",
        "sql.csv",
        "sql-again.csv",
    ):
        assert (sources[name]["status"], sources[name]["message"]) == ("skipped", NOT_READ)
    assert {path for path, source in sources.items() if source["status"] == "live"} == {
        "runs/gbm/metrics.jsonl", "runs/mlp/metrics.jsonl"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["points.csv", "runs.json", "report.json", "report.html", "sql.csv", "all.parquet"])
@pytest.mark.usefixtures("written_by_workbench")
def test_detect_says_so_too(project: Path, name: str) -> None:
    assert f"{name}: {NOT_READ}" in asked(project, f"detect {name}")
    told = json.loads(asked(project, f"detect {name} --format json"))
    assert (told["format"], told["why"], told["mapping"]) == (None, NOT_READ, None)


@pytest.mark.usefixtures("written_by_workbench")
def test_a_copy_in_another_project_is_known_by_how_it_begins(project: Path, tmp_path: Path) -> None:
    for name in ("points.csv", "points.json", "runs.csv", "runs.json", "gbm.json", "compare.json", "report.json"):
        shutil.copy(project / name, tmp_path / name)
    asked(tmp_path, "watch --once")
    assert json.loads(asked(tmp_path, "runs --format json")) == []


@pytest.mark.usefixtures("written_by_workbench")
def test_what_a_training_writes_on_is_the_users_again(project: Path) -> None:
    log = project / "mine.csv"
    log.write_bytes((project / "sql.csv").read_bytes())
    assert f"mine.csv: {NOT_READ}" in asked(project, "detect mine.csv")
    with log.open("a") as stream:
        stream.write("20,0.01\n")
    assert "read as csv" in asked(project, "detect mine.csv")
    log.unlink()


def test_output_appended_to_a_log_leaves_the_log_a_log(project: Path) -> None:
    log = project / "train.log"
    log.write_text("".join(f"step {step} loss {1 / (step + 1):.4f}\n" for step in range(30)))
    with log.open("a") as stream:
        subprocess.run([*PROGRAM, "runs"], cwd=project, check=True, stdout=stream)
    assert "read as text" in asked(project, "detect train.log")
    log.unlink()


@pytest.mark.parametrize(
    "text",
    [
        "step,wall_time,value\n1,2,3\n", '[{"step": 1, "loss": 0.5}]', '{"id": "a", "name": "x", "loss": 1}',
        '{"title": "My report", "loss": [1, 2]}', "run_id,loss\na,1\n", "Workbench report: is what I read\nstep 1\n",
    ],
)  # fmt: skip
def test_logs_that_only_look_a_little_like_it_are_not_taken_for_it(text: str) -> None:
    assert own_export(Head(Path("x.csv"), text.encode(), len(text))) is None
    assert OWN_EXPORT.score == 0


def test_what_is_remembered_stays_bounded_and_needs_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST", 10)
    (tmp_path / ".workbench").mkdir()
    for number in range(25):
        (tmp_path / "x.txt").write_text(f"{number}\n")
        written.remember(tmp_path / "x.txt")
    assert len((tmp_path / ".workbench" / "written").read_text().splitlines()) <= 10
    assert written.is_remembered(tmp_path / "x.txt", b"24\n", 3)
    assert not written.is_remembered(tmp_path / "x.txt", b"0\n", 2)
    outside = tmp_path.parent / f"{os.getpid()}.txt"
    outside.write_text("1")
    written.remember(outside)
    outside.unlink()
    assert not list(tmp_path.parent.glob(".workbench"))


def test_an_own_export_is_no_problem(project: Path) -> None:
    told = asked(project, "sources --problems")
    assert "No source has a problem" in told and "workbench sources" in told
