"""Which files the tracking API's reader takes, and the run's id it finds in them."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from workbench.plugin.api import Head
from workbench.readers.own.reader import WorkbenchReader

START = b'{"v":1,"t":"start","run":"r1","name":"first","ts":100.0,"params":{"lr":0.1}}\n'
READER = WorkbenchReader()


def head(data: bytes, name: str = "r1.wb.jsonl") -> Head:
    return Head(PurePath("runs") / name, data, len(data))


def test_a_tracking_file_is_claimed_with_the_runs_own_id():
    claim = READER.claim(head(START))
    assert (claim.score, claim.native_id) == (1.0, "r1")


@pytest.mark.parametrize(
    ("data", "native_id"),
    [
        (b'{"v":1,"t":"fork","run":"r1","parent":5}\n', "r1"),
        (b'{"v":1,"t":"start","run":"a\\"b\\u00e9","params":{"huge":"' + b"x" * 70_000, 'a"b\u00e9'),
        (b'{"run": "r2", "t": "start", "v": 1}\n', "r2"),
        (b'\xef\xbb\xbf{"v":1,"t":"start","run":"r3"}\n', "r3"),
    ],
    ids=["fork", "long", "other order", "bom"],
)
def test_the_id_is_found_however_the_first_line_looks(data, native_id):
    assert READER.claim(head(data)).native_id == native_id


def test_a_file_without_a_complete_first_line_waits():
    assert READER.claim(head(b"")).score == 0
    assert READER.claim(head(b'{"v":1,"t":"sta')).score == 0


def test_a_file_with_a_damaged_first_line_is_still_read_so_that_the_damage_is_shown():
    assert 0 < READER.claim(head(b'{"v":1,"t":"sta\n' + b'{"t":"log","step":1,"m":{"a":1.0}}\n')).score < 1


def test_other_names_are_left_to_other_readers():
    assert READER.claim(head(START, "metrics.jsonl")).score == 0
