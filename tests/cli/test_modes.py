"""`settings`, `sql --out`, `tui` and `serve` as they are called."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM, workbench
from tests.support.ingest import Project, line
from workbench.cli.serve import interface_command, is_loopback

ROOT = Path(__file__).parents[2]


@pytest.fixture
def logged(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    """A project with a run that was read, the current folder, and no settings."""
    project.write("run.jsonl", line(0, loss=1.0) + line(1, loss=0.5))
    project.read()
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return project


# Settings -----------------------------------------------------------------------------------------------------------


def test_settings_say_what_holds_and_who_said_so(logged: Project, tmp_path: Path) -> None:
    (tmp_path / "config" / "workbench").mkdir(parents=True)
    mine = tmp_path / "config" / "workbench" / "settings.toml"
    mine.write_text('theme = "nord"\n[keys.runs]\nmark = "M"\n', encoding="utf-8")
    (logged.root / "workbench.toml").write_text("[tui]\nsql_rows = 50\n", encoding="utf-8")
    listed = {row["setting"]: row for row in workbench("settings", "--format", "json").json}
    assert (listed["theme"]["value"], listed["theme"]["path"], listed["theme"]["line"]) == ("nord", str(mine), 1)
    assert (listed["sql_rows"]["value"], listed["sql_rows"]["from"]) == (50, "project")
    assert (listed["mouse"]["value"], listed["mouse"]["from"]) == (True, "default")
    shown = workbench("settings")
    assert "settings.toml:1" in shown.out
    assert "workbench.toml:2" in shown.out
    assert shown.err == f"the user's file is {mine}\n"
    keys = workbench("settings", "--keys", "--format", "json").json
    assert next(row["keys"] for row in keys if (row["place"], row["action"]) == ("runs", "mark")) == ["M"]


def test_a_mistake_in_settings_is_named_on_stderr_and_ends_with_2(logged: Project, tmp_path: Path) -> None:
    (tmp_path / "config" / "workbench").mkdir(parents=True)
    (tmp_path / "config" / "workbench" / "settings.toml").write_text('[keys]\nhelp = "ctrl+i"\n', encoding="utf-8")
    answer = workbench("settings", code=2)
    assert "settings.toml:2: keys.help: 'ctrl+i' is refused: terminals send it as tab" in answer.err
    assert "theme" in answer.out


def test_the_manuals_page_is_what_the_code_says() -> None:
    made = workbench("settings", "--reference").out
    assert made == (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), "workbench settings --reference"


# SQL ----------------------------------------------------------------------------------------------------------------


def test_an_answer_is_written_to_a_file(logged: Project, tmp_path: Path) -> None:
    answer = workbench("sql", "select key, step, value from point order by step", "--out", "out.csv")
    assert (answer.out, "2 rows written to out.csv" in answer.err) == ("", True)
    assert (logged.root / "out.csv").read_text(encoding="utf-8") == "key,step,value\nloss,0,1.0\nloss,1,0.5\n"
    assert ".csv, .parquet, .json, .md" in workbench("sql", "select 1", "--out", "out.xls", code=2).err


def test_a_mistake_in_sql_has_a_caret_and_the_nearest_name(logged: Project) -> None:
    answer = workbench("sql", "select vlaue from point", code=2)
    assert "did you mean 'value'?" in answer.err
    assert "line 1: select vlaue from point\n               ^" in answer.err


# The interface ------------------------------------------------------------------------------------------------------


def test_a_theme_that_there_is_not_gets_the_nearest(logged: Project) -> None:
    assert "there is no theme 'drakula' – did you mean 'dracula'?" in workbench("tui", "--theme", "drakula", code=2).err


@pytest.mark.parametrize("words", [["--read-only"], [".", "--read-only"], ["tui", "--read-only"]])
def test_read_only_makes_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TEXTUAL_FPS", "120")
    answer = workbench(*words, code=3)
    assert "no log was read here yet, and read-only reads none" in answer.err
    assert "next: workbench watch --once" in answer.err
    assert list(tmp_path.iterdir()) == []


# In a browser -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("example.org", False), ("localhost.example.org", False)],
)  # fmt: skip
def test_only_loopback_is_this_machine_alone(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_an_address_that_others_reach_is_refused_with_the_reason(logged: Project) -> None:
    answer = workbench("serve", "--host", "0.0.0.0", "--port", "8123", code=2)
    assert "0.0.0.0 can be reached from other machines" in answer.err
    assert "ssh -L 8123:127.0.0.1:8123" in answer.err
    assert "--allow-remote" in answer.err


def test_a_tab_is_read_only_unless_told_otherwise() -> None:
    root = Path("/data/it's here")
    assert interface_command(root, write=False).endswith("tui '/data/it'\"'\"'s here' --read-only")
    assert interface_command(root, write=True).endswith("tui '/data/it'\"'\"'s here'")


def test_without_textual_serve_the_command_says_how_to_get_it(logged: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "workbench.cli.web", raising=False)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    answer = workbench("serve", "--port", "0", code=2)
    assert "next: pip install textual-serve" in answer.err


def test_a_page_needs_its_key_and_its_tab_writes_nothing(logged: Project) -> None:
    pytest.importorskip("textual_serve")
    command = [*PROGRAM, "serve", str(logged.root), "--port", "0"]
    before = sorted(path.name for path in (logged.root / ".workbench").iterdir())
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            link = ""
            while not link:
                said = server.stderr.readline()  # type: ignore[union-attr]
                assert said, "the server ended"
                link = (re.findall(r"http://\S+", said) or [""])[0]
            asyncio.run(_visit(link))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)
    assert sorted(path.name for path in (logged.root / ".workbench").iterdir()) == before


async def _visit(link: str) -> None:
    """Without the key nothing is shown; with it the interface is, it takes keys, and it refuses to write."""
    import aiohttp

    base = link.split("/?", maxsplit=1)[0]
    async with aiohttp.ClientSession() as stranger:
        assert (await stranger.get(f"{base}/")).status == 403
        assert (await stranger.get(f"{base}/?key=guess")).status == 403
        assert (await stranger.get(f"{base}/static/js/textual.js")).status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.ws_connect(f"{base}/ws")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as friend:
        page = await friend.get(link)
        assert (page.status, str(page.url)) == (200, f"{base}/")
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        async with friend.ws_connect(f"{base}/ws?width=100&height=30") as tab:
            await _until(tab, "run.jsonl", "live")
            await tab.send_json(["stdin", "b"])
            await _until(tab, "so not written")
            await tab.send_json(["stdin", "q"])


async def _until(tab: object, *words: str) -> None:
    shown = ""
    while not all(word in shown for word in words):
        message = await asyncio.wait_for(tab.receive(), 60)  # type: ignore[attr-defined]
        data = message.data
        assert data is not None, f"closed before {words}: {shown[-500:]}"
        shown += re.sub(
            r"\x1b\[[0-9;?<>=]*[a-zA-Z]", "", data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        )
