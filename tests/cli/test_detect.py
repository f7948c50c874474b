"""`detect`: what a file is taken for, and the monitor that is proposed for an export."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.command_line import workbench
from tests.support.production import write_exports

FIXTURES = Path(__file__).parents[1] / "fixtures"


def detected(file: Path | str) -> dict[str, Any]:
    found = workbench("detect", file, "--format", "json").json
    assert list(found) == ["path", "format", "why", "readers", "mapping", "toml"]
    assert {"workbench", "tensorboard", "jsonl", "csv"} <= {reader["reader"] for reader in found["readers"]}
    return found


def test_detect_names_the_reader_of_every_format_and_why(logs: Path) -> None:
    events = FIXTURES / "tensorboard" / "torch" / "events.out.tfevents.1763791200.host.0"
    assert {str(file): detected(file)["format"] for file in ("runs/n/n.wb.jsonl", "dense/metrics.jsonl")} == {
        "runs/n/n.wb.jsonl": "workbench", "dense/metrics.jsonl": "jsonl",
    }  # fmt: skip
    assert detected("sparse/metrics.csv")["format"] == "csv"
    assert detected(events)["format"] == "tensorboard"
    assert detected("dense/hparams.yaml")["format"] == "params"
    assert "read as jsonl – JSON lines with step" in workbench("detect", "dense/metrics.jsonl").out


def test_detect_says_why_a_file_is_not_read(logs: Path) -> None:
    (logs / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    (logs / "noise.bin").write_bytes(bytes(range(255, -1, -1)) * 40)
    (logs / "empty.csv").touch()
    (logs / "cut.parquet").write_bytes(b"PAR1" + b"\0" * 100)
    (logs / "link.csv").symlink_to("sparse/metrics.csv")
    for name, says in {
        "image.png": "no table of production rows", "noise.bin": "no table of production rows",
        "empty.csv": "it is empty", "cut.parquet": "still being written, or was cut off",
    }.items():  # fmt: skip
        found = detected(name)
        assert (found["format"], found["mapping"], found["toml"]) == (None, None, None)
        assert says in " ".join(workbench("detect", name).out.split())
    assert "links are not followed" in workbench("detect", "link.csv", code=4).err
    assert "does not exist" in workbench("detect", "nix.csv", code=2).err
    assert "is a directory" in workbench("detect", "dense", code=2).err


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_the_mapping_proposed_for_an_export_works_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write_exports(tmp_path)
    (tmp_path / "workbench.toml").unlink()
    monkeypatch.chdir(tmp_path)
    frame = pl.read_parquet("exports/day2.parquet").with_columns(pl.lit(1.0).alias('odd "name" = [1]'))
    file = Path("exports") / f"week [1] v2.{kind}"
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "jsonl": frame.write_ndjson}[kind](file)
    printed = workbench("detect", file).out
    toml = printed[printed.index("[monitor.") :]
    parsed = tomllib.loads(toml)["monitor"]["week_1_v2"]
    assert parsed["timestamp"] == "time"
    assert parsed["columns"]["prediction"] == "prediction" and parsed["columns"]["latency"] == "latency_ms"
    assert 'odd "name" = [1]' in parsed["columns"]["features"]
    fenced = workbench("detect", file, "--format", "md").out
    assert f"```toml\n{toml}```" in fenced
    Path("workbench.toml").write_text(toml)
    windows = workbench("monitor", "--format", "json").json["windows"]
    assert sum(window["rows"] for window in windows) == 400
    assert all("latency_ms.p95" in window["metrics"] for window in windows)


def test_a_mapping_is_seen_from_the_project_that_the_export_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    write_exports(root)
    monkeypatch.chdir(tmp_path)
    found = detected(root / "exports" / "day0.parquet")
    assert tomllib.loads(found["toml"])["monitor"]["day0"]["path"] == "exports/day0.parquet"
    assert found["toml"].startswith(f"# in {root / 'workbench.toml'}\n")
