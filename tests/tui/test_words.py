"""What is typed after a colon, taken apart: words with their places, options, and errors that name the nearest."""

from __future__ import annotations

import pytest

from workbench.cli.vocabulary import vocabulary
from workbench.tui.commands import ASKS_A_SHELL, WORDS, known_words
from workbench.tui.history import History
from workbench.tui.words import Refused, parse, split

KNOWN = known_words(vocabulary())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("runs --where 'lr>1e-3 tag:x'", [("runs", 0), ("--where", 5), ("lr>1e-3 tag:x", 13)]),
        ('note "it said \\"no\\""  b', [("note", 0), ('it said "no"', 5), ("b", 23)]),
        ("tag a\\ b", [("tag", 0), ("a b", 4)]),
        ("", []),
        ("  q ", [("q", 2)]),
        ("note ''", [("note", 0), ("", 5)]),
    ],
)
def test_a_line_is_split_as_a_shell_splits_it(line, words):
    tokens, still_open = split(line)
    assert [(token.text, token.start) for token in tokens] == words
    assert not still_open


def test_an_open_quote_is_told():
    assert split("note 'half")[1] == "'"


@pytest.mark.parametrize(
    ("line", "message", "position", "unfinished"),
    [
        ("rusn", "no command 'rusn' – did you mean 'runs'?", 0, False),
        ("ru", "which one? runs", 0, True),
        ("runs --wher x", "no option '--wher' – did you mean '--where'?", 5, False),
        ("runs --wher", "no option '--wher' – did you mean '--where'?", 5, True),
        ("runs --where", "--where wants EXPR", 12, True),
        ("note 'half", "the quotes are still open", 5, True),
        ("export pints --out x", "export what? points", 7, False),
        ("export", "export what? points", 6, True),
        ("runs --format jsn", "--format: no 'jsn' – did you mean 'json'?", 14, False),
        ("quit now --please", "it takes no option '--please'", 9, False),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_the_nearest_right_name(line, message, position, unfinished):
    with pytest.raises(Refused) as refused:
        parse(line, KNOWN)
    assert (refused.value.message, refused.value.position, refused.value.unfinished) == (message, position, unfinished)


def test_options_and_arguments_stand_apart():
    call = parse("report --out f.html --gate='n(loss) > 1' --strict", KNOWN)
    assert call.word.outside
    assert call.text("--out") == "f.html"
    assert call.text("--gate") == "n(loss) > 1"
    assert "--strict" in call.options
    assert call.arguments == []


def test_a_filter_is_taken_as_it_stands():
    call = parse("filter name:'a b' lr>1", KNOWN)
    assert call.raw == "name:'a b' lr>1"


def test_a_word_that_the_command_line_has_too_means_the_same_there():
    """Whatever the interface does itself and the command line knows takes only options that are there too."""
    there = {word.name: {option.name for option in word.options} for word in vocabulary()}
    own = {"compare": {"--where", "--metric"}, "panel": set()}
    for word in WORDS:
        if word.name in there:
            assert {option.name for option in word.options} - own.get(word.name, set()) <= there[word.name], word.name


def test_everything_the_command_line_has_can_be_typed_but_what_takes_the_terminal():
    names = {word.name for word in vocabulary()}
    assert names - set(KNOWN) == names & ASKS_A_SHELL
    assert {"report", "export points", "drift", "doctor"} <= {w.name for w in KNOWN.values() if w.outside}


def test_lines_come_back_in_the_next_sitting_the_newest_first(tmp_path):
    path = tmp_path / ".workbench" / "history"
    history = History(path)
    history.begin()
    for line in ("runs", "sort name", "runs --all", "runs"):
        history.add(line)
    again = History(path)
    again.begin()
    assert again.lines == ["sort name", "runs --all", "runs"]
    assert [again.step(1, "") for _ in range(4)] == ["runs", "runs --all", "sort name", None]
    assert [again.step(-1, "sort name") for _ in range(4)] == ["runs --all", "runs", "", None]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_arrows_find_lines_that_begin_like_what_was_typed(tmp_path):
    history = History(tmp_path / "history")
    for line in ("runs --all", "sort name", "runs --where x"):
        history.add(line)
    history.begin()
    assert history.step(1, "runs") == "runs --where x"
    assert history.step(1, "runs --where x") == "runs --all"
    assert history.step(-1, "runs --all") == "runs --where x"
    assert history.step(-1, "runs --where x") == "runs"


def test_a_folder_that_cannot_be_written_forgets_but_goes_on(tmp_path):
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history")
    history.add("runs")
    assert history.lines == ["runs"]
