"""What a person says about runs, asks about files, and mistypes."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from tests.cli.conftest import LONG_AGO
from tests.support.command_line import PROGRAM, program, workbench
from tests.support.ingest import Project, line
from workbench.cli.main import COMMANDS, cli

FIXTURES = Path(__file__).parents[1] / "fixtures"


def shown(run: str) -> dict[str, Any]:
    return workbench("show", run, "--format", "json").json


# What people say ----------------------------------------------------------------------------------------------------


def test_tags_notes_baseline_and_hiding_can_be_said_and_taken_back(own: Project) -> None:
    assert "dense: tagged good, owner=ann" in workbench("tag", "dense", "good", "owner=ann").err
    workbench("note", "dense", "learning rate too high")
    workbench("note", "dense", "keep it")
    workbench("baseline", "dense")
    said = shown("dense")
    assert (said["tags"], said["baseline"]) == (["good", "owner=ann"], True)
    assert said["notes"] == ["learning rate too high", "keep it"]
    assert [run["name"] for run in workbench("runs", "--where", "tag:owner=ann", "--format", "json").json] == ["dense"]

    workbench("tag", "dense", "good", "--remove")
    workbench("note", "dense", "keep it", "--remove")
    workbench("baseline", "dense", "--clear")
    said = shown("dense")
    assert (said["tags"], said["notes"], said["baseline"]) == (["owner=ann"], ["learning rate too high"], False)
    assert (
        "did you mean 'learning rate too high'?" in workbench("note", "dense", "learning rat", "--remove", code=2).err
    )

    workbench("hide", "dense", "sparse")
    assert [run["name"] for run in workbench("runs", "--format", "json").json] == ["named"]
    assert shown("dense")["hidden"] is True
    workbench("hide", "dense", "sparse", "--undo")
    assert len(workbench("runs", "--format", "json").json) == 3


def test_the_last_chosen_baseline_holds(own: Project) -> None:
    workbench("baseline", "dense")
    workbench("baseline", "sparse")
    assert [run["name"] for run in workbench("runs", "--format", "json").json if shown(run["id"])["baseline"]] == [
        "sparse"
    ]


def test_a_run_can_be_called_by_what_is_unique_and_a_wrong_name_gets_the_nearest(own: Project) -> None:
    own.write("other/n/log.jsonl", line(0, loss=1.0), at=LONG_AGO)
    answer = workbench("show", "n", code=2)
    assert "2 runs are called 'n'; use an id:" in answer.err
    assert {"named", "other/n"} <= set(answer.err.split())
    assert "no run 'dnese' – did you mean 'dense'?" in workbench("tag", "dnese", "x", code=2).err
    assert "next: workbench runs" in workbench("show", "zzzz", code=2).err


def test_what_was_said_is_kept_in_files_and_survives_the_store(own: Project) -> None:
    workbench("tag", "dense", "kept")
    own.store.close()
    (own.root / ".workbench" / "workbench.duckdb").unlink()
    assert shown("dense")["tags"] == ["kept"]


# Doctor -------------------------------------------------------------------------------------------------------------


def findings(root: Path, code: int = 0) -> dict[str, tuple[str, str]]:
    listed = workbench("doctor", root, "--format", "json", code=code).json
    assert all(list(item) == ["subject", "state", "finding"] for item in listed)
    return {item["subject"]: (item["state"], item["finding"]) for item in listed}


def test_doctor_on_a_healthy_an_empty_and_a_broken_project(own: Project, tmp_path: Path) -> None:
    healthy = findings(own.root)
    assert healthy["points"] == ("ok", "0 were stored twice")
    assert healthy["source dense/metrics.jsonl"] == ("warn", "live: 1 lines refused; ")
    assert healthy["store"][0] == "ok" and "67 points, 3 runs" in healthy["store"][1]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert findings(empty)["store"][0] == "warn" and "workbench watch --once" in findings(empty)["store"][1]
    assert list(empty.iterdir()) == [], "looking changes nothing"
    (own.root / "workbench.toml").write_text("[metric]\n")
    assert findings(own.root, code=2)["configuration"][0] == "bad"
    own.store.close()
    (own.root / ".workbench" / "workbench.duckdb").write_bytes(b"\0" * 5000)
    assert findings(own.root, code=3)["store"][0] == "bad"


# Other commands -----------------------------------------------------------------------------------------------------


def test_tracking_is_copied_as_one_file_that_runs_alone(tmp_path: Path) -> None:
    made = Path(workbench("tracking", "--copy", tmp_path / "train").out.strip())
    assert made.parent == tmp_path / "train" and made.is_file()
    script = (
        f"import {made.stem} as t\nwith t.init(project='p', name='alone') as r:\n    r.log({{'loss': 1.0}}, step=0)\n"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=tmp_path / "train",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [run["name"] for run in workbench("runs", tmp_path / "train", "--format", "json").json] == ["alone"]


def test_plugins_are_listed_and_checked() -> None:
    listed = workbench("plugins", "list", "--format", "json").json
    assert all(list(item) == ["group", "name", "distribution", "version", "target", "state"] for item in listed)
    checked = workbench("plugins", "list", "--check", "--format", "json").json
    assert {item["state"] for item in checked} <= {"ok"}
    assert [item["name"] for item in checked] == [item["name"] for item in listed]


def test_sql_reads_one_select_and_shows_where_it_is_wrong(read: Project) -> None:
    counted = "select run.name, count(*) as n from point join run on run.id = run_id group by 1 order by 1"
    assert workbench("sql", counted, "--format", "json").json == [
        {"name": "dense", "n": 60},
        {"name": "named", "n": 3},
        {"name": "sparse", "n": 4},
    ]
    assert workbench("sql", counted, "--format", "json").json == [
        {"name": "dense", "n": 60},
        {"name": "named", "n": 3},
        {"name": "sparse", "n": 4},
    ]
    not_a_number = "select value from point where key = 'train/loss' and step = 1"
    assert workbench("sql", not_a_number, "--format", "json").json == [{"value": None}]
    spill = workbench("sql", "select current_setting('temp_directory') as folder", "--format", "json").json[0]["folder"]
    assert Path(spill).parent == read.root / ".workbench" / "tmp", "never the folder the user happens to be in"
    assert "9007199254740993" in workbench("sql", "select 9007199254740993 as id").out, "ids keep all their digits"
    assert "did you mean 'run'" in workbench("sql", "select * from runn", code=2).err
    assert "DROP is not allowed" in workbench("sql", "drop table run", code=2).err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("rnus",), "no command and no folder 'rnus' – did you mean 'runs'?"),
        (("./nofolder",), "no folder './nofolder'"),
        (("dense/metrics.jsonl",), "is a file, not a folder; what it is taken for says: workbench detect"),
        (("runs", "nofolder"), "Directory 'nofolder' does not exist"),
        (("runs", "--format", "xml"), "'xml' is not one of 'table', 'json', 'csv', 'md'"),
        (("runs", "--formt", "json"), "No such option"),
        (("compare", "--metric", "val/acc"), "none of these runs has 'val/acc' – did you mean 'val/accuracy'?"),
        (("monitor",), "no monitor here"),
        (("tag", "dense"), "Missing argument"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_would_be_right(read: Project, words: tuple[str, ...], says: str) -> None:
    answer = workbench(*words, code=2)
    assert answer.out == ""
    assert says in " ".join(answer.err.split())


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_whatever_the_project_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "workbench.toml").write_text("no toml [")
    (tmp_path / ".workbench").write_text("no folder")
    monkeypatch.chdir(tmp_path)
    text = workbench(command, "--help").out
    assert text.startswith(f"Usage: workbench {command} ")
    assert len(text.splitlines()[2].strip()) > 10, "says what it does"
    loaded = cli.get_command(click.Context(cli), command)
    assert loaded is not None
    silent = [each.name for each in loaded.params if isinstance(each, click.Option) and not (each.help or each.hidden)]
    assert silent == []
    assert workbench("--help").out.count(f"  {command} ") >= 1


def test_a_broken_configuration_is_told_with_file_key_and_the_nearest_name(read: Project, tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('[metrics.loss]\ndirection = "lowr"\n')
    for command in ("runs", "sources", "report", "watch"):
        answer = workbench(command, *(["--once"] if command == "watch" else []), tmp_path, code=2)
        assert answer.out == ""
        assert answer.err == (
            f"Error: {tmp_path / 'workbench.toml'}: metrics.loss.direction: 'lowr' is not one of them"
            " – did you mean 'lower'?\n"
        )
    (tmp_path / "workbench.toml").write_text("[metrics\n")
    assert "line 1" in workbench("runs", tmp_path, code=2).err


def without_override() -> None:
    """The next program is bound by permissions even as root (Linux: drop CAP_DAC_OVERRIDE and _READ_SEARCH)."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):
            if libc.prctl(24, capability, 0, 0, 0):
                os._exit(99)


