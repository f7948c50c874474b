"""Other people's packages add panels: what they add is shown, what they break is named, and the report goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import PANEL, Site, sections

BAD_LOAD = "raise RuntimeError('no \\x1b[31msatellite')"


@dataclass(frozen=True)
class Told:
    """What one report with many plugins said, in three formats, and on stderr."""

    code: int
    text: str
    html: str
    json: dict[str, Any]
    narration: str


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """One plugin that works, and one for every way in which one fails."""
    made = make_site()
    made.add_panel("weather")
    made.add("import_raises", "raise ImportError('libsky.so is missing')")
    made.add("import_exits", "import sys\nprint('goodbye')\nsys.exit(3)")
    made.add_panel("load_raises", load=BAD_LOAD)
    made.add_panel("view_raises", view="return Note(data['tomorrow'])")
    made.add_panel("nonsense", view="return {'rain': 'tomorrow'}")
    made.add_panel("half_block", view="return __import__('workbench.plugin.api').plugin.api.Table(['a'], [['b']])")
    made.add_panel("chatty", load="print('loading \\x1b]52;c;aGk=\\x07'); import os; os.system('echo child'); "
                   "os.write(1, b'raw\\n'); import sys; print('oops', file=sys.stderr); return 'said'")  # fmt: skip
    made.add_panel("quitter", load="raise SystemExit(3)")
    made.add_panel("silent", view="from workbench.plugin.api import Empty; return Empty('nothing today')")
    made.add("future", PANEL.format(name="future", title="Future", load="pass", view="pass") + "\n    api = 99\n")
    made.add("no_panel", "Made = dict")
    made.add("no_class", "", target="wb_no_class")
    made.add("runs", PANEL.format(name="runs", title="My runs", load="return 1", view="return Note('mine')"))
    made.add("weather_too", PANEL.format(name="weather", title="Weather too", load="return 1", view="return Note('2')"))
    made.add("shouting", PANEL.format(name="My Panel!", title="", load="pass", view="pass"))
    return made


@pytest.fixture(scope="module")
def told(site: Site, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    out = tmp_path_factory.mktemp("out")
    forms = ["--format", "text", "--out", f"{out}/a.txt", "--format", "html", "--out", f"{out}/a.html"]
    ran = site.run("report", *forms, "--format", "json", "--gate", "best(loss) <= 1", cwd=project)
    assert ran.stdout.startswith("{"), ran.stdout[:200] + ran.stderr
    return Told(ran.returncode, (out / "a.txt").read_text(), (out / "a.html").read_text(), json.loads(ran.stdout),
                ran.stderr)  # fmt: skip


def test_a_package_adds_a_section_to_every_format(told: Told) -> None:
    assert "Weather\n───" in told.text and "\nrain\n" in told.text
    assert "<h2" in told.html and "Weather" in told.html and "rain" in told.html
    assert sections(told.json["sections"])["weather"]["block"] == {"type": "note", "text": "rain", "tone": ""}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("load_raises", "RuntimeError: no ␛[31msatellite"),
        ("view_raises", "TypeError: string indices must be integers"),
        ("nonsense", "view() gave a dict; a block is one of Table, Lines"),
        ("half_block", "among the columns is a str instead of a Column"),
        ("quitter", "SystemExit: 3"),
    ],
)
def test_a_panel_that_fails_has_its_reason_in_its_place(told: Told, name: str, why: str) -> None:
    words = " ".join(told.text.split())
    assert f"The panel '{name}' failed: " in words
    assert why in words
    found = sections(told.json["sections"])[name]["data"]
    assert isinstance(found, dict)
    assert found["plugin"] == f"wb-{name} 1.2"
    assert why.replace("␛", "\x1b") in found["error"]
    assert f"wb-{name} 1.2" in told.html


def test_the_place_that_raised_is_told_by_file_and_line(told: Told) -> None:
    found = sections(told.json["sections"])["load_raises"]["data"]
    assert isinstance(found, dict)
    file, _, line = found["place"].rpartition(":")
    assert file.endswith("wb_load_raises.py")
    assert BAD_LOAD in Path(file).read_text().splitlines()[int(line) - 1]
    assert found["doing"] == "load"
    assert sections(told.json["sections"])["view_raises"]["data"]["doing"] == "view"  # type: ignore[index]


LEFT_OUT = {
    "import_raises": "ImportError: libsky.so is missing",
    "import_exits": "SystemExit: 3",
    "future": "asks for plugin API 99, this workbench has 1",
    "no_panel": "wb_no_panel:Made gives a dict, not a workbench.plugin.api.Panel",
    "no_class": "wb_no_class is a module; an entry point names a class",
    "runs": "the name 'runs' of its panel is taken by workbench itself",
    "weather_too": "the name 'weather' of its panel is taken by panel weather of wb-weather 1.2",
    "shouting": "`name` is 'My Panel!'; it is short: lower case",
}


def test_plugins_that_did_not_load_are_listed_in_the_report_with_their_reasons(told: Told) -> None:
    found = sections(told.json["sections"])["plugins"]
    assert found["title"] == f"Plugins: {len(LEFT_OUT)} left out"
    by_name = {each["name"]: each for each in found["data"]}  # type: ignore[attr-defined]
    assert by_name.keys() == LEFT_OUT.keys()
    words = " ".join(told.text.split())
    for name, why in LEFT_OUT.items():
        assert why in by_name[name]["error"]
        assert f"panel {name} of wb-{name} 1.2: " in words
        assert why in words
    assert "libsky.so is missing" in told.html
    assert by_name["import_raises"]["place"].endswith("wb_import_raises.py:1")
    assert "My runs" not in told.text and "Weather too" not in told.text


def test_what_plugins_print_is_narrated_by_name_and_never_in_the_data(told: Told) -> None:
    for line in ("loading ␛]52;c;aGk=␇", "child", "raw", "oops"):
        assert told.narration.count(f"panel chatty printed: {line}\n") == 3, "once for each of the three formats"
    assert told.narration.count("panel import_exits of wb-import_exits 1.2 printed: goodbye\n") == 1
    assert "\x1b" not in told.narration and "\x07" not in told.narration
    assert sections(told.json["sections"])["chatty"]["block"]["text"] == "said"  # type: ignore[index]


def test_a_panel_with_nothing_to_show_is_left_out(told: Told) -> None:
    assert "silent" not in sections(told.json["sections"])
    assert "nothing today" not in told.text


def test_broken_plugins_do_not_change_the_exit_code(told: Told, site: Site, project: Path) -> None:
    assert told.code == 0
    failing = site.run("report", "--gate", "best(loss) <= 0.1", cwd=project)
    assert failing.returncode == 1
    assert "\nrain\n" in failing.stdout


def test_safe_mode_leaves_all_plugins_out_and_imports_none(make_site: Callable[[], Site], project: Path) -> None:
    site = make_site()
    imported = site.add_panel("weather")
    ran = site.run("report", "--format", "json", cwd=project, env={"WORKBENCH_SAFE": "1"})
    assert {"weather", "plugins"}.isdisjoint(sections(json.loads(ran.stdout)["sections"]))
    assert not imported.exists()
    listing = site.run("plugins", "list", "--check", cwd=project, env={"WORKBENCH_SAFE": "1"})
    assert "weather" in listing.stdout and " ok" not in listing.stdout
    assert "WORKBENCH_SAFE is set: none of them is loaded" in listing.stderr
    assert not imported.exists()
    ran = site.run("report", "--format", "json", cwd=project, env={"WORKBENCH_SAFE": "0"})
    assert "weather" in sections(json.loads(ran.stdout)["sections"])
    assert imported.exists()


def test_listing_names_what_is_installed_without_importing_it(make_site: Callable[[], Site], project: Path) -> None:
    site = make_site()
    imported = [site.add_panel("weather"), site.add_panel("tides")]
    ran = site.run("plugins", "list", "--format", "json", cwd=project)
    rows = {row["name"]: row for row in json.loads(ran.stdout)}
    assert rows["weather"] == {
        "group": "workbench.panels", "name": "weather", "distribution": "wb-weather", "version": "1.2",
        "target": "wb_weather:Made", "state": "installed",
    }  # fmt: skip
    assert "tides" in rows
    assert not any(mark.exists() for mark in imported)
    assert ran.returncode == 0


def test_checking_loads_each_and_says_which_fail(site: Site, project: Path) -> None:
    ran = site.run("plugins", "list", "--check", "--format", "json", cwd=project)
    assert ran.returncode == 2
    rows = {row["name"]: row for row in json.loads(ran.stdout)}
    assert {name for name, row in rows.items() if row["state"] == "failed"} == LEFT_OUT.keys()
    assert all(why in rows[name]["why"] for name, why in LEFT_OUT.items())
    assert rows["weather"]["state"] == "ok"


def test_a_package_with_a_broken_list_of_plugins_hides_none_of_the_others(
    make_site: Callable[[], Site], project: Path
) -> None:
    site = make_site()
    site.add_panel("weather")
    broken = site.folder / "torn-0.1.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: torn\nVersion: 0.1\n")
    (broken / "entry_points.txt").write_bytes(b"[workbench.panels]\n\xff\xfe no equals sign\n")
    found = sections(json.loads(site.run("report", "--format", "json", cwd=project).stdout)["sections"])
    assert "weather" in found
    assert "entry_points.txt cannot be read" in found["plugins"]["data"][0]["error"]  # type: ignore[index]
    assert found["plugins"]["data"][0]["distribution"] == "torn"  # type: ignore[index]
