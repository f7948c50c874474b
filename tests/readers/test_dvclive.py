"""DVCLive's folder tells what DVCLive's own utilities read from it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePath

from tests.support.ingest import Project
from tests.support.reading import at, head_of, rounded
from workbench.plugin.api import Head
from workbench.readers.dvclive import DvcliveReader, DvcliveSummaryReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "dvclive"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def test_every_metric_is_a_series_point_by_point() -> None:
    for name, rows in EXPECTED["series"].items():
        place = FOLDER / "dvclive" / "plots" / name
        path = PurePath(place.relative_to(FOLDER))
        assert DvcliveReader().claim(head_of(place, FOLDER)).score == 1.0
        folder, prefix = DvcliveReader().run_folder(path)
        assert (str(folder), f"metrics/{prefix}{path.stem}.tsv") == ("dvclive", name)
        data = place.read_bytes()
        reading = at(DvcliveReader(), place, FOLDER).feed(data, cuts=range(len(data)))
        if path.stem == "word":
            assert not reading.series and not reading.rejects
            continue
        assert rounded(reading.values(path.stem)) == rounded([(int(r["step"]), float(r[path.stem])) for r in rows])
        walls = [wall for _, wall, _ in reading.series["", path.stem]]
        assert walls == [int(row["timestamp"]) / 1e3 if "timestamp" in row else None for row in rows]


def test_the_summary_has_what_no_plot_has() -> None:
    place = FOLDER / "dvclive" / "metrics.json"
    assert DvcliveSummaryReader().claim(head_of(place, FOLDER)).score == 1.0
    summary = at(DvcliveSummaryReader(), place, FOLDER).look().of_kind("summary")
    told = EXPECTED["summary"]
    assert summary == {
        "train/loss": told["train"]["loss"], "acc": told["acc"], "hidden": 2, "word": "good", "best": 0.7,
    }  # fmt: skip


def test_a_half_written_summary_waits(tmp_path: Path) -> None:
    place = tmp_path / "metrics.json"
    place.write_text('{"acc": 0.5, ')
    reading = at(DvcliveSummaryReader(), place).look()
    assert not reading.facts and not reading.offset
    place.write_text('{"acc": "NaN", "step": 1}')
    assert reading.look().of_kind("summary") == {"acc": "NaN"}


def test_the_process_that_writes_is_known_while_it_signals(tmp_path: Path) -> None:
    (tmp_path / ".dvc" / "tmp" / "exps" / "run").mkdir(parents=True)
    place = tmp_path / "dvclive" / "metrics.json"
    place.parent.mkdir()
    place.write_text('{"acc": 0.5}')
    reading = at(DvcliveSummaryReader(), place).look()
    before = DvcliveSummaryReader().stamp(str(place))
    signal = tmp_path / ".dvc" / "tmp" / "exps" / "run" / "DVCLIVE_ONLY"
    signal.write_text(json.dumps({"pid": 4321, "exp_name": "puffy-bowl"}))
    assert DvcliveSummaryReader().stamp(str(place)) != before
    assert reading.look().fact("environment", "pid") == 4321
    assert reading.fact("environment", "host") == os.uname().nodename
    assert reading.fact("name") == "puffy-bowl"


def test_other_tables_and_summaries_are_left_alone(tmp_path: Path) -> None:
    table = Head(PurePath("plots/metrics/loss.tsv"), b"epoch\tloss\n", 11)
    assert DvcliveReader().claim(table).score == 0.0
    assert DvcliveReader().claim(Head(PurePath("metrics/loss.tsv"), b"step\tloss\n", 10)).score == 0.0
    (tmp_path / "metrics.json").write_text('{"loss": 1}')
    assert DvcliveSummaryReader().claim(head_of(tmp_path / "metrics.json")).score == 0.0


def test_lines_without_a_step_are_refused() -> None:
    place = FOLDER / "dvclive" / "plots" / "metrics" / "train" / "loss.tsv"
    reading = at(DvcliveReader(), place).feed(b"step\tloss\n1\t0.5\nx\t1\n2\n3\t4\t5\n1.5\t1\n4\t-inf\n")
    assert rounded(reading.values("loss")) == rounded([(1, 0.5), (4, float("-inf"))])
    assert len(reading.rejects) == 4


def test_a_folder_is_one_run_in_a_project(project: Project) -> None:
    shutil.copytree(FOLDER / "dvclive", project.root / "exp" / "dvclive")
    project.read()
    [run] = project.query.runs()
    assert run.path == "exp/dvclive"
    assert {key: series.n for key, series in run.metrics.items()} == {"acc": 3, "train/loss": 3}
    assert run.params["lr"] == 0.1 and run.params["net.width"] == 3
