"""A run's status, judged from evidence by an engineer who does not guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from workbench.core.status import STATE_MARKS, Evidence, judge

NOW = 1_767_614_400.0  # 2026-01-05 12:00:00 UTC
HOUR = 3600.0


def seen(ago: float, **changes: object) -> Evidence:
    return replace(Evidence(data_at=NOW - ago), **changes)  # type: ignore[arg-type]


def test_data_coming_in_is_running() -> None:
    assert judge(seen(5), NOW) == ("running", "data is coming in")


def test_silence_becomes_quiet_with_the_moment_it_began() -> None:
    assert judge(seen(HOUR), NOW) == (
        "quiet",
        "no new data since 2026-01-05T11:00:00Z; the format has no end marker",
    )
    assert judge(seen(HOUR, marks_end=True), NOW)[1].endswith("no end line was written")


def test_a_year_of_silence_is_still_only_quiet_where_nothing_says_more() -> None:
    assert judge(seen(365 * 24 * HOUR), NOW)[0] == "quiet"


@pytest.mark.parametrize("flush", [240.0, 1000.0])
def test_nothing_is_made_of_a_silence_shorter_than_the_flush_interval(flush: float) -> None:
    assert judge(seen(flush - 1, flush_interval=flush), NOW)[0] == "running"
    assert judge(seen(flush - 1, flush_interval=flush, host_is_here=True, pid_alive=False), NOW)[0] == "running"
    assert judge(seen(flush + 1, flush_interval=flush), NOW)[0] == "quiet"


def test_a_run_that_evaluates_for_ten_minutes_at_a_time_is_allowed_to() -> None:
    assert judge(seen(1100, second_longest_gap=600.0), NOW)[0] == "running"
    assert judge(seen(1300, second_longest_gap=600.0), NOW)[0] == "quiet"


def test_what_the_writer_said_at_its_end_holds() -> None:
    assert judge(seen(HOUR, ended="finished", ended_at=NOW - HOUR), NOW) == ("finished", "ended by itself")
    assert judge(seen(HOUR, ended="failed", ended_reason="ValueError: nan loss"), NOW) == (
        "failed",
        "ValueError: nan loss",
    )
    assert judge(seen(HOUR, ended="failed", ended_reason="exit code 137"), NOW) == ("failed", "exit code 137")
    assert judge(seen(HOUR, ended="killed", ended_reason="SIGTERM"), NOW) == ("failed", "killed: SIGTERM")


def test_new_data_after_the_end_revives_a_run() -> None:
    ended = Evidence(ended="failed", ended_reason="preempted", ended_at=NOW - HOUR, data_at=NOW - HOUR + 1)
    assert judge(ended, NOW)[0] == "failed", "the last lines of the dying process are no resumption"
    assert judge(replace(ended, data_at=NOW - 10), NOW) == ("running", "data is coming in")


def test_a_loss_that_is_no_number_any_more_fails_a_run_that_ended_or_fell_silent() -> None:
    diverged = seen(HOUR, not_a_number=("train/loss",))
    assert judge(diverged, NOW)[0] == "failed"
    assert judge(replace(diverged, ended="finished"), NOW) == (
        "failed",
        "ended, but the last value of train/loss is not finite",
    )
    assert judge(replace(diverged, data_at=NOW - 3), NOW)[0] == "running", "while it runs, it runs"
    assert judge(seen(HOUR, not_a_number=("val/auc",), ended="finished"), NOW)[0] == "finished"


def test_a_process_that_is_gone_without_an_end_line_is_lost() -> None:
    gone = seen(60, host_is_here=True, pid_alive=False, marks_end=True)
    status, reason = judge(gone, NOW)
    assert status == "lost"
    assert reason == "the process is gone without an end line; no new data since 2026-01-05T11:59:00Z"
    assert judge(replace(gone, data_at=NOW - 2), NOW)[0] == "running", "its last lines may be on their way"
    assert judge(replace(gone, host_is_here=False), NOW)[0] == "running", "a pid of another host says nothing"


def test_a_process_that_lives_but_is_silent_is_quiet_never_lost() -> None:
    assert judge(seen(60, host_is_here=True, pid_alive=True), NOW) == ("running", "the process is alive")
    status, reason = judge(seen(24 * HOUR, host_is_here=True, pid_alive=True, promised_at=NOW - 20 * HOUR), NOW)
    assert status == "quiet"
    assert reason.endswith("the process is alive")


def test_a_promise_is_waited_for_and_a_promise_long_broken_is_a_loss() -> None:
    promise = seen(HOUR, promised_at=NOW + 60, marks_end=True)
    assert judge(promise, NOW)[0] == "running"
    assert judge(promise, NOW + 60 + 4)[0] == "running"
    assert judge(promise, NOW + 60 + 10) == (
        "quiet",
        "no new data since 2026-01-05T11:00:00Z; promised to be back at 2026-01-05T12:01:00Z",
    )
    status, reason = judge(promise, NOW + 60 + 3 * 180 + 1)
    assert status == "lost"
    assert reason.startswith("promised to be back at 2026-01-05T12:01:00Z")


def test_all_steps_done_is_finished_and_an_unknown_total_never_is() -> None:
    assert judge(seen(HOUR, total_steps=1000, last_step=1000), NOW) == ("finished", "all 1,000 steps are logged")
    assert judge(seen(HOUR, total_steps=1000, last_step=999), NOW)[0] == "finished", "steps that count from 0"
    assert judge(seen(60, total_steps=1000, last_step=999), NOW)[0] == "running", "or the last but one from 1"
    assert judge(seen(HOUR, total_steps=1000, first_step=1, last_step=999), NOW)[0] == "quiet", "which it began at"
    assert judge(seen(HOUR, total_steps=1000, last_step=900), NOW)[0] == "quiet"
    assert judge(seen(HOUR, total_steps=None, last_step=999), NOW)[0] == "quiet"
    alive = seen(60, total_steps=1000, last_step=1000, host_is_here=True, pid_alive=True)
    assert judge(alive, NOW)[0] == "running", "it is still saving or evaluating"


def test_clocks_that_are_ahead_and_runs_without_a_line_are_taken_calmly() -> None:
    assert judge(seen(-HOUR), NOW)[0] == "running"
    assert judge(Evidence(), NOW) == ("running", "nothing logged yet")


evidence = st.builds(
    Evidence,
    ended=st.sampled_from([None, "finished", "failed", "killed"]),
    ended_at=st.none() | st.floats(NOW - 1e5, NOW),
    data_at=st.none() | st.floats(NOW - 1e6, NOW + 1e3),
    second_longest_gap=st.none() | st.floats(0, 1e4),
    flush_interval=st.floats(0, 1e4),
    promised_at=st.none() | st.floats(NOW - 1e5, NOW + 1e5),
    total_steps=st.none() | st.integers(0, 10),
    last_step=st.none() | st.integers(0, 12),
    pid_alive=st.none() | st.booleans(),
    host_is_here=st.booleans(),
    marks_end=st.booleans(),
    not_a_number=st.sampled_from([(), ("loss",), ("lr",)]),
)


@given(evidence)
def test_every_verdict_has_a_reason_and_is_borne_out_by_evidence(case: Evidence) -> None:
    status, reason = judge(case, NOW)
    assert status in STATE_MARKS and reason
    silent = 0.0 if case.data_at is None else NOW - case.data_at
    if status == "lost":
        assert (case.host_is_here and case.pid_alive is False) or case.promised_at is not None
    if status == "finished" and case.ended is None:
        assert case.total_steps is not None
    if silent < case.flush_interval and case.ended is None:
        assert status == "running"
