"""Whatever a log says, what leaves the process can neither steer a terminal nor hide."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.text import cut, fit, plain, width, wrap

ANY = st.text(st.characters(), max_size=200) | st.text(
    st.sampled_from(list("ab\x00\x07\x1b[]0;m\x9b\x9d\r\n\t\u202e\u200b\ufeff\udc80\ud800é́日\u0301\ufe0f⟩🚀|`<")),
    max_size=60,
)


def unsafe(text: str, allowed: str = "") -> list[str]:
    return [
        char for char in text if char not in allowed and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ]


@given(ANY)
def test_nothing_invisible_or_controlling_is_left(text):
    assert unsafe(plain(text)) == []
    assert unsafe(plain(text, multiline=True), allowed="\n") == []


@given(ANY)
def test_plain_text_is_its_own_plain_form(text):
    for multiline in (False, True):
        once = plain(text, limit=50, multiline=multiline)
        assert plain(once, limit=50, multiline=multiline) == once
        assert len(once) <= 50


@given(ANY)
def test_plain_text_can_always_be_encoded(text):
    plain(text).encode("utf-8")


@given(st.text("abcXYZ äöü日本語 .,:;()!?+-/", max_size=80))
def test_harmless_text_stays_as_it_is(text):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("\x9b31m", "\\x9b31m"),
        ("\x7f", "␡"),
        ("a\x00b", "a␀b"),
        ("user\u202ecod.exe", "user\\u{202e}cod.exe"),
        ("lo\u200bss", "lo\\u{200b}ss"),
        ("\ud800", "\\u{d800}"),
        ("caf\udce9", "caf\\xe9"),
        ("one\r\ntwo\rthree", "one␊two␍three"),
        ("\U000e0041", "\\u{e0041}"),
        ("❤\ufe0f", "❤"),
        ("a\tb", "a b"),
        (b"ok \xff\x1b", "ok \ufffd␛"),
        (None, "None"),
        (3.5, "3.5"),
    ],
)
def test_hostile_text_becomes_visible(hostile, shown):
    assert plain(hostile) == shown


def test_lines_stay_lines_where_they_are_wanted():
    assert plain("one\r\ntwo\n\tthree\r", multiline=True) == "one\ntwo\n    three␍"


def test_a_log_line_of_10_mb_is_cut_and_says_so():
    assert plain("x" * 10_000_000, limit=80) == "x" * 79 + "…"
    assert plain(b"x" * 10_000_000, limit=80) == "x" * 79 + "…"


def test_marks_piled_on_one_letter_are_pruned():
    assert plain("Z" + "\u0301" * 500) == "Z" + "\u0301" * 4


def test_every_control_and_format_character_of_unicode_is_known():
    left = [hex(code) for code in range(0x110000) if unsafe(plain(chr(code)))]
    assert left == []


@given(ANY, st.integers(0, 40), st.sampled_from(["left", "right", "center"]))
def test_fitted_text_is_exactly_as_wide_as_asked(text, columns, align):
    fitted = fit(plain(text), columns, align)
    assert width(fitted) == columns or (
        width(fitted) == columns - 1 and any(width(char) == 2 for char in fitted + text)
    )
    assert width(cut(plain(text), columns)) <= columns


def test_wide_and_combining_characters_are_measured_in_cells():
    assert [width("loss"), width("日本"), width("e\u0301")] == [4, 4, 1]
    assert cut("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日… "
    assert fit("7", 3, "right") == "  7"


@given(ANY, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_no_letter(text, columns):
    text = plain(text, multiline=True)
    lines = wrap(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
