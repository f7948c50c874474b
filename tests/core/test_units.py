"""Numbers read as people write them, and nothing unknown ever looks like 0."""

import math
from datetime import timedelta, timezone

import pytest

from workbench.core import units

CASES = {
    units.number: [
        (0.913245, "0.9132"), (0.9, "0.9"), (12, "12"), (12.0, "12"), (12345, "12,345"), (12345.678, "12,346"),
        (1234.56, "1,235"), (0.00012345, "0.0001234"), (0.000012, "1.2e-5"), (1.5e12, "1.5e12"), (-0.5, "-0.5"),
        (0.0, "0"), (9.99996, "10"), (math.nan, "NaN"), (math.inf, "inf"), (-math.inf, "-inf"),
    ],
    units.percent: [(0.321, "32.1 %"), (0.0, "0 %"), (1.0, "100.0 %"), (12.0, "1,200 %"), (math.nan, "NaN")],
    units.delta: [
        (0.032, "▲ +3.2 %"), (-0.004, "▼ -0.4 %"), (0.0001, "= 0.0 %"), (11.5, "▲ x12.5"), (-1.0, "▼ -100.0 %"),
        (math.inf, "–"),
    ],
    units.duration: [
        (0.42, "0.4s"), (12, "12s"), (59.6, "1m 00s"), (192, "3m 12s"), (7440, "2h 04m"),
        (273_600, "3d 04h"), (-5, "-5s"),
    ],
    units.age: [
        (-3, "now"), (1, "now"), (42, "42s"), (200, "3m"), (7300, "2h"), (5 * 86400, "5d"), (70 * 86400, "10w"),
        (8e7, "2y"),
    ],
    units.size: [(640, "640 B"), (1536, "1.5 KiB"), (24_536_678, "23.4 MiB"), (1024**5, "1024.0 TiB")],
    units.count: [(987, "987"), (12_345, "12.3k"), (999_949, "999.9k"), (4_500_000, "4.5M"), (1.2e9, "1.2G")],
    units.latency: [
        (0.84, "840 µs"), (12.34, "12.3 ms"), (1240, "1.24 s"), (0.0005, "500 ns"), (90_000, "1m 30s"), (0, "0 s"),
    ],
    units.p_value: [(0.0312, "0.0312"), (3.1e-5, "3.1e-5"), (1e-20, "<1e-16"), (0.0, "<1e-16"), (1.0, "1")],
    units.timestamp: [(1_763_787_600.0, "2025-11-22T05:00:00Z"), (1e300, "1e300")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("write", "value", "words"),
    [pytest.param(write, *case, id=f"{write.__name__}-{case[0]}") for write, cases in CASES.items() for case in cases],
)
def test_values_read_as_people_write_them(write, value, words):
    assert write(value) == words


@pytest.mark.parametrize("write", list(CASES), ids=lambda write: write.__name__)
def test_what_nobody_knows_is_a_dash_and_never_0(write):
    assert write(None) == "–"


@pytest.mark.parametrize(
    ("change", "direction", "tone"),
    [(0.1, "higher", "good"), (0.1, "lower", "bad"), (-0.1, "lower", "good"), (0.1, None, ""), (0.0, "higher", "")],
)
def test_a_change_is_good_or_bad_only_where_the_direction_is_known(change, direction, tone):
    assert units.delta_tone(change, direction) == tone


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (12.34, "ms", "12.3 ms"), (0.321, "share", "32.1 %"), (2048, "bytes", "2.0 KiB"), (92, "duration", "1m 32s"),
        (3.5, "USD", "3.5 USD"), (math.nan, "USD", "NaN"), (7, "", "7"), (None, "ms", "–"), (1e-30, "p", "<1e-16"),
        (1_763_787_600.0, "time", "2025-11-22 05:00:00"), (1_763_787_600.0, "date", "2025-11-22"),
    ],
)  # fmt: skip
def test_a_unit_decides_how_its_values_are_written(value, unit, words):
    assert units.value(value, unit) == words


def test_local_times_carry_their_offset():
    assert units.timestamp(1_763_787_600.0, timezone(timedelta(hours=1))) == "2025-11-22 06:00:00+01:00"
