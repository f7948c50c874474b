"""What plugin code prints does not reach the data on stdout."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from workbench.plugin.box import PluginError, caught_output, reason_of


def test_everything_that_is_printed_goes_to_stderr_in_order_and_safe_to_show(capfd: pytest.CaptureFixture[str]) -> None:
    print("before")
    with caught_output("panel noisy"):
        print("one \x1b[2J")
        os.write(1, b"two \xff\n")
        subprocess.run(["echo", "three"], check=True)
        subprocess.run(["echo", "four"], stdout=sys.stdout, check=True)
        sys.stdout.buffer.write(b"five\n")
        print("six", file=sys.stderr)
    print("after")
    out, err = capfd.readouterr()
    assert out == "before\nafter\n"
    assert err.splitlines() == [
        f"panel noisy printed: {words}" for words in ("one ␛[2J", "two \ufffd", "three", "four", "five", "six")
    ]


def test_silence_is_not_narrated(capfd: pytest.CaptureFixture[str]) -> None:
    with caught_output("panel quiet"):
        pass
    assert capfd.readouterr() == ("", "")


def test_a_flood_is_cut(capfd: pytest.CaptureFixture[str]) -> None:
    with caught_output("panel flood"):
        for line in range(100_000):
            print(line)
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "panel flood printed: 0"
    assert lines[-1] == "panel flood printed: …"
    assert len(lines) == 21


def test_what_was_printed_before_an_exception_is_still_told(capfd: pytest.CaptureFixture[str]) -> None:
    def torn() -> None:
        with caught_output("panel torn"):
            print("on my way")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        torn()
    assert capfd.readouterr().err == "panel torn printed: on my way\n"


def test_a_log_handler_that_kept_the_stream_writes_to_nowhere_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with caught_output("panel logs"):
        handler = logging.StreamHandler(sys.stdout)
        handler.emit(logging.makeLogRecord({"msg": "inside"}))
    handler.emit(logging.makeLogRecord({"msg": "outside"}))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "panel logs printed: inside\n")


def test_a_process_without_stdout_is_not_harmed() -> None:
    code = (
        "import os; os.close(1)\nimport sys; sys.stdout = None\n"
        "from workbench.plugin.box import caught_output\n"
        "with caught_output('panel daemon'): print('hello')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "panel daemon printed: hello\n")


def test_an_exception_that_cannot_be_put_into_words_is_still_named() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    try:
        raise Mute
    except Mute as error:
        words, place = reason_of(error)
    assert words == "Mute: it cannot say why"
    assert place.startswith(__file__)
    assert reason_of(PluginError("wants more")) == ("wants more", "")
