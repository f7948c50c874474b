"""A text log in a project: which files are one, what else they tell, and that no line can harm."""

import datetime as dt
import random
import time
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ingest import Project
from workbench.ingest.discovery import Detector
from workbench.ingest.readers import all_readers
from workbench.plugin.api import Chunk, Head
from workbench.readers import key_index
from workbench.readers.text.clean import LONGEST, shown_text
from workbench.readers.text.dialects import read_line
from workbench.readers.text.params import arguments, entry, pairs
from workbench.readers.text.reader import TextLogReader

READER = TextLogReader()
FIXTURES = Path(__file__).parent.parent / "fixtures" / "text"
NANOGPT = "".join(f"iter {i}: loss {3 - i / 100:.4f}, time {120 + i:.2f}ms, mfu 24.10%\n" for i in range(20))


def read(data, start=0, state=None, name="train.log", final=False):
    data = data if isinstance(data, bytes) else data.encode()
    return READER.read(Chunk(PurePath(name), data, start, state or {}, final=final, modified=1000.0))


def points(batch):
    p = batch.points
    table = zip(p.key, p.step, p.value, p.wall, p.offset, strict=True)
    return [(p.keys[k], int(s), repr(float(v)), repr(float(w)), int(o)) for k, s, v, w, o in table]


def facts(batch, kind):
    return {fact.key: fact.value for fact in batch.facts if fact.kind == kind}


def claim(text, name="train.log", siblings=()):
    data = text if isinstance(text, bytes) else text.encode()
    return READER.claim(Head(PurePath(name), data[:65536], len(data), frozenset(siblings)))


# Which files are text logs -------------------------------------------------------------------------------------


def test_two_lines_of_a_known_trainer_are_enough():
    assert claim(NANOGPT[: NANOGPT.index("iter 1:")]).score == 0
    assert claim(NANOGPT).score >= 0.5
    assert "nanogpt" in claim(NANOGPT).why


def test_by_the_general_rule_a_metric_must_recur():
    line = "step={} loss=0.5\n"
    assert claim("".join(map(line.format, range(2)))).score == 0
    assert claim("".join(map(line.format, range(3)))).score >= 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.txt", "A model.\n\nloss: we use cross entropy\nlr: see config\nRun it with --lr=0.1 and wait 3 h.\n"),
        ("requirements.txt", "numpy==1.26.0\ntorch>=2.1\nloss-functions==1.0\nscikit-learn==1.4\n"),
        ("dmesg.log", "".join(f"[    {i}.0{i}] EXT4-fs error (device sda{i}): count: {i}\n" for i in range(9))),
        ("access.log", '10.0.0.1 - - [10/Oct/2026:13:55:36] "GET /?step=1&loss=2 HTTP/1.1" 200 2326\n' * 9),
        ("ping.txt", "64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=12.3 ms\n" * 9),
        ("server.log", "2026-01-01 12:00:00 INFO request_id=7 status=200 latency_ms=12.5\n" * 9),
        ("build.log", "Step 3/10 : RUN pip install --timeout=100 x\n[ 50%] Building CXX object a.cc.o\n" * 9),
        ("config.txt", "lr: 0.1\nbatch_size: 32\nepochs: 10\nloss: mse\nseed: 7\n"),
        ("pip.log", "Downloading numpy-1.26.0.whl (18.2 MB)\nSuccessfully installed numpy-1.26.0\n" * 9),
        ("data.txt", "0.1 0.2 0.3\n0.4 0.5 0.6\n" * 9),
        ("binary.out", b"\x7fELF\0\0\0\0step=1 loss=1\nstep=2 loss=1\nstep=3 loss=1\n" + b"\0" * 200),
        ("wide.txt", NANOGPT.encode("utf-16")),
        ("metrics.log", '{"step": 1, "loss": 0.5}\n' * 9),
        ("empty.log", ""),
    ],
)
def test_other_files_are_left_alone_and_detect_says_what_was_tried(name, text):
    found = claim(text, name)
    assert found.score == 0
    assert found.why or not text


