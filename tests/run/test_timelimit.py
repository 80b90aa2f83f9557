"""Time limits of probes."""

import signal
import time

import pytest

from mltest.run import timelimit


def test_code_that_sleeps_too_long_is_interrupted():
    started = time.monotonic()
    with pytest.raises(timelimit.ProbeTimeout, match=r"0\.2 s"), timelimit.limit(0.2):
        time.sleep(30)
    assert time.monotonic() - started < 10


def test_a_broad_except_does_not_swallow_the_limit():
    def stubborn() -> None:
        while True:
            try:
                time.sleep(30)
            except Exception:
                continue

    with pytest.raises(timelimit.ProbeTimeout), timelimit.limit(0.2):
        stubborn()


def test_the_timer_of_somebody_else_is_put_back():
    previous = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        with timelimit.limit(1):
            pass
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 50 < left <= 60
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_shorter_limit_of_somebody_else_comes_first():
    previous = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        with timelimit.limit(60):
            assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
