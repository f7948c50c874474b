"""`workbench.toml`: every key is read, and every mistake is told with file, key and what would be right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.config import (
    ColumnRoles,
    Config,
    ConfigError,
    GateConfig,
    LabelSpec,
    Measure,
    MonitorConfig,
    WindowSpec,
    load_config,
    nearest,
    parse_duration,
)
from workbench.core.model import Roles

EVERYTHING = """
[project]
ignore = ["old/*", "*.tmp"]
main_metric = "val/auc"

[metrics.loss]
direction = "lower"
unit = "nats"
kind = "performance"
[metrics."*/saved_usd"]
kind = "business"

[monitor.shop]
path = "exports/*.csv"
format = "csv"
timestamp = "time"
timestamp_unit = "ms"
[monitor.shop.columns]
prediction = "p"
probability = "score"
label = "y"
latency = "took"
latency_unit = "us"
status = "code"
business = "usd"
features = ["age", "size"]
ignore = "id"
categorical = ["size"]
[monitor.shop.reference]
path = "reference.csv"
[monitor.shop.window]
every = "1w"
min_rows = 10

[monitor.late]
path = "late/**/*.parquet"
id = "request"
[monitor.late.columns]
positive = true
error = "code >= 500"
weight = "1 / share"
business = {revenue = "price * sold", refunds = {value = "refund", direction = "lower"}}
segments = ["country"]
version = "model"
redact = "request"
[monitor.late.labels]
path = "labels/*.csv"
id = "request_id"
label = "paid"
timestamp = "at"
horizon = "30d"
[monitor.late.reference]
window = "2026-01-01/2026-01-31"

[monitor.after]
path = "a"
reference = {run = "best"}

[monitor.plain]
path = "other/*.parquet"

[gates]
good = "best(val/auc) >= 0.6"
[gates.old]
check = "last(loss) < 1"
where = "tag:old"