def test_tables_and_json_lines_in_text_files_stay_with_their_readers(tmp_path):
    (tmp_path / "a.log").write_text("".join(f'{{"step": {i}, "loss": 0.5}}\n' for i in range(9)))
    (tmp_path / "b.txt").write_text("step,loss\n" + "".join(f"{i},0.5\n" for i in range(9)))
    (tmp_path / "c.log").write_text(NANOGPT)
    found = {
        name: Detector(all_readers()).detect(tmp_path, PurePath(name)).reader.name
        for name in ("a.log", "b.txt", "c.log")
    }
    assert found == {"a.log": "jsonl", "b.txt": "csv", "c.log": "text"}


@pytest.mark.parametrize(
    ("name", "siblings", "own"),
    [
        ("exp1.log", (), True), ("exp1.log", ("exp2.log",), True), ("slurm-17.out", (), True), ("nohup.out", (), True),
        ("train.log", (), False), ("stdout.txt", (), False), ("main.log", (), False),
        ("exp1.log", ("metrics.csv",), False), ("slurm-17.out", ("events.out.tfevents.1.host",), False),
        ("exp1.log", ("trainer_state.json",), False), ("exp1.log", ("notes.csv",), True),
        ("outputs/2026-01-01/12-00-00/fit.log", (), False), ("multirun/2026-01-01/12-00-00/3/fit.log", (), False),
    ],
)  # fmt: skip
def test_a_log_alone_is_a_run_and_one_beside_others_is_a_view_of_theirs(name, siblings, own):
    assert claim(NANOGPT, name, siblings).per_file_run is own


# What stands in a log besides metrics --------------------------------------------------------------------------


def test_settings_before_the_first_step_are_parameters():
    batch = read(
        "Namespace(lr=0.1, name='a, b', betas=[0.9, 0.99], amp=True, resume=None)\n"
        "{'depth': 4, 'act': 'gelu'}\n"
        "warmup=10, decay=0.5\n"
        "2026-01-01 12:00:00,123 INFO batch_size: 32\n2026-01-01 12:00:00,124 INFO optimizer: adam\n"
        "  max_iters ......... 5000\n  model ............. gpt2\n"
        "A single remark: 12\n\n"
        "step 1 loss 0.5\nlearning_rate: 0.25\nwidth: 7\n"
    )
    assert facts(batch, "param") == {
        "lr": 0.1, "name": "a, b", "betas": "[0.9, 0.99]", "amp": True, "resume": None, "depth": 4, "act": "gelu",
        "warmup": 10, "decay": 0.5, "batch_size": 32, "optimizer": "adam", "max_iters": 5000, "model": "gpt2",
    }  # fmt: skip
    assert [point[:3] for point in points(batch)] == [("loss", 1, "0.5"), ("learning_rate", 1, "0.25")]


def test_nothing_of_a_printed_namespace_is_evaluated_and_secrets_are_not_kept():
    batch = read("Namespace(x=__import__('os'), api_key='abc123', y=1)\nstep=1 loss=1\n")
    params = facts(batch, "param")
    assert params["y"] == 1 and "abc123" not in str(params)
    assert not any(isinstance(value, dict) for value in params.values())


def test_the_time_before_a_line_is_its_wall_time():
    local = dt.datetime(2026, 1, 1, 12, 0, 0, 123000).timestamp()
    utc = dt.datetime(2026, 1, 1, 12, 0, 0, tzinfo=dt.UTC).timestamp()
    log = (
        "2026-01-01 12:00:00,123 INFO step=1 loss=1\n[2026/01/01 12:00:00.123] step=1 loss=1\n"
        'time="2026-01-01T12:00:00Z" step=1 loss=1\n2026-01-01T14:00:00+02:00 step=1 loss=1\n'
        "ts=1767268800.5 step=1 loss=1\nstep=1 loss=1 time=12.5\n2026-99-01 12:00:00 step=1 loss=1\n"
    )
    loss = [point[3] for point in points(read(log)) if point[0] == "loss"]
    assert loss == [repr(local), repr(local), repr(utc), repr(utc), "1767268800.5", "nan", "nan"]


