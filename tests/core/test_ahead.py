"""One result ahead: the order is kept, never two at once, and errors come where their result would."""

import signal
import threading

import pytest

from workbench.core.ahead import Begun, ahead


def test_results_come_in_order_and_one_is_under_way_while_another_is_used():
    began: list[int] = []
    second = threading.Event()

    def work(item: int) -> int:
        began.append(item)
        if item == 1:
            second.set()
        return item * 10

    results = ahead(work, range(4))
    assert next(results) == 0
    assert second.wait(10)
    assert began == [0, 1]
    assert [*results] == [10, 20, 30]


def test_an_error_is_raised_where_its_result_would_have_been():
    def work(item: int) -> int:
        if item == 1:
            raise ValueError("no")
        return item

    results = ahead(work, range(3))
    assert next(results) == 0
    with pytest.raises(ValueError, match="no"):
        next(results)


def test_nothing_is_under_way_when_it_is_closed_early():
    going, done = threading.Event(), threading.Event()

    def work(item: int) -> int:
        if item == 1:
            going.wait(10)
            done.set()
        return item

    results = ahead(work, range(5))
    assert next(results) == 0
    threading.Timer(0.0, going.set).start()
    results.close()  # type: ignore[attr-defined]
    assert done.is_set()


def test_an_interrupted_wait_leaves_nothing_under_way():
    waiting, handled, done = threading.Event(), threading.Event(), threading.Event()

    def work(item: int) -> int:
        if item == 1:
            waiting.set()
            handled.wait(10)
            done.set()
        return item

    def interrupted(*_: object) -> None:
        handled.set()
        raise KeyboardInterrupt

    def interrupt(thread: int) -> None:
        waiting.wait(10)
        signal.pthread_kill(thread, signal.SIGINT)

    def rest() -> None:
        threading.Thread(target=interrupt, args=(threading.get_ident(),)).start()
        list(results)

    results = ahead(work, range(3))
    usual = signal.signal(signal.SIGINT, interrupted)
    try:
        assert next(results) == 0
        with pytest.raises(KeyboardInterrupt):  # wherever it comes, most likely while it waits for the next one
            rest()
    finally:
        signal.signal(signal.SIGINT, usual)
    results.close()  # type: ignore[attr-defined]
    assert done.is_set()


def test_of_nothing_comes_nothing():
    assert [*ahead(str, [])] == []


def test_what_has_begun_goes_on_beside_and_its_error_is_told_when_it_is_asked_for():
    go = threading.Event()
    begun = Begun(lambda: go.wait(10))
    go.set()
    assert begun.result() is True

    def fail() -> None:
        raise OSError("full")

    failed = Begun(fail)
    failed.wait()
    with pytest.raises(OSError, match="full"):
        failed.result()
