"""Monitors as files come in: only what is new is read, and wherever it stops, the windows are those of one read."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from backports import zstd

from tests.support.monitors import NOW, Production
from workbench.ingest import monitor_reading
from workbench.ingest.monitor_parts import parts_folder
from workbench.ingest.monitors import monitor_spec
from workbench.monitor import reading, slabs

DAY = 86_400.0
START = 1_704_067_200.0
"""1 January 2024."""
DAILY = '[monitor.m]\npath = "exports/**/*.*"\nwindow = {every = "1d", min_rows = 10}\n'


@pytest.fixture
def production(tmp_path: Path) -> Production:
    (tmp_path / "exports").mkdir()
    return Production(tmp_path)


def day_of(number: int, rows: int = 200, seed: int | None = None) -> pl.DataFrame:
    """A day of traffic."""
    r = np.random.default_rng(number if seed is None else seed)
    score = r.random(rows)
    return pl.DataFrame({
        "request_id": [f"d{number}-{i}" for i in range(rows)],
        "ts": START + number * DAY + np.arange(rows) * (DAY / rows),
        "amount": r.normal(10, 2, rows),
        "country": r.choice(["DE", "FR", "IT"], rows),
        "y_pred_proba": score,
        "y_pred": (score > 0.5).astype(int),
        "latency_ms": r.gamma(2, 10, rows),
    })  # fmt: skip


def jsonl(frame: pl.DataFrame) -> bytes:
    return frame.write_ndjson().encode()


def csv(frame: pl.DataFrame) -> bytes:
    return frame.write_csv().encode()


def told(production: Production, monitor: str = "m") -> list[Any]:
    """Everything kept of the windows, in a form that compares."""
    return [
        (
            w.start,
            w.end,
            w.segment,
            w.rows,
            w.columns,
            {k: v and pytest.approx(v, rel=1e-9) for k, v in w.metrics.items()},
        )
        for w in production.query.windows(monitor)
    ]


def evaluated(production: Production) -> int:
    """Windows written so far, those written again included."""
    with production.store.read() as con:
        return int(con.execute("SELECT count(*) FROM window_log WHERE rows IS NOT NULL").fetchall()[0][0])


def test_a_plain_export_needs_nothing_but_its_path(production: Production) -> None:
    production.config('[monitor.m]\npath = "exports/*.parquet"\n')
    day_of(0).write_parquet(production.root / "exports/a.parquet")
    production.update()
    (window,) = production.windows()
    assert (window.start, window.rows) == (START, 200)
    assert window.metrics["latency_ms.p95"] == pytest.approx(np.percentile(day_of(0)["latency_ms"], 95))
    source = production.source("exports/a.parquet")
    assert (source.accepted, source.status, source.format) == (200, "live", "export parquet")


@pytest.mark.parametrize("pack", ["plain", "gz", "zst"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_text_may_be_compressed(form: str, pack: str, production: Production) -> None:
    production.config(DAILY)
    data = {"csv": csv, "jsonl": jsonl}[form](pl.concat([day_of(0), day_of(1)]))
    packed = {"plain": data, "gz": gzip.compress(data), "zst": zstd.compress(data)}[pack]
    production.write(f"exports/a.{form}" + ("" if pack == "plain" else f".{pack}"), packed)
    production.update()
    assert [window.rows for window in production.windows()] == [200, 200]
    expected = np.percentile(day_of(1)["latency_ms"], 50)
    assert production.windows()[1].metrics["latency_ms.p50"] == pytest.approx(expected)


def test_folders_of_a_partitioned_export_are_columns(production: Production) -> None:
    production.config(DAILY.replace("window", 'columns = {segments = ["country"]}\nwindow'))
    for country in ("DE", "FR"):
        folder = production.root / "exports" / "date=2024-01-01" / f"country={country}"
        folder.mkdir(parents=True)
        day_of(0, 50 if country == "DE" else 70).drop("country").write_parquet(folder / "part.parquet")
    production.update()
    assert {w.segment: w.rows for w in production.query.windows("m")} == {"": 120, "country=DE": 50, "country=FR": 70}


def test_a_growing_file_is_read_on_from_where_it_was(production: Production) -> None:
    production.config(DAILY)
    production.write("exports/log.jsonl", jsonl(pl.concat([day_of(0), day_of(1)])))
    production.update()
    before = evaluated(production)
    late = day_of(2).with_columns(colour=pl.lit("red"))
    production.write("exports/log.jsonl", jsonl(late)[:-10])
    production.update()
    assert [window.rows for window in production.windows()] == [200, 200, 199]
    assert evaluated(production) == before + 1, "days that are over are not judged again"
    production.write("exports/log.jsonl", jsonl(late)[-10:])
    production.update()
    assert [window.rows for window in production.windows()] == [200, 200, 200]
    assert production.source("exports/log.jsonl").rejected == 0


def test_nothing_new_costs_no_evaluation(production: Production) -> None:
    production.config(DAILY)
    day_of(0).write_parquet(production.root / "exports/a.parquet")
    production.update()
    with production.store.read() as con:
        before = con.execute("SELECT count(*) FROM monitor_log").fetchall()
    assert production.update() == []
    with production.store.read() as con:
        assert con.execute("SELECT count(*) FROM monitor_log").fetchall() == before


def test_rows_that_come_late_change_their_window_only(production: Production) -> None:
    production.config(DAILY)
    for day in range(4):
        day_of(day).write_parquet(production.root / f"exports/{day}.parquet")
    production.update()
    before, count = told(production), evaluated(production)
    late = day_of(0, 30, seed=9).with_columns(pl.col("request_id") + "-late")
    late.write_parquet(production.root / "exports/late.parquet")
    production.update()
    assert [window.rows for window in production.windows()] == [230, 200, 200, 200]
    assert evaluated(production) == count + 1
    assert told(production)[1:] == before[1:]


LABELLED = (
    DAILY
    + """