def test_the_file_is_named_for_the_log_view_and_a_slurm_file_names_its_job():
    batch = read(NANOGPT, name="runs/slurm-4711.out")
    assert facts(batch, "console") == {"slurm-4711.out": "runs/slurm-4711.out"}
    assert facts(batch, "environment") == {"slurm_job": "4711"}


# How a run ended -----------------------------------------------------------------------------------------------

TRACEBACK = (
    'Traceback (most recent call last):\n  File "train.py", line 12, in <module>\n    main()\n'
    "  File \"train.py\", line 7, in main\n    raise ValueError('x')\nValueError: loss: 0.5 is odd\n"
)


def status(*chunks):
    """(status, reason) in force after some chunks, None where none is."""
    said, state, start = {}, {}, 0
    for chunk in chunks:
        batch = read(chunk, start, state)
        state, start = dict(batch.state), start + batch.consumed
        said.update(facts(batch, "status"))
    return [(value, reason) for reason, value in said.items() if value]


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (TRACEBACK, ("failed", "ValueError: loss: 0.5 is odd")),
        (TRACEBACK.replace("ValueError: loss: 0.5 is odd", "KeyboardInterrupt"), ("killed", "KeyboardInterrupt")),
        (
            "".join(f"[rank1]: {line}\n" for line in TRACEBACK.splitlines()),
            ("failed", "ValueError: loss: 0.5 is odd"),
        ),
        (
            TRACEBACK + "\nDuring handling of the above exception, another exception occurred:\n\n"
            "Traceback (most recent call last):\n  File 'x', line 1\ntorch.OutOfMemoryError: CUDA out of memory.\n",
            ("failed", "torch.OutOfMemoryError: CUDA out of memory."),
        ),
        (
            TRACEBACK + "Traceback (most recent call last):\n  File 'x', line 1\ntorch.x.ChildFailedError: \n",
            ("failed", "ValueError: loss: 0.5 is odd"),
        ),
        (
            "slurmstepd: error: *** JOB 17 ON node3 CANCELLED AT 2026-01-01T12:00:00 DUE TO TIME LIMIT ***\n",
            ("failed", "SLURM: cancelled due to time limit"),
        ),
        ("slurmstepd: error: *** JOB 17 ON n3 CANCELLED AT 2026-01-01T12:00:00 ***\n", ("killed", "SLURM: cancelled")),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=17.0.\n", ("failed", "SLURM: out of memory")),
        ("run.sh: line 3:  4711 Killed            python x.py\n", ("failed", "killed by the system (SIGKILL)")),
        ("Segmentation fault (core dumped)\n", ("failed", "segmentation fault")),
    ],
)  # fmt: skip
def test_the_last_lines_tell_why_a_run_failed(ending, said):
    assert status(NANOGPT + ending) == [said]
    cut = len(ending) // 2
    assert status(*(piece + "\n" for piece in (NANOGPT + ending).splitlines())) == [said]
    assert status(NANOGPT, ending[: ending.rfind("\n", 0, cut) + 1], ending[ending.rfind("\n", 0, cut) + 1 :]) == [said]


def test_a_failure_that_was_survived_is_none():
    assert status(NANOGPT + TRACEBACK + "resuming\n" + NANOGPT) == []
    assert status(NANOGPT + TRACEBACK, "resuming\n", NANOGPT) == []
    broken_off = TRACEBACK[: TRACEBACK.index("ValueError")]
    assert status(NANOGPT + broken_off, NANOGPT) == []


# No line can harm ----------------------------------------------------------------------------------------------

WORDS = st.sampled_from([
    "step", "epoch 3", "loss", "=", ":", " ", "\t", "1", "0.5", "-", "e-05", "nan", "{'", "': ", "}", "[", "]", "(",
    ")", "|", "/", "%|", ",", "\r", "\n", "\0", "\x1b[0m", "\x1b]0;", "\x1f", "\b", "\xff", "█", "2026-01-01 12:00:00",
    "ms", "iter 3: loss ",
    "12:\tlearn: ", "Traceback (most recent call last):\n", "Epoch [", "9" * 30, "é", "\u202e", "#",
])  # fmt: skip
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=60).map("".join)