[plugins.gpu]
every = 5
"""


def configured(root: Path, text: str) -> Config:
    (root / "workbench.toml").write_text(text, encoding="utf-8")
    return load_config(root)


def test_every_key_is_read(tmp_path: Path) -> None:
    assert configured(tmp_path, EVERYTHING) == Config(
        root=tmp_path,
        path=tmp_path / "workbench.toml",
        ignore=("old/*", "*.tmp"),
        main_metric="val/auc",
        metrics={
            "loss": Roles("lower", "nats", "performance"),
            "*/saved_usd": Roles(None, "", "business"),
            "business.refunds.*": Roles("lower", "", "business"),
        },
        monitors={
            "shop": MonitorConfig(
                "shop", "exports/*.csv", "csv", "time", "ms",
                ColumnRoles("p", "score", "y", "took", "us", "code", "usd", ("age", "size"), ("id",), ("size",)),
                "reference.csv",
                WindowSpec(7 * 86_400.0, None, 10),
            ),
            "late": MonitorConfig(
                "late", "late/**/*.parquet",
                columns=ColumnRoles(
                    positive="true", error="code >= 500", weight="1 / share", segments=("country",), version="model",
                    measures=(Measure("revenue", "price * sold"), Measure("refunds", "refund", "lower")),
                    redact=("request",),
                ),
                id="request", labels=LabelSpec("labels/*.csv", "request_id", "paid", "at", 30 * 86_400.0),
                reference_window=(1_767_225_600.0, 1_769_904_000.0),
            ),
            "after": MonitorConfig("after", "a", reference_run="best"),
            "plain": MonitorConfig("plain", "other/*.parquet"),
        },
        gates=(GateConfig("good", "best(val/auc) >= 0.6"), GateConfig("old", "last(loss) < 1", "tag:old")),
        plugins={"gpu": {"every": 5}},
    )  # fmt: skip


def test_without_a_file_or_with_an_empty_one_the_defaults_hold(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config(tmp_path)
    assert configured(tmp_path, "") == Config(tmp_path, tmp_path / "workbench.toml")
    windows = configured(tmp_path, '[monitor.m]\npath = "x"\nwindow = {rows = 500}\n').monitors["m"].window
    assert windows == WindowSpec(None, 500, 30)


MISTAKES = {
    # what is written: (the key that is named, what is said)
    "[projct]": ("projct", "unknown key – did you mean 'project'?"),
    "[zzz]": ("zzz", "unknown key – known: gates, metrics, monitor, panel, plugins, project, tui"),
    "project = 3": ("project", "expected a table, got int"),
    "[project]\nignored = []": ("project.ignored", "unknown key – did you mean 'ignore'?"),
    "[project]\nignore = [1]": ("project.ignore", "expected a list of texts, got [1]"),
    "[project]\nmain_metric = 3": ("project.main_metric", "expected text, got 3"),
    "metrics = 3": ("metrics", "expected [metrics.KEY] tables, got int"),
    "[metrics]\nloss = 'lower'": ("metrics.loss", "expected a table, got str"),
    "[metrics.loss]\ndirection = 'lowr'": (
        "metrics.loss.direction", "'lowr' is not one of them – did you mean 'lower'?"),
    "[metrics.loss]\ndirection = 3": ("metrics.loss.direction", "3 is not one of them – known: higher, lower"),
    "[metrics.loss]\ndirection = []": ("metrics.loss.direction", "[] is not one of them"),
    "[metrics.loss]\nkind = 'latncy'": ("metrics.loss.kind", "did you mean 'latency'?"),
    "[metrics.loss]\nunits = 's'": ("metrics.loss.units", "unknown key – did you mean 'unit'?"),
    "monitor = 3": ("monitor", "expected [monitor.NAME] tables"),
    "[monitor]\npath = 'x'": ("monitor.path", "expected a table, got str"),
    "[monitor.m]": ("monitor.m", 'missing `path`, such as path = "exports/*.parquet"'),
    "[monitor.m]\npath = 3": ("monitor.m.path", "expected text, got 3"),
    "[monitor.m]\npath = 'x'\nformat = 'xlsx'": ("monitor.m.format", "'xlsx' is not one of them"),
    "[monitor.m]\npath = 'x'\ntimestmp = 't'": ("monitor.m.timestmp", "did you mean 'timestamp'?"),
    "[monitor.m]\npath = 'x'\ntimestamp_unit = 'sec'": ("monitor.m.timestamp_unit", "'sec' is not one of them"),
    "[monitor.m]\npath = 'x'\n[monitor.m.columns]\npredicton = 'p'": (
        "monitor.m.columns.predicton", "did you mean 'prediction'?"),
    "[monitor.m]\npath = 'x'\n[monitor.m.columns]\nlatency_unit = 'msec'": (
        "monitor.m.columns.latency_unit", "did you mean 'ms'?"),
    "[monitor.m]\npath = 'x'\n[monitor.m.columns]\nfeatures = {}": (
        "monitor.m.columns.features", "expected a list of texts"),
    "[monitor.m]\npath = 'x'\nreference = 'r.csv'": ("monitor.m.reference", "expected a table, got str"),
    "[monitor.m]\npath = 'x'\n[monitor.m.reference]\nfile = 'r'": ("monitor.m.reference.file", "unknown key"),
    "[monitor.m]\npath = 'x'\nwindow = {evry = '1d'}": ("monitor.m.window.evry", "did you mean 'every'?"),
    "[monitor.m]\npath = 'x'\nwindow = {every = '1 day'}": (
        "monitor.m.window.every", "'1 day' is no duration; write 15m, 1h, 1d or 1w"),
    "[monitor.m]\npath = 'x'\nwindow = {rows = 0}": ("monitor.m.window.rows", "expected a whole number above 0, got 0"),
    "[monitor.m]\npath = 'x'\nwindow = {rows = true}": ("monitor.m.window.rows", "expected a whole number above 0"),
    "[monitor.m]\npath = 'x'\nwindow = {min_rows = 1.5}": ("monitor.m.window.min_rows", "got 1.5"),
    "[monitor.m]\npath = 'x'\nwindow = {every = '1d', rows = 5}": (
        "monitor.m.window", "`every` and `rows` exclude each other"),
    "[monitor.m]\npath = 'x'\n[monitor.m.reference]\nwindow = '2026-01-01'": (
        "monitor.m.reference.window", 'is no span of time; write "2026-01-01/2026-01-31"'),
    "[monitor.m]\npath = 'x'\n[monitor.m.reference]\nwindow = '2026-02-01/2026-01-01'": (
        "monitor.m.reference.window", "is no span of time"),
    "[monitor.m]\npath = 'x'\nreference = {path = 'a', run = 'b'}": (
        "monitor.m.reference", "`path` and `run` exclude each other"),
    "[monitor.m]\npath = 'x'\nlabels = {id = 'a'}": ("monitor.m.labels", "missing `path`"),
    "[monitor.m]\npath = 'x'\nlabels = {path = 'a', labl = 'y'}": (
        "monitor.m.labels.labl", "did you mean 'label'?"),
    "[monitor.m]\npath = 'x'\ncolumns = {error = 'code >'}": (
        "monitor.m.columns.error", "expected a column, a number or 'text' at the end of 'code >'"),
    "[monitor.m]\npath = 'x'\ncolumns = {business = {r = {value = 'a', direction = 'up'}}}": (
        "monitor.m.columns.business.r.direction", "'up' is not one of them"),
    "[monitor.m]\npath = 'x'\ncolumns = {business = {r = 3}}": ("monitor.m.columns.business.r", "expected a table"),
    "[monitor.m]\npath = 'x'\ncolumns = {positive = []}": (
        "monitor.m.columns.positive", "expected a value of the label"),
    "gates = 3": ("gates", 'expected lines such as NAME = "CHECK", got int'),
    "[gates]\ng = 3": ("gates.g", "expected a table, got int"),
    "[gates.g]\nwhere = 'x'": ("gates.g", "missing `check`"),
    "[gates.g]\nchek = 'x'": ("gates.g.chek", "did you mean 'check'?"),
    "[gates.g]\ncheck = 'x > 1'\nwhere = 3": ("gates.g.where", "expected text, got 3"),
    "plugins = 3": ("plugins", "expected [plugins.NAME] tables, got int"),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text.replace("\n", " "))
def test_a_mistake_is_named_by_file_and_key(tmp_path: Path, text: str) -> None:
    key, says = MISTAKES[text]
    with pytest.raises(ConfigError) as told:
        configured(tmp_path, text)
    assert str(told.value).startswith(f"{tmp_path / 'workbench.toml'}: {key}: ")
    assert says in str(told.value)


@pytest.mark.parametrize("data", [b"[project", b"a = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_no_toml_is_told_with_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "workbench.toml").write_bytes(data)
    with pytest.raises(ConfigError) as told:
        load_config(tmp_path)
    assert str(told.value).startswith(f"{tmp_path / 'workbench.toml'}: ")


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").mkdir()
    with pytest.raises(ConfigError, match="directory"):
        load_config(tmp_path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_bytes(b"\xef\xbb\xbf[gates]\r\ng = 'x > 1'\r\n")
    assert load_config(tmp_path).gates == (GateConfig("g", "x > 1"),)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("15m", 900.0), ("1.5h", 5400.0), (" 1 d ", 86_400.0), ("2w", 1_209_600.0)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "h", "-1h", "0s", "0", "1y", "1h30m", "1e3", "nan", "inf", "1 hour", "\u0661h", "9" * 400]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write 15m, 1h, 1d or 1w"):
        parse_duration(text)


def test_a_bare_number_of_seconds_will_do_in_a_window(tmp_path: Path) -> None:
    found = configured(tmp_path, "[monitor.m]\npath = 'x'\nwindow = {every = 3600}\n")
    assert found.monitors["m"].window.every == 3600.0


def test_the_nearest_name_is_offered_else_a_list_that_stays_short() -> None:
    assert nearest("val/acuracy", ["val/accuracy", "loss"]) == " – did you mean 'val/accuracy'?"
    assert nearest("x", ["loss", "auc"]) == " – known: auc, loss"
    assert nearest("x", []) == ""
    many = nearest("?", [f"run-{number:04}" for number in range(5_000)])
    assert many.startswith(" – known: run-0000, ") and many.endswith(", …") and len(many) < 400


KEYS = st.sampled_from(["project", "metrics", "monitor", "gates", "plugins", "path", "columns", "window", "check", "x"])
VALUES = st.recursive(
    st.integers(-5, 5) | st.booleans() | st.floats(allow_nan=False) | st.text("ab*/", max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(data=st.dictionaries(KEYS, VALUES, max_size=3))
def test_whatever_toml_says_it_is_used_or_refused_by_key(tmp_path_factory: pytest.TempPathFactory, data: dict) -> None:
    folder = tmp_path_factory.mktemp("any", numbered=True)
    text = "\n".join(f"{key} = {as_toml(value)}" for key, value in data.items())
    assert tomllib.loads(text) == data
    told = ""
    try:
        configured(folder, text)
    except ConfigError as error:
        told = str(error)
    assert not told or told.startswith(f"{folder / 'workbench.toml'}: ")


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
