"""Settings from files: what is right holds, what is wrong is named with its line, and who said what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.config import load_config
from workbench.core.settings import SETTINGS, TEXTUAL_THEMES, Settings, settings_path
from workbench.core.settings_file import SettingsFiles, keep_setting, line_of, load_settings


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def said(found: Settings) -> list[str]:
    return [f"{problem.path.name}:{problem.line}: {problem.key}: {problem.why}" for problem in found.problems]


def test_without_files_everything_is_at_its_default(tmp_path):
    found = load_settings(tmp_path / "none.toml", tmp_path)
    assert [found.of(setting.name).value for setting in SETTINGS] == [setting.default for setting in SETTINGS]
    assert {found.of(setting.name).origin for setting in SETTINGS} == {"default"}
    assert not found.problems


def test_the_users_file_says_and_its_line_is_known(user):
    found = load_settings(written(user, '# mine\n\ntheme = "nord"\nframes = 30\n'))
    assert (found.text("theme"), found.of("theme").line) == ("nord", 3)
    assert (found.whole("frames"), found.of("frames").line, found.of("frames").path) == (30, 4, user)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("mouze = true", "settings.toml:1: mouze: no such setting – did you mean 'mouse'?"),
        ('\ntheme = "nrod"', "settings.toml:2: theme: 'nrod' is none of them – did you mean 'nord'?"),
        ("mouse = 1", "settings.toml:1: mouse: expected true or false, got 1"),
        ("frames = 1000", "settings.toml:1: frames: expected a whole number from 5 to 240, got 1000"),
        ("frames = true", "settings.toml:1: frames: expected a whole number from 5 to 240, got True"),
        ("theme = 3", "settings.toml:1: theme: expected text, got 3"),
        ("keys = 3", 'settings.toml:1: keys: expected lines such as mark = "M" or [keys.runs]'),
        (
            "[keys.runs]\nmark = []",
            'settings.toml:2: keys.runs.mark: expected a key such as "M", or a list of them, got []',
        ),
    ],
)
def test_what_is_wrong_is_named_and_everything_else_holds(user, text, wrong):
    found = load_settings(written(user, f"{text}\n[unread]\n".replace("[unread]\n", "")))
    assert said(found) == [wrong]
    also = load_settings(written(user, f"sql_rows = 7\n{text}\n"))
    assert also.whole("sql_rows") == 7


def test_a_file_that_is_no_toml_is_named_with_its_line(user):
    found = load_settings(written(user, 'theme = "nord"\nmouse = maybe\n'))
    (problem,) = found.problems
    assert problem.line == 2
    assert str(problem).startswith(f"{user}:2: ")
    assert found.text("theme") == "auto"


def test_a_project_says_what_concerns_everybody_and_nothing_else(tmp_path, user):
    written(
        tmp_path / "workbench.toml",
        '[project]\nignore = ["x"]\n[tui]\nsql_rows = 50\ntheme = "nord"\nkeys.a = "b"\nsqlrows = 1\n',
    )
    found = load_settings(written(user, "sql_rows = 10\nsql_seconds = 5\n"), tmp_path)
    assert (found.whole("sql_rows"), found.of("sql_rows").origin, found.of("sql_rows").line) == (50, "project", 4)
    assert (found.whole("sql_seconds"), found.text("theme")) == (5, "auto")
    assert said(found) == [
        "workbench.toml:5: tui.theme: is for each user to choose; put it in settings.toml",
        "workbench.toml:6: tui.keys: is for each user to choose; put it in settings.toml",
        "workbench.toml:7: tui.sqlrows: no such setting – did you mean 'sql_rows'?",
    ]
    assert load_config(tmp_path).ignore == ("x",)


@pytest.mark.parametrize(("mine", "theirs"), [("true", "false"), ("false", "true"), ("true", "true")])
def test_read_only_holds_as_soon_as_either_file_asks_for_it(tmp_path, user, mine, theirs):
    written(tmp_path / "workbench.toml", f"[tui]\nread_only = {theirs}\n")
    assert load_settings(written(user, f"read_only = {mine}\n"), tmp_path).flag("read_only")


def test_the_command_line_has_the_last_word(tmp_path, user):
    files = SettingsFiles(written(user, 'theme = "nord"\n'), tmp_path, {"theme": "dracula"})
    assert (files.load().text("theme"), files.load().of("theme").origin) == ("dracula", "command line")


def test_keys_are_read_with_their_place(user):
    found = load_settings(written(user, '[keys]\nhelp = "f2"\n[keys.runs]\nmark = ["M", "space"]\n'))
    assert [(each.scope, each.action, each.keys, each.line, each.key) for each in found.keys] == [
        ("", "help", ("f2",), 2, "keys.help"),
        ("runs", "mark", ("M", "space"), 4, "keys.runs.mark"),
    ]


def test_the_line_of_a_key_is_found_in_tables_dotted_names_and_inline_tables():
    text = 'a = 1\n[keys]\nx = 1\n[keys.runs]\n"x" = 2\n[tui]\nkeys.x = 3\nin = { x = 1 }\n'
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("keys", "x")) == 3
    assert line_of(text, ("keys", "runs", "x")) == 5
    assert line_of(text, ("tui", "keys", "x")) == 7
    assert line_of(text, ("tui", "in", "x")) == 8
    assert line_of(text, ("b",)) is None


def test_the_users_folder_follows_xdg(monkeypatch, home):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    assert settings_path() == Path("/elsewhere/workbench/settings.toml")
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_CONFIG_HOME", unusable)
        assert settings_path() == home / ".config" / "workbench" / "settings.toml"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'theme = "nord"\n'),
        ("# mine\nmouse = false\n", 'theme = "nord"\n# mine\nmouse = false\n'),
        (
            'mouse = false\ntheme = "dracula"  # at night\n[keys]\nhelp = "f2"\n',
            'mouse = false\ntheme = "nord"  # at night\n[keys]\nhelp = "f2"\n',
        ),
        ("theme = 'a # b'\r\nframes = 9\r\n", 'theme = "nord"\r\nframes = 9\r\n'),
        ('[keys.runs]\ntheme = "t"\n', 'theme = "nord"\n[keys.runs]\ntheme = "t"\n'),
    ],
)
def test_keeping_a_theme_changes_one_line_of_the_file(user, before, after):
    if before:
        user.parent.mkdir()
        user.write_bytes(before.encode())
    keep_setting(user, "theme", "nord")
    assert user.read_bytes().decode() == after
    assert [path.name for path in user.parent.iterdir()] == ["settings.toml"]


def test_a_file_that_cannot_be_changed_by_one_line_stays_as_it_was(user):
    text = 'theme = """\nnord\n"""\n'
    with pytest.raises(ValueError, match="theme"):
        keep_setting(written(user, text), "theme", "dracula")
    with pytest.raises(ValueError, match="Invalid value"):
        keep_setting(written(user, "theme ="), "theme", "dracula")
    assert user.read_text(encoding="utf-8") == "theme ="


def test_a_link_to_settings_kept_elsewhere_stays_a_link(tmp_path, user):
    real = written(tmp_path / "dotfiles" / "wb.toml", 'theme = "dracula"\n')
    user.parent.mkdir()
    user.symlink_to(real)
    keep_setting(user, "theme", "nord")
    assert user.is_symlink()
    assert real.read_text(encoding="utf-8") == 'theme = "nord"\n'


def test_an_edit_is_seen_by_the_stamp(tmp_path, user):
    files = SettingsFiles(user, tmp_path)
    before = files.stamp()
    written(user, "mouse = false\n")
    assert files.stamp() != before


def test_the_themes_of_textual_are_those_that_it_has():
    from textual.theme import BUILTIN_THEMES

    assert set(TEXTUAL_THEMES) == set(BUILTIN_THEMES)