@given(TEXTS, st.booleans())
@settings(max_examples=300)
def test_any_text_is_read_line_by_line_and_the_same_in_pieces(text, final):
    data = text.encode("utf-8", "surrogatepass").replace(b"\xc3\xbf", b"\xff")
    whole = read(data, final=final)
    lines = data.count(b"\n") + (final and not data.endswith(b"\n") and bool(data))
    assert whole.accepted + len(whole.rejects) == lines
    assert len(whole.points) == len(points(whole))
    pieces, state, start = [], {}, 0
    for line in data[: whole.consumed].splitlines(keepends=True) if final else data.split(b"\n")[:-1]:
        if final and not line.endswith(b"\n"):
            break
        batch = read(line if final else line + b"\n", start, state)
        state, start = dict(batch.state), start + batch.consumed
        pieces += points(batch)
    assert points(whole)[: len(pieces)] == pieces


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_are_cleaned_and_claimed_without_harm(data):
    shown = shown_text(data)
    assert b"\r" not in shown.rstrip(b"\r") or b"\n" in data
    claim(data)


@pytest.mark.parametrize("name", ["nanogpt", *sorted(path.stem for path in FIXTURES.glob("*.log"))])
def test_a_log_grown_by_random_bytes_reads_as_it_does_at_once(name):
    data = NANOGPT.encode() if name == "nanogpt" else (FIXTURES / f"{name}.log").read_bytes()
    whole = read(data)
    for seed in range(5):
        chance = random.Random(seed)
        state, start, end, found, said = {}, 0, 0, [], []
        while end < len(data):
            end = min(end + chance.choice((1, 7, 100, 1500)), len(data))
            piece = data[start:end]
            batch = read(piece[: piece.rfind(b"\n") + 1], start, state)
            state, start = dict(batch.state), start + batch.consumed
            found += points(batch)
            said += [(fact.kind, fact.key, fact.value) for fact in batch.facts]
        assert found == points(whole)
        latest = {(kind, key): value for kind, key, value in said}
        assert latest == {(fact.kind, fact.key): fact.value for fact in whole.facts}


ADVERSARIAL = (
    "a", "a ", "a=", "a_", "1", "1,", "1,000", "(", "{'", "{'a': ", "|", "| ", "%|", "\t", "a's ", "[1] a-", "a/",
    " - ", "loss ", "loss: 1 (", "loss=1 +/- ", "Epoch [", "iteration 1/1 |", "step 1: loss ", "Train Epoch: 1 [",
    "nan ", "a a a ", "a=1 ", "a.b.", "Namespace(a=", "a=(", "valid_0's l2: 1\t", '"a": 1, ', "1/1 - ", "  5%|", "é",
)  # fmt: skip


def seconds(work, line):
    best = 1e9
    for _ in range(3):
        begun = time.process_time()
        work(line)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("start", ["", "[1]\t", "Epoch: [0][1/2]", "{'loss': 2, ", " iteration 1/2 | "])
def test_patterns_take_time_in_proportion_to_a_line(start):
    """Sixteen times the text may take some sixteen times as long; a pattern that goes back takes 256 times."""
    works = (read_line, lambda line: list(arguments(line)), pairs, entry, lambda line: shown_text(line.encode()))
    for seed in ADVERSARIAL:
        short, long = ((start + seed * 8192)[:size] for size in (1024, 16 * 1024))
        for work in works:
            taken = seconds(work, long)
            assert taken < 2e-3 or taken < 90 * seconds(work, short), (seed, work)


def test_a_line_is_looked_at_up_to_8_kib_and_no_number_is_torn():
    line = "step=1 loss=0.5 " + "x" * (LONGEST - 30) + " late_loss=0.123456 much_later_loss=1\nstep=2 loss=0.25\n"
    batch = read(line)
    assert [point[:3] for point in points(batch)] == [("loss", 1, "0.5"), ("loss", 2, "0.25")]
    assert "8 KiB" in batch.message
    assert batch.accepted == 2


