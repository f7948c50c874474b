"""A plugin's answer is waited for only so long."""

from __future__ import annotations

import threading

import pytest

from workbench.plugin.box import PluginTimeoutError, answer_of, reason_of


def test_an_answer_in_time_is_handed_on() -> None:
    assert answer_of(lambda: 41 + 1) == 42
    assert answer_of(lambda: None) is None


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
def test_what_is_raised_is_raised_here(error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        answer_of(work)
    assert caught.value is error
    assert reason_of(error)[1].startswith(__file__)


def test_one_that_hangs_is_left_behind_and_its_place_is_told() -> None:
    never = threading.Event()
    with pytest.raises(PluginTimeoutError) as caught:
        answer_of(never.wait, 0.05)
    never.set()
    words, place = reason_of(caught.value)
    assert words == "no answer within 0.05 s"
    assert "threading.py:" in place
