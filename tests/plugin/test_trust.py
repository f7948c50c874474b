"""A project's own files are plugins once the user trusts them, as they are, and are asked about again when changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Site, sections

FILE = """
from dataclasses import dataclass
from pathlib import Path
from workbench.plugin.api import Note, Panel, metric

Path(__file__).with_suffix(".imported").touch()

@dataclass(frozen=True)
class Options:
    city: str = "Berlin"

class Weather(Panel):
    name = "weather"
    title = "Weather"
    options = Options()

    def load(self, query, focus):
        return len(query.runs())

    def view(self, data, fit):
        return Note(f"rain in {self.options.city}")

@metric("double", needs=["loss"])
def double(loss):
    return 2 * loss.last
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n2,0.4\n")
    (tmp_path / ".workbench" / "plugins").mkdir(parents=True)
    (tmp_path / ".workbench" / "plugins" / "weather.py").write_text(FILE)
    return tmp_path


@pytest.fixture
def run(place: Path, make_site: Callable[[], Site]) -> Callable[..., Any]:
    """The command line in that project, with a state folder of its own."""
    site = make_site()
    env = {"XDG_STATE_HOME": str(place.parent / f"{place.name}-state")}
    return lambda *words: site.run(*words, cwd=place, env=env)


def listing(run: Callable[..., Any]) -> dict[str, Any]:
    return {row["name"]: row for row in json.loads(run("plugins", "list", "--format", "json").stdout)}


def reported(run: Callable[..., Any]) -> Any:
    return sections(json.loads(run("report", "--format", "json").stdout)["sections"])


def test_a_file_nobody_trusts_is_listed_with_the_command_and_never_run(run: Callable[..., Any], place: Path) -> None:
    ran = run("plugins", "list")
    assert "workbench plugins trust .workbench/plugins/weather.py" in ran.stderr
    assert listing(run)["weather"]["state"] == "untrusted"
    found = reported(run)
    assert "weather" not in found
    assert "workbench plugins trust .workbench/plugins/weather.py" in found["plugins"]["data"][0]["error"]
    assert run("plugins", "list", "--check").returncode == 2
    assert not (place / ".workbench" / "plugins" / "weather.imported").exists()


def test_a_trusted_file_gives_everything_it_defines_until_it_changes(run: Callable[..., Any], place: Path) -> None:
    file = place / ".workbench" / "plugins" / "weather.py"
    assert run("plugins", "trust", str(file)).returncode == 0
    assert listing(run)["weather"]["state"] == "trusted"
    found = reported(run)
    assert found["weather"]["block"]["text"] == "rain in Berlin"
    assert "plugins" not in found
    assert json.loads(run("runs", "--format", "json").stdout)[0]["metrics"]["double"]["last"] == 0.8
    file.write_text(FILE.replace("rain", "snow"))
    assert listing(run)["weather"]["state"] == "untrusted"
    assert "weather" not in reported(run)
    file.write_text(FILE)
    assert listing(run)["weather"]["state"] == "trusted", "what was trusted is trusted again"
    run("plugins", "trust", "--no-longer", str(file))
    assert listing(run)["weather"]["state"] == "untrusted"


def test_trust_is_not_kept_in_the_project(run: Callable[..., Any], place: Path) -> None:
    before = {path for path in place.rglob("*") if path.is_file()}
    run("plugins", "trust", ".workbench/plugins/weather.py")
    assert {path for path in place.rglob("*") if path.is_file()} == before


def test_safe_runs_none_of_them(run: Callable[..., Any], place: Path) -> None:
    run("plugins", "trust", ".workbench/plugins/weather.py")
    ran = run("--safe", "report", "--format", "json")
    assert ran.returncode == 0
    assert {"weather", "plugins"}.isdisjoint(sections(json.loads(ran.stdout)["sections"]))
    assert not (place / ".workbench" / "plugins" / "weather.imported").exists()


def test_options_come_from_the_configuration(run: Callable[..., Any], place: Path) -> None:
    run("plugins", "trust", ".workbench/plugins/weather.py")
    (place / "workbench.toml").write_text('[panel.weather]\ncity = "Oslo"\n')
    assert reported(run)["weather"]["block"]["text"] == "rain in Oslo"


WRONG = {
    '[panel.weather]\ncty = "Oslo"\n': "panel.weather.cty: unknown key – did you mean 'city'?",
    "[panel.weather]\ncity = 3\n": "panel.weather.city: expected str, got 3",
    '[panel.wether]\ncity = "Oslo"\n': "panel.wether: no panel is called that – did you mean 'weather'?",
    "[panel]\nweather = 3\n": "panel.weather: expected a table, got int",
    "[panel.runs]\nlimit = 3\n": "panel.runs: this panel has no options",
    "[plugins.weather]\nisolat = true\n": "plugins.weather.isolat: unknown key – did you mean 'isolate'?",
    '[plugins.weather]\nisolate = "yes"\n': "plugins.weather.isolate: expected true or false, got 'yes'",
    "[plugins.weather]\nevery = 0\n": "plugins.weather.every: expected a number of seconds above 0, got 0",
}


@pytest.mark.parametrize(("text", "words"), WRONG.items(), ids=WRONG.values())
def test_what_is_wrong_in_the_configuration_is_told_by_file_and_key(
    run: Callable[..., Any], place: Path, text: str, words: str
) -> None:
    run("plugins", "trust", ".workbench/plugins/weather.py")
    (place / "workbench.toml").write_text(text)
    ran = run("report")
    assert ran.returncode == 2
    assert words in ran.stderr and "workbench.toml" in ran.stderr


def test_a_plugin_can_be_turned_off(run: Callable[..., Any], place: Path) -> None:
    run("plugins", "trust", ".workbench/plugins/weather.py")
    (place / "workbench.toml").write_text("[plugins.weather]\nenabled = false\n")
    assert listing(run)["weather"]["state"] == "off"
    assert {"weather", "plugins"}.isdisjoint(reported(run))
    assert not (place / ".workbench" / "plugins" / "weather.imported").exists()


def test_a_file_without_a_plugin_says_what_belongs_there(run: Callable[..., Any], place: Path) -> None:
    file = place / ".workbench" / "plugins" / "empty.py"
    file.write_text("from workbench.plugin.api import Panel\n")
    run("plugins", "trust", str(file))
    found = reported(run)["plugins"]["data"]
    assert any("defines no plugin: subclass Panel or Reader" in each["error"] for each in found)