def test_a_counter_in_the_name_of_a_metric_meets_the_limit_of_keys(monkeypatch):
    monkeypatch.setattr(key_index, "MAX_KEYS", 200)
    batch = read("".join(f"step={i} loss_at_{i}=0.5\n" for i in range(250)))
    assert len(set(batch.points.key.tolist())) == batch.accepted == 200
    assert len(batch.rejects) == 50 and batch.rejects[0].reason.startswith("E180")


# In a project --------------------------------------------------------------------------------------------------


def test_a_run_of_nanogpt_has_its_name_parameters_and_series(project: Project) -> None:
    project.write("out/exp1.log", "Overriding config\nbatch_size: 12\nblock_size: 64\n" + NANOGPT)
    project.write("out/exp2.log", NANOGPT.replace("iter", "iter", 1))
    project.read()
    runs = {run.path: run for run in project.query.runs()}
    assert sorted(runs) == ["out/exp1.log", "out/exp2.log"]
    run = runs["out/exp1.log"]
    assert run.format == "text" and run.params == {"batch_size": 12, "block_size": 64}
    series = project.query.series(run.id, "time_ms")
    assert (series.step.tolist()[-1], series.value.tolist()[-1]) == (19, 139.0)
    assert project.rejects() == []


def test_a_text_log_beside_a_table_is_the_same_run(project: Project) -> None:
    project.write("run/metrics.csv", "epoch,val_acc\n1,0.5\n2,0.75\n")
    project.write("run/exp.log", NANOGPT + TRACEBACK)
    project.read()
    [run] = project.query.runs()
    assert (run.status, run.status_reason) == ("failed", "ValueError: loss: 0.5 is odd")
    assert {"val_acc", "loss", "mfu"} <= set(run.metrics)


def test_a_failed_run_that_goes_on_runs_again(project: Project) -> None:
    project.write("exp.log", NANOGPT + TRACEBACK)
    project.read()
    assert project.query.runs()[0].status == "failed"
    project.write("exp.log", NANOGPT)
    project.read()
    assert project.query.runs()[0].status == "running"


@pytest.mark.parametrize("folder", ["outputs/2026-01-01/12-00-00", "multirun/2026-01-01/12-00-00/0"])
def test_hydras_configuration_belongs_to_the_log_of_its_job(project: Project, folder: str) -> None:
    lines = "".join(f"[2026-01-01 12:00:0{i},123][__main__][INFO] - epoch {i}: loss=0.5\n" for i in range(4))
    project.write(f"{folder}/fit.log", lines)
    project.write(f"{folder}/.hydra/config.yaml", "lr: 1e-3\nmodel:\n  depth: 4\n")
    project.write(f"{folder}/.hydra/overrides.yaml", "- lr=1e-3\n")
    project.read()
    [run] = project.query.runs()
    assert run.path == folder
    assert run.params == {"lr": 0.001, "model.depth": 4, "hydra.overrides": "lr=1e-3"}
    assert run.metrics["loss"].last_step == 3


def test_a_job_out_of_time_is_failed_and_names_its_number(project: Project) -> None:
    end = "slurmstepd: error: *** JOB 17 ON n3 CANCELLED AT 2026-01-01T12:00:00 DUE TO TIME LIMIT ***\n"
    project.write("slurm-17.out", NANOGPT + end)
    project.read()
    [run] = project.query.runs()
    assert (run.status, run.status_reason) == ("failed", "SLURM: cancelled due to time limit")
    assert run.environment["slurm_job"] == "17"


def test_a_text_that_is_no_log_is_in_sources_with_what_was_tried(project: Project) -> None:
    project.write("serve.log", "listening on port 80\nhello\n")
    project.read()
    source = project.source("serve.log")
    assert source.status == "skipped" and "lines looked at" in source.message


def test_a_log_without_a_last_newline_waits_and_loses_nothing(project: Project) -> None:
    project.write("exp.log", NANOGPT + "iter 20: loss 2.5")
    project.read()
    assert len(project.points("loss")) == 20
    project.write("exp.log", "000, time 1.00ms, mfu 1.00%\n")
    project.read()
    assert project.points("loss")[-1] == ("loss", 20, 2.5)