[monitor.m.labels]
path = "labels/*.csv"
id = "request_id"
label = "paid"
timestamp = "told_at"
"""
)


def labels(frame: pl.DataFrame, at: float, flip: bool = False) -> pl.DataFrame:
    return frame.select(
        "request_id", paid=(pl.col("y_pred") if not flip else 1 - pl.col("y_pred")), told_at=pl.lit(at, pl.Float64)
    )


def test_labels_a_week_late_find_their_rows_and_the_last_one_said_holds(production: Production) -> None:
    (production.root / "labels").mkdir()
    production.config(LABELLED)
    days = [day_of(day) for day in range(3)]
    for day, frame in enumerate(days):
        frame.write_parquet(production.root / f"exports/{day}.parquet")
    production.update()
    assert all("accuracy" not in window.metrics for window in production.windows())
    labels(days[0], 100.0, flip=True).write_csv(production.root / "labels/a.csv")
    labels(days[1][:50], 100.0).write_csv(production.root / "labels/b.csv")
    production.update()
    first, second, third = (window.metrics for window in production.windows())
    assert (first["labelled.share"], first["accuracy"]) == (1.0, 0.0)
    assert (second["labelled.share"], second["accuracy"]) == (0.25, 1.0)
    assert (third["labelled.share"], third["accuracy"]) == (0.0, None)
    count = evaluated(production)
    labels(days[0][:100], 200.0).write_csv(production.root / "labels/c.csv")
    production.update()
    assert production.windows()[0].metrics["accuracy"] == 0.5
    assert evaluated(production) == count + 1


def test_labels_that_are_there_first_wait_for_their_rows(production: Production) -> None:
    (production.root / "labels").mkdir()
    production.config(LABELLED)
    day_of(0).write_parquet(production.root / "exports/0.parquet")
    labels(day_of(1), 100.0).write_csv(production.root / "labels/a.csv")
    production.update()
    day_of(1).write_parquet(production.root / "exports/1.parquet")
    production.update()
    assert [window.metrics["labelled.share"] for window in production.windows()] == [0.0, 1.0]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_killed_at_any_stretch_the_windows_are_those_of_one_clean_read(
    form: str, production: Production, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "next_slab", lambda *at, **how: slabs.next_slab(*at, **how, size=20_000))
    monkeypatch.setattr(reading, "PARQUET_ROWS", 170)
    monkeypatch.setattr(monitor_reading, "_TOGETHER", 0.0)
    config = DAILY + '[monitor.m.columns]\nsegments = ["country"]\n[monitor.m.reference]\npath = "reference.parquet"\n'
    frame = pl.concat([day_of(day) for day in range(6)])
    clean = Production(tmp_path / "clean")
    for project in (production, clean):
        (project.root / "exports").mkdir(exist_ok=True)
        project.config(config)
        day_of(0, 1000, seed=77).drop("y_pred", "y_pred_proba").write_parquet(project.root / "reference.parquet")
        data = {"csv": csv(frame), "jsonl": jsonl(frame)}.get(form)
        if data is None:
            frame.write_parquet(project.root / "exports/a.parquet")
        else:
            project.write(f"exports/a.{form}", data)
    clean.update()
    real, killed, chance = monitor_reading.read_step, 0, np.random.default_rng(0)

    def deadly(*arguments: Any) -> Any:
        step = real(*arguments)
        if chance.random() < 0.6:
            raise Killed
        return step

    monkeypatch.setattr(monitor_reading, "read_step", deadly)
    for _ in range(200):
        try:
            production.update()
            break
        except Killed:
            killed += 1
    assert killed > 3
    assert told(production) == told(clean)
    assert [window.rows for window in production.windows()] == [200] * 6
    stored = {path.name for path in parts_folder(production.store.place.store, "m", spec_of(production)).iterdir()}
    with production.store.read() as con:
        named = {row[0] for row in con.execute("SELECT file FROM part WHERE NOT void").fetchall()}
    assert stored == named, "nothing is left of what was read twice"


def spec_of(production: Production) -> str:
    from workbench.core.config import load_config

    return monitor_spec(load_config(production.root).monitors["m"])


def test_a_file_written_anew_replaces_what_it_said(production: Production) -> None:
    production.config(DAILY)
    path = production.write("exports/a.csv", csv(pl.concat([day_of(0), day_of(1)])))
    production.update()
    path.write_bytes(csv(day_of(0, 77, seed=5)))
    production.touch(path, NOW + 1)
    production.update()
    assert [window.rows for window in production.windows()] == [77]
    assert production.source("exports/a.csv").accepted == 77


def test_a_file_that_is_gone_or_moved_keeps_its_windows(production: Production) -> None:
    production.config(DAILY)
    for day in range(2):
        day_of(day).write_parquet(production.root / f"exports/{day}.parquet")
    production.update()
    (production.root / "exports/0.parquet").unlink()
    (production.root / "exports/old").mkdir()
    shutil.move(production.root / "exports/1.parquet", production.root / "exports/old/1.parquet")
    day_of(2).write_parquet(production.root / "exports/2.parquet")
    production.update()
    assert [window.rows for window in production.windows()] == [200, 200, 200]


@pytest.mark.parametrize("spec", ["rows = 150", ""])
def test_windows_by_count_and_by_file_grow_like_those_of_one_read(
    spec: str, production: Production, tmp_path: Path
) -> None:
    config = f'[monitor.m]\npath = "exports/*.parquet"\nwindow = {{{spec}}}\n'
    clean = Production(tmp_path / "clean")
    (clean.root / "exports").mkdir()
    for project in (production, clean):
        project.config(config)
    for day in (0, 2, 1, 3):  # the third comes late
        for project in (production, clean):
            day_of(day).write_parquet(project.root / f"exports/{day}.parquet")
        production.update()
    clean.update()
    assert told(production) == told(clean)
    assert sum(window.rows for window in production.windows()) == 800


def test_features_go_when_their_window_closes_and_scores_when_labels_are_waited_for_no_longer(
    production: Production,
) -> None:
    (production.root / "labels").mkdir()
    reference = '[monitor.m.reference]\npath = "reference.parquet"\n'
    production.config(LABELLED.replace('told_at"\n', 'told_at"\nhorizon = "5d"\n') + reference)
    day_of(0, 1000, seed=8).write_parquet(production.root / "reference.parquet")
    for day in range(12):
        day_of(day).write_parquet(production.root / f"exports/{day:02}.parquet")
        if day == 3:
            production.update()
            columns = production.windows()[0].columns
            assert {column.status for column in columns} <= {"ok", "drift"}
            labels(day_of(0), 1.0).write_csv(production.root / "labels/0.csv")
            production.update()
            first = production.windows()[0]
            assert (first.metrics["accuracy"], first.columns) == (1.0, columns), "late labels leave the drift as it was"
    production.update()
    folder = parts_folder(production.store.place.store, "m", spec_of(production))
    files = {path.name: set(pl.read_parquet(path).columns) for path in folder.iterdir() if "rows-" in path.name}
    assert len(files) == 6
    assert sum(any(name.startswith("f_") for name in columns) for columns in files.values()) == 2
    assert all({"id", "t", "probability", "prediction"} <= columns for columns in files.values())
    labels(day_of(1), 2.0).write_csv(production.root / "labels/1.csv")
    day_of(1, 5, seed=4).write_parquet(production.root / "exports/99.parquet")
    before = told(production)
    production.update()
    assert told(production) == before, "what comes after the horizon changes nothing"


def test_days_without_traffic_are_windows_without_rows(production: Production) -> None:
    production.config(DAILY)
    day_of(0).write_parquet(production.root / "exports/0.parquet")
    production.update()
    day_of(3).write_parquet(production.root / "exports/3.parquet")
    production.update()
    assert [(w.rows, w.metrics["throughput"]) for w in production.windows()][1:3] == [(0, 0.0), (0, 0.0)]
    day_of(1).write_parquet(production.root / "exports/1.parquet")
    production.update()
    assert [window.rows for window in production.windows()] == [200, 200, 0, 200]


def test_redacted_values_are_nowhere_in_the_store_and_still_join(production: Production) -> None:
    (production.root / "labels").mkdir()
    config = LABELLED + '[monitor.m.columns]\nsegments = ["country"]\nredact = ["request_id", "country", "mail"]\n'
    production.config(config + '[monitor.m.reference]\npath = "reference.parquet"\n')
    frame = day_of(0).with_columns(mail=pl.Series([f"secret{i % 3}@example.org" for i in range(200)]))
    frame.write_parquet(production.root / "reference.parquet")
    frame.write_parquet(production.root / "exports/0.parquet")
    labels(day_of(0), 1.0).write_csv(production.root / "labels/0.csv")
    production.update()
    (window,) = production.windows()
    assert (window.metrics["labelled.share"], window.metrics["quality.unseen.mail"]) == (1.0, 0.0)
    assert {column.column: column.status for column in window.columns}["mail"] == "ok"
    state = production.store.place.store
    assert (state / "redact.key").stat().st_mode & 0o077 == 0
    with production.store.read() as con:
        tables = ("profile_log", "window_log", "window_metric_log", "knowledge_log", "window_column_log")
        kept = json.dumps([con.execute(f"SELECT * FROM {table}").fetchall() for table in tables], default=str)
    for path in state.glob("monitors/*/*.parquet"):
        kept += str(pl.read_parquet(path).rows())
    assert "secret" not in kept and "'DE'" not in kept and "country=DE" not in kept and "d0-1" not in kept


def test_a_span_of_production_is_the_reference_of_what_follows(production: Production) -> None:
    production.config(DAILY + '[monitor.m.reference]\nwindow = "2024-01-01/2024-01-03"\n')
    for day in range(3):
        day_of(day).write_parquet(production.root / f"exports/{day}.parquet")
    production.update()
    assert all(not window.columns for window in production.windows()), "the span is not over"
    day_of(3).with_columns(pl.col("amount") + 6).write_parquet(production.root / "exports/3.parquet")
    production.update()
    found = production.windows()
    assert [column.n_reference for column in found[3].columns if column.column == "amount"] == [600]
    assert [[c.drifted for c in window.columns if c.column == "amount"] for window in found] == [[False]] * 3 + [[True]]


def test_the_data_that_a_run_logged_is_the_reference(production: Production) -> None:
    production.config(DAILY + '[monitor.m.reference]\nrun = "baseline"\n')
    day_of(0).write_parquet(production.root / "exports/0.parquet")
    assert "'baseline' logged no data" in production.update()[0]
    day_of(0, 500, seed=1).write_parquet(production.root / "train.parquet")
    import workbench

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(production.root)
        with workbench.init(project="p", name="baseline", dir=production.root / "runs") as run:
            run.data("train.parquet")
    production.read(final=True)
    production.update()
    (window,) = production.windows()
    assert {column.n_reference for column in window.columns} == {500}


def test_segments_beyond_the_limit_are_one(production: Production) -> None:
    production.config(DAILY + '[monitor.m.columns]\nsegments = ["shop"]\n')
    shops = np.repeat(np.arange(30), np.arange(30) + 1)
    frame = day_of(0, len(shops)).with_columns(shop=pl.Series([f"s{number:02}" for number in shops]))
    frame.write_parquet(production.root / "exports/0.parquet")
    production.update()
    found = {window.segment: window.rows for window in production.query.windows("m")}
    assert len(found) == 22
    assert (found[""], found["shop=s29"], found["shop=other"]) == (465, 30, sum(range(1, 11)))
    assert "shop=s05" not in found


HOSTILE = {
    "cut.parquet": lambda whole: whole[:-40],
    "footer.parquet": lambda whole: b"PAR1" + b"\xff" * 400 + (200).to_bytes(4, "little") + b"PAR1",
    "page.parquet": lambda whole: whole[:200] + b"\0" * 600 + whole[800:],
    "text.parquet": lambda whole: b"no table at all" * 9,
    "cut.csv.gz": lambda whole: gzip.compress(csv(day_of(1)))[:-200],
    "bomb.jsonl.zst": lambda whole: zstd.compress(b"\0" * (80 << 20)),
    "names.csv": lambda whole: b"a,a,b\n1,2,3\n",
}


def test_hostile_files_are_told_and_the_others_are_read(production: Production) -> None:
    production.config(DAILY)
    good = production.root / "exports/good.parquet"
    day_of(0).write_parquet(good)
    for name, make in HOSTILE.items():
        production.write(f"exports/{name}", make(good.read_bytes()), at=NOW - 1000)
    production.update()
    sources = {Path(source.path).name: source for source in production.query.sources()}
    assert {name for name, source in sources.items() if source.status == "damaged"} == set(HOSTILE)
    assert all(sources[name].message and "/tmp" not in sources[name].message.split(": ")[0] for name in HOSTILE)
    assert production.windows()[0].rows == 200
    assert "names.csv" in production.message()


def test_a_parquet_file_is_read_once_it_has_its_end(production: Production) -> None:
    production.config(DAILY)
    whole = production.root / "whole"
    day_of(0).write_parquet(whole)
    production.write("exports/a.parquet", whole.read_bytes()[:-40])
    production.update()
    assert production.windows() == [] and production.query.sources() == []
    production.write("exports/a.parquet", whole.read_bytes()[-40:])
    production.update()
    assert production.windows()[0].rows == 200


def test_lines_that_are_no_rows_are_counted(production: Production) -> None:
    production.config(DAILY)
    lines = jsonl(day_of(0)).splitlines(keepends=True)
    lines[5:5] = [b'{"request_id": "x", "ts":\n', b"[1, 2]\n", b"\xff\xfe\n", b"\n"]
    production.write("exports/a.jsonl", b"".join(lines))
    rows = csv(day_of(1)).splitlines(keepends=True)
    rows[3:3] = [b"1,2\n", b"a,b,c,d,e,f,g,h,i\n"]
    production.write("exports/b.csv", b"".join(rows))
    production.update()
    assert [window.rows for window in production.windows()] == [200, 200]
    assert (production.source("exports/a.jsonl").rejected, production.source("exports/b.csv").rejected) == (3, 2)


def test_a_column_that_is_not_there_is_told_with_file_key_and_the_nearest(production: Production) -> None:
    production.config(DAILY + '[monitor.m.columns]\nprobability = "y_pred_prob"\n')
    day_of(0).write_parquet(production.root / "exports/a.parquet")
    (said,) = [line for line in production.update() if "no column" in line]
    assert "workbench.toml: monitor.m.columns.probability: " in said
    assert "no column 'y_pred_prob' – did you mean 'y_pred_proba'?" in said


def test_a_mapping_from_a_few_rows_is_decided_anew_when_more_have_come(production: Production) -> None:
    production.config(DAILY)
    first = b'{"request_id": "a", "ts": 1704067200, "amount": null, "country": "DE", "latency_ms": 3}\n'
    production.write("exports/a.jsonl", first)
    production.update()
    frame = pl.concat([day_of(day, 600) for day in range(2)])
    production.write("exports/a.jsonl", jsonl(frame))
    production.update()
    assert [window.rows for window in production.windows()] == [601, 600]
    assert production.windows()[0].metrics["latency_ms.max"] == pytest.approx(day_of(0, 600)["latency_ms"].max())
    assert "quality.missing.amount" in production.windows()[0].metrics


def test_columns_that_come_and_go_are_told_in_the_windows_where_they_do(production: Production) -> None:
    production.config(DAILY + '[monitor.m.reference]\npath = "reference.parquet"\n')
    day_of(0, 1500, seed=3).write_parquet(production.root / "reference.parquet")
    day_of(0, 1500).write_parquet(production.root / "exports/0.parquet")
    day_of(1, 1500).drop("amount").write_parquet(production.root / "exports/1.parquet")
    day_of(2, 1500).write_parquet(production.root / "exports/2.parquet")
    production.update()
    day_of(3).with_columns(colour=pl.lit("red")).write_parquet(production.root / "exports/3.parquet")
    production.update()
    found = [{column.column: column.status for column in window.columns} for window in production.windows()]
    assert [columns["amount"] for columns in found] == ["ok", "schema-changed", "ok", "ok"]
    assert [columns.get("colour") for columns in found] == [None, None, None, "schema-changed"]
    assert "missing" in production.windows()[1].columns[0].reason


def test_long_work_says_how_far_it_is(production: Production) -> None:
    production.config(DAILY)
    day_of(0).write_parquet(production.root / "exports/a.parquet")
    said = production.update()
    assert said[0].startswith("monitor m: reading exports (") and said[1] == "monitor m: judging windows (1)"
