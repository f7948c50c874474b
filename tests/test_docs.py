"""What the documents say exists: commands, options, keys of the configuration, public names."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from workbench import tracking
from workbench.cli.main import COMMANDS, cli
from workbench.core.config import load_config
from workbench.plugin import api
from workbench.rules.expression import parse as parse_check

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / name for name in ("README.md", "plugins/README.md", "CHANGELOG.md", "sample_projects/flights/README.md")
]


def fenced(path: Path, *languages: str) -> list[str]:
    """Code blocks of some languages."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    return [text for language, text in blocks if language in languages]


def command_lines() -> Iterator[tuple[str, str]]:
    """Every `workbench …` in shell blocks and code spans: (where, words)."""
    for path in DOCUMENTS:
        name = str(path.relative_to(ROOT))
        for block in fenced(path, "sh", "bash", "console"):
            for row in re.sub(r"\\\n\s*", " ", block).splitlines():
                for part in re.split(r"\s+(?:&&|\|\||\||;)\s+", row):
                    words = part.strip().removeprefix("$ ")
                    if words == "workbench" or words.startswith("workbench "):
                        yield name, words
        prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        yield from ((name, words) for words in re.findall(r"`(workbench(?: [^`\n]*)?)`", prose))


LINES = sorted(set(command_lines()))


def test_the_documents_show_the_command_line() -> None:
    assert len(LINES) > 15
    shown = {words.split()[1] for _, words in LINES if len(words.split()) > 1}
    assert {"runs", "show", "compare", "report", "pack", "export", "sql", "sources", "drift", "watch", "demo"} <= shown


@pytest.mark.parametrize(("where", "words"), LINES, ids=[words[:60] for _, words in LINES])
def test_every_command_and_option_in_the_documents_exists(where: str, words: str) -> None:
    command: click.Command = cli
    known = {option for parameter in cli.params for option in parameter.opts} | {"--help", "-h"}
    rest = shlex.split(words, comments=True)[1:]
    while rest and isinstance(command, click.Group):
        if rest[0].startswith("-") or (command is cli and rest[0] not in COMMANDS):
            assert rest[0].startswith(("-", "[", "/", ".")) or rest[0].isupper() or "/" in rest[0], (
                f"{where}: {rest[0]}"
            )
            break
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None, f"{where}: {words}"
        command = found
        known = {option for each in command.params for option in each.opts} | {"--help", "-h"}
    options = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
    assert options <= known, f"{where}: {words}"


def test_configuration_in_the_documents_is_valid(tmp_path: Path) -> None:
    blocks = [text for path in DOCUMENTS for text in fenced(path, "toml") if "[monitor" in text or "[gates" in text]
    assert blocks
    for text in blocks:
        tomllib.loads(text)
        (tmp_path / "workbench.toml").write_text(text)
        for gate in load_config(tmp_path).gates:
            parse_check(gate.check)


def test_gates_on_documented_command_lines_can_be_read() -> None:
    gates = [value for _, words in LINES for value in re.findall(r"--gate '([^']+)'", words)]
    assert gates
    for gate in gates:
        parse_check(gate)


def test_every_public_name_of_the_plugin_contract_exists_and_is_described() -> None:
    assert len(set(api.__all__)) == len(api.__all__)
    for name in api.__all__:
        value = getattr(api, name)
        if isinstance(value, type):
            assert value.__doc__, name
    defined = {
        name for name, value in vars(api).items() if isinstance(value, type) and value.__module__ == api.__name__
    }
    assert defined <= set(api.__all__), "what the contract defines, it exports"


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)\)", text)
    assert [link for link in links if not link.startswith("https://") and not (ROOT / link).exists()] == []


def test_code_for_logging_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WORKBENCH_DIR", raising=False)
    blocks = [text for text in fenced(ROOT / "README.md", "python") if "import workbench" in text]
    assert blocks
    for text in blocks:
        exec(compile(text, "README.md", "exec"), {})
        tracking.finish()
    assert list(tmp_path.rglob("*.wb.jsonl"))
