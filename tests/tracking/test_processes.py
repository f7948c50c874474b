"""Real processes that log and are killed, fork, run out of disk, or have nothing but the one file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import tracking
from workbench.plugin.api import Chunk
from workbench.readers.own.reader import WorkbenchReader

PROJECT = Path(tracking.__file__).parents[1]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}


def script(tmp_path: Path, body: str) -> list[str]:
    path = tmp_path / "script.py"
    path.write_text(f"import os, signal, sys\nimport workbench\n{body}")
    return [sys.executable, str(path)]


def run_script(tmp_path: Path, body: str) -> subprocess.CompletedProcess[str]:
    command = script(tmp_path, body)
    return subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "runs").glob("*/*.wb.jsonl"))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def read(path: Path):
    data = path.read_bytes()
    return WorkbenchReader().read(Chunk(path, data, 0, {}, final=True))


def test_every_step_that_was_logged_survives_kill_9(tmp_path):
    body = """
run = workbench.init(name="victim")
for step in range(10**9):
    run.log({"loss": 1 / (step + 1), "acc": step}, step=step)
    os.write(1, b"%d\\n" % step)
"""
    process = subprocess.Popen(script(tmp_path, body), cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(500)]
    process.kill()
    seen += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    acknowledged = [int(line) for line in seen if line.endswith(b"\n")]
    batch = read(files(tmp_path)[0])
    steps = batch.points.step[batch.points.key == batch.points.keys.index("loss")].tolist()
    assert steps[: len(acknowledged)] == acknowledged and len(steps) - len(acknowledged) <= 1
    assert not batch.rejects and not any(fact.kind == "status" for fact in batch.facts)


def test_a_forked_child_writes_its_own_file_and_does_not_end_the_run(tmp_path):
    body = """
run = workbench.init(name="parent")
run.log({"a": 1.0}, step=0)
if os.fork() == 0:
    run.log({"a": 2.0}, step=1)
    run.finish()
    sys.exit(0)
os.wait()
run.log({"a": 3.0}, step=2)
"""
    assert run_script(tmp_path, body).stderr == ""
    child, parent = sorted(map(lines, files(tmp_path)), key=len)
    assert [line["t"] for line in child] == ["fork", "log"]
    assert [line["t"] for line in parent] == ["start", "log", "log", "end"]
    assert child[0]["run"] == parent[0]["run"] and child[0]["parent"] == parent[0]["env"]["pid"] != child[0]["pid"]
    assert parent[-1]["status"] == "finished"
    assert len({path.parent for path in files(tmp_path)}) == 1


def test_worker_processes_of_a_pool_log_to_the_same_run(tmp_path):
    body = """
import multiprocessing
run = workbench.init(name="pool")
def work(step):
    run.log({"a": float(step)}, step=step)
if __name__ == "__main__":
    pool = multiprocessing.get_context("fork").Pool(2)
    pool.map(work, range(20), chunksize=1)
    pool.close()  # ending it would kill its workers, one of which may hold the lock of its queue
    pool.join()
    run.finish()
"""
    assert run_script(tmp_path, body).stderr == ""
    logged = [line["step"] for path in files(tmp_path) for line in lines(path) if line["t"] == "log"]
    assert sorted(logged) == list(range(20))
    assert sum(line["t"] == "end" for path in files(tmp_path) for line in lines(path)) == 1


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("workbench.init()", "finished", "the script ended without an exception; its exit code is unknown"),
        ("workbench.init()\nraise ValueError('boom')", "failed", "ValueError: boom at script.py:4"),
        ("workbench.init()\nos.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()", "killed", "signal SIGTERM"),
        (
            "workbench.init()\nos.kill(os.getpid(), signal.SIGINT)\nsignal.pause()",
            "killed",
            "KeyboardInterrupt at script.py:",
        ),
        ("with workbench.init():\n    sys.exit(3)", "failed", "exit code 3"),
    ],
    ids=["end", "exception", "sigterm", "sigint", "exit"],
)
def test_the_last_line_says_how_the_process_ended(tmp_path, body, status, reason):
    done = run_script(tmp_path, body)
    end = lines(files(tmp_path)[0])[-1]
    assert (end["t"], end["status"]) == ("end", status)
    assert end["reason"].startswith(reason)
    if "SIGTERM" in body:
        assert done.returncode == -signal.SIGTERM
    if "boom" in body:
        assert "ValueError: boom" in done.stderr


def test_a_script_that_handles_sigterm_itself_keeps_its_handler(tmp_path):
    body = """
signal.signal(signal.SIGTERM, lambda number, frame: print("mine"))
run = workbench.init()
os.kill(os.getpid(), signal.SIGTERM)
run.finish()
"""
    assert run_script(tmp_path, body).stdout == "mine\n"
    assert lines(files(tmp_path)[0])[-1]["status"] == "finished"


def test_the_default_of_sigterm_is_back_once_no_run_is_open(tmp_path):
    body = """
with workbench.init():
    print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""
    assert run_script(tmp_path, body).stdout.split() == ["False", "True"]


def test_a_line_cut_off_by_a_full_disk_is_ended_before_the_next_and_only_it_is_lost(tmp_path):
    body = """
import resource
run = workbench.init()
size = os.stat(run.path).st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200, resource.RLIM_INFINITY))
for step in range(10):
    run.log({"a": 1.0}, step=step)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
run.log({"a": 1.0}, step=100)
run.finish()
"""
    done = run_script(tmp_path, body)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1 and "log() failed: OSError: [Errno 27]" in done.stderr
    batch = read(files(tmp_path)[0])
    steps = batch.points.step.tolist()
    assert steps[-1] == 100 and steps[:-1] == list(range(len(steps) - 1)) and 2 <= len(steps) < 10
    assert [reject.reason.split()[0] for reject in batch.rejects] == ["E102"]
    assert [fact.value for fact in batch.facts if fact.kind == "status"] == ["finished"]


def test_the_one_file_runs_alone_on_a_bare_python(tmp_path):
    tracking.copy_to(tmp_path)
    (tmp_path / "train.py").write_text(
        """
import sys
sys.path.insert(0, sys.argv[1])
import workbench_tracking as wandb
with wandb.init(project="p", name="alone", config={"lr": 0.1}) as run:
    wandb.log({"loss": 0.5, "nan": float("nan")})
    with run.stage("training"):
        run.artifact(__file__)
assert not any("site-packages" in (getattr(module, "__file__", None) or "") for module in sys.modules.values())
assert "threading" not in sys.modules and "socket" not in sys.modules and "sqlite3" not in sys.modules
"""
    )
    command = [sys.executable, "-I", "-S", "-W", "error", str(tmp_path / "train.py"), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    batch = read(files(tmp_path)[0])
    assert batch.accepted == 6 and not batch.rejects and len(batch.points) == 2
