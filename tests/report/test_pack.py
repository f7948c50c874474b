"""Packs: written on main, read on a change, and never trusted."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.support.sample_project import LOGISTIC, RULE, TREE, sample_project
from workbench.core.config import Config
from workbench.core.model import ColumnDrift, Window
from workbench.core.query import Fit, Focus
from workbench.report.against import against_section, compare_with
from workbench.report.pack import Pack, PackError, read_pack, write_pack

PROJECT = sample_project()


def packed(query: MemoryQuery = PROJECT, root: Path = Path("/nowhere/flights")) -> bytes:
    return write_pack(query, Config(root))


def sealed(body: object, version: int = 1, **changes: object) -> bytes:
    """A pack with whatever inside, and a checksum that is right."""
    text = json.dumps(body)
    envelope = {"workbench_pack": version, "sha256": hashlib.sha256(text.encode()).hexdigest(), "body": text}
    return gzip.compress(json.dumps({**envelope, **changes}).encode())


def test_a_pack_holds_summaries_latencies_drift_and_the_commit() -> None:
    pack = read_pack(packed())
    assert (pack.project, pack.commit) == ("flights", "c0ffee")
    assert [run.name for run in pack.runs] == ["tree", "logistic", "rule"]
    tree = pack.runs[0]
    assert tree.metrics["val/accuracy"].best == pytest.approx(0.895)
    assert tree.percentiles["latency_ms"] == [14.5, 19.0, 19.0]
    assert pack.runs[2].baseline
    assert pack.runs[1].metrics["train/loss"].last is None, "NaN has no place in JSON"
    flights = pack.monitors["flights"]
    assert flights.share == pytest.approx(1 / 3)
    assert flights.columns["dep_delay"].drifted


def test_the_same_project_gives_the_same_bytes_and_few_of_them() -> None:
    assert packed() == packed()
    assert len(packed()) < 3_000


def test_the_checked_out_commit_counts_more_than_what_a_run_was_started_from(tmp_path: Path) -> None:
    import subprocess

    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert read_pack(packed(root=tmp_path)).commit == head


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no pack"),
        (b"PK\x03\x04", "no pack"),
        (b"\x1f\x8b" + b"\x00" * 40, "damaged"),
        (packed()[:-20], "damaged"),
        (gzip.compress(b"{}"), "no pack"),
        (gzip.compress(b"\xff\xfe"), "no pack"),
        (gzip.compress(b"[" * 100_000), "no pack"),
        (gzip.compress(bytes(65 << 20)), "unpacks to more"),
        (b"\x1f\x8b" + bytes(9 << 20), "more than any real one"),
        (sealed({}, version=2), "has version 2, this workbench reads 1"),
        (sealed({}, sha256="00"), "checksum"),
        (sealed({}), "no pack"),
        (sealed({"project": "x", "commit": None, "runs": [{"id": 1}], "monitors": {}}), "no pack"),
        (sealed({"project": "x", "commit": None, "runs": "many", "monitors": {}}), "no pack"),
    ],
    ids=range(14),
)
def test_a_file_that_is_no_pack_is_refused_with_the_reason(data: bytes, says: str) -> None:
    with pytest.raises(PackError, match=says):
        read_pack(data)


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_a_flipped_byte_is_noticed_or_harmless(position: int, value: int) -> None:
    good = packed()
    data = bytearray(good)
    data[position % len(data)] = value
    try:
        pack: Pack | None = read_pack(bytes(data))
    except PackError:
        pack = None
    assert pack is None or pack == read_pack(good), "only bytes of the gzip header may change unnoticed"


def test_a_run_is_compared_with_its_namesake_then_with_a_common_tag_then_with_the_baseline() -> None:
    pack = read_pack(packed())
    assert compare_with(PROJECT, pack).reference == pack.runs[0]
    tagged = replace(PROJECT, all_runs=(replace(TREE, name="deeper"), RULE))
    assert compare_with(tagged, pack).reference == pack.runs[0]
    stranger = replace(PROJECT, all_runs=(replace(TREE, name="deeper", tags={}), RULE))
    found = compare_with(stranger, pack).reference
    assert found is not None and found.baseline


def test_among_namesakes_without_a_baseline_the_best_counts() -> None:
    twins = replace(
        PROJECT,
        all_runs=(replace(LOGISTIC, name="tree"), TREE, replace(RULE, baseline=False)),
    )
    found = compare_with(PROJECT, read_pack(packed(twins))).reference
    assert found is not None and found.id == TREE.id


def test_scores_of_different_methods_are_not_compared() -> None:
    now = Window("flights", 2e9, 2e9 + 1, 900, {}, (
        ColumnDrift("dep_delay", "num", "ok", "K-S p_value", 0.4, 0.05, False, 900, 900),
        ColumnDrift("distance", "num", "ok", "Wasserstein distance (normed)", 0.05, 0.1, False, 900, 900),
    ))  # fmt: skip
    found = compare_with(replace(PROJECT, all_windows={"flights": [now]}), read_pack(packed()))
    changes = {change.key: change for change in found.monitors["flights"]}
    assert "drift of dep_delay" not in changes
    worse = changes["drift of distance"].delta
    assert worse is not None and worse.better is False


def test_a_pack_or_a_project_without_runs_says_so() -> None:
    empty = read_pack(packed(MemoryQuery()))
    section = against_section(PROJECT, Focus(), empty, Fit())
    assert "the pack has no run" in section.block.blocks[0].hint  # type: ignore[union-attr]
    section = against_section(MemoryQuery(), Focus(), read_pack(packed()), Fit())
    assert "no visible run" in section.block.blocks[0].hint  # type: ignore[union-attr]
