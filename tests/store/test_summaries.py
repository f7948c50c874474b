"""Summaries of stretches: what a row a step tells is what points in any order tell."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.store.summaries import SUMMARY_COLUMNS, summarize

VALUES = st.one_of(st.floats(-5, 5), st.sampled_from([float("nan"), float("inf"), float("-inf")]))


def by_hand(code, step, wall, value, offset):
    """One series after the other, in plain Python."""
    rows = []
    for series in range(int(code.max()) + 1):
        at = [place for place in range(len(code)) if code[place] == series]
        last = max(at, key=lambda place: (step[place], place))
        first = min(at, key=lambda place: (step[place], place))
        finite = [value[place] for place in at if np.isfinite(value[place])]
        walls = [wall[place] for place in at if not np.isnan(wall[place])]
        rows.append(
            (
                len(at), len(at) - len(finite), value[first], step[first], min(walls, default=np.nan), value[last],
                step[last], wall[last], offset[last], min(finite, default=np.nan), max(finite, default=np.nan),
            )
        )  # fmt: skip
    return rows


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 6), st.booleans())
def test_tables_and_points_in_any_order_are_summed_up_alike(data, width, rows, shuffled):
    n = width * rows
    code = np.tile(np.arange(width, dtype=np.uint16), rows)
    if shuffled:
        code = np.array(data.draw(st.permutations(code.tolist())), dtype=np.uint16)
    step = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), np.int64)
    if data.draw(st.booleans()):
        step = np.sort(step)
    wall = np.array(data.draw(st.lists(st.one_of(st.floats(0, 9), st.just(float("nan"))), min_size=n, max_size=n)))
    value = np.array(data.draw(st.lists(VALUES, min_size=n, max_size=n)))
    offset = np.arange(n, dtype=np.int64) * 10
    found = summarize(code, step, wall, value, offset)
    for place, wanted in enumerate(by_hand(code, step, wall, value, offset)):
        for name, expected in zip(SUMMARY_COLUMNS, wanted, strict=True):
            np.testing.assert_equal(found[name][place], expected, err_msg=name)
