"""The small drawing beside a measurement puts value and limit on the right sides of each other."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from mltest.evidence import Measurement, Verdict
from mltest.reporters.gauge import gauge

numbers = st.floats(-1e9, 1e9)


@given(numbers, numbers, st.sampled_from(["lower", "higher"]))
def test_a_passed_value_is_drawn_inside_what_is_allowed_and_a_failed_one_is_not(
    value: float, limit: float, better: str
):
    measurement = Measurement("m", value, limit, better)  # type: ignore[arg-type]
    drawn = gauge(measurement)
    assert drawn is not None
    inside = drawn.allowed[0] <= drawn.value <= drawn.allowed[1]
    assume(abs(value - limit) > 1e-6 * max(1.0, abs(value), abs(limit)))
    assert inside == (measurement.verdict() is Verdict.PASSED)


@given(numbers, st.floats(0, 1e6), st.floats(0, 1e6), numbers)
def test_everything_is_drawn_within_the_frame_and_in_order(value: float, below: float, above: float, limit: float):
    drawn = gauge(Measurement("m", value, limit, ci=(value - below, value + above)))
    assert drawn is not None
    assert 0 <= drawn.low <= drawn.value <= drawn.high <= 100
    assert 0 <= drawn.limit <= 100


def test_an_unbounded_interval_reaches_the_edge():
    drawn = gauge(Measurement("m", 3.0, 2.0, ci=(2.5, None)))
    assert drawn is not None
    assert drawn.high == 100


def test_without_value_or_limit_there_is_nothing_to_draw():
    assert gauge(Measurement("m", None, 1.0)) is None
    assert gauge(Measurement("m", 1.0)) is None
    assert gauge(Measurement("m", 1.7e308, -1.7e308)) is None