def test_a_folder_that_cannot_be_written_is_named_and_a_report_still_works(
    logs: Path, request: pytest.FixtureRequest
) -> None:
    logs.chmod(0o555)
    request.addfinalizer(lambda: logs.chmod(0o755))
    answer = program("runs", logs, cwd=logs.parent, preexec_fn=without_override)
    if answer.code == 99:
        pytest.skip("root may write everywhere here")
    assert (answer.code, answer.out) == (3, "")
    assert f"{logs}/.workbench" in answer.err and "cannot be written by this user" in answer.err
    assert "WORKBENCH_STORE" in answer.err and "Traceback" not in answer.err
    report = program(
        "report", logs, "--gate", "best(val/accuracy) >= 0.9", cwd=logs.parent, preexec_fn=without_override
    )
    assert (report.code, report.err) == (0, "")


def test_a_file_in_the_place_of_the_state_folder_is_named(logs: Path) -> None:
    (logs / ".workbench").write_text("in the way")
    answer = workbench("runs", code=3)
    assert f"{logs}/.workbench" in answer.err and "next:" in answer.err


def test_an_unforeseen_error_is_no_failed_gate(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys, workbench.cli.main as m, workbench.core.config as c\n"
        "def load_config(root): raise RuntimeError('\\x1b]0;pwned\\x07')\n"
        "c.load_config = load_config\n"
        "sys.argv = ['workbench', 'report']\n"
        "m.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 70
    assert b"RuntimeError" in done.stderr and b"\x1b" not in done.stderr


def test_output_into_a_closed_pipe_ends_quietly(read: Project) -> None:
    script = f"{' '.join(PROGRAM)} export points | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "run_id,run,key,step,wall_time,value\n"


def test_the_store_may_lie_elsewhere(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "stores"))
    answer = workbench("runs", "--format", "json")
    assert len(answer.json) == 3
    assert f"the store lies in {tmp_path / 'stores'}" in answer.err
    assert not (logs / ".workbench").exists()
    shutil.rmtree(tmp_path / "stores")
