"""Measurements, verdicts and the findings that follow."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import (
    Evidence,
    EvidenceMisuse,
    Finding,
    Measurement,
    ReasonCode,
    Verdict,
    Withheld,
    finding_from_json,
    finding_to_json,
)

numbers = st.floats(-1e6, 1e6)


def test_a_value_on_its_limit_passes_in_either_direction():
    assert Measurement("m", 1.0, limit=1.0, better="lower").verdict() is Verdict.PASSED
    assert Measurement("m", 1.0, limit=1.0, better="higher").verdict() is Verdict.PASSED


@pytest.mark.parametrize(
    ("ci", "expected"),
    [
        ((0.1, 0.9), Verdict.PASSED),
        ((0.5, 1.5), Verdict.NOT_DEMONSTRATED),
        ((1.1, 1.9), Verdict.FAILED),
        ((None, 0.9), Verdict.PASSED),
        ((0.5, None), Verdict.NOT_DEMONSTRATED),
    ],
)
def test_all_of_an_interval_must_lie_on_one_side(ci, expected):
    assert Measurement("m", 1.0, limit=1.0, ci=ci).verdict() is expected


@given(numbers, numbers, st.floats(0, 1e3), st.floats(0, 1e3))
def test_better_higher_is_the_mirror_of_better_lower(value, limit, below, above):
    low, high = value - below, value + above
    lower = Measurement("m", value, limit=limit, ci=(low, high), better="lower")
    higher = Measurement("m", -value, limit=-limit, ci=(-high, -low), better="higher")
    assert lower.verdict() is higher.verdict()


@given(st.sampled_from([math.nan, math.inf, -math.inf, None]), st.sampled_from(["lower", "higher"]))
def test_what_is_no_number_decides_nothing(value, better):
    evidence = Evidence("x.y")
    measurement = evidence.measure("m", value, limit=1, better=better)
    assert measurement.value is None
    assert evidence.judge()[0] is Verdict.NOT_DEMONSTRATED


def test_text_is_refused_as_a_number():
    with pytest.raises(EvidenceMisuse, match="is text"):
        Evidence("x.y").measure("m", "3", limit=1)


def test_an_interval_that_is_upside_down_is_refused():
    with pytest.raises(EvidenceMisuse, match="upside down"):
        Evidence("x.y").measure("m", 3, limit=1, ci=(4, 2))


def test_a_direction_that_does_not_exist_is_refused():
    with pytest.raises(EvidenceMisuse, match="'lower' or 'higher'"):
        Evidence("x.y").measure("m", 3, limit=1, better="up")  # type: ignore[arg-type]


def test_one_failed_measurement_fails_the_probe_and_every_one_is_named():
    evidence = Evidence("x.y")
    evidence.measure("good", 1, limit=2)
    evidence.measure("bad", 3, limit=2, unit="min")
    evidence.measure("worse", 9, limit=2)
    verdict, message, code = evidence.judge()
    assert (verdict, code) == (Verdict.FAILED, None)
    assert message == "bad is 3 min, allowed is at most 2 min; worse is 9, allowed is at most 2"


def test_a_failure_outweighs_what_is_undecided():
    evidence = Evidence("x.y")
    evidence.measure("open", 1, limit=1.1, ci=(0, 2), n=5)
    evidence.measure("bad", 3, limit=2)
    assert evidence.judge()[0] is Verdict.FAILED


def test_nothing_recorded_is_not_demonstrated():
    assert Evidence("x.y").judge()[0] is Verdict.NOT_DEMONSTRATED


def test_a_limit_of_the_configuration_takes_over_and_relaxing_is_seen():
    evidence = Evidence("x.y", limits={"ratio": 1.5, "coverage": 0.5})
    relaxed = evidence.measure("ratio", 1.4, limit=1.2)
    assert (relaxed.limit, relaxed.relaxed) == (1.5, True)
    assert evidence.measure("coverage", 0.9, limit=0.8, better="higher").relaxed
    assert not Evidence("x.y", limits={"ratio": 1.1}).measure("ratio", 1.0, limit=1.2).relaxed


def test_a_measurement_without_a_limit_cannot_be_given_one_by_the_configuration():
    assert Evidence("x.y", limits={"seen": 3.0}).measure("seen", 9).limit is None


def test_withholding_carries_its_reason_code():
    with pytest.raises(Withheld) as caught:
        Evidence("x.y").withhold("too old: train again", "stale")
    assert caught.value.code is ReasonCode.STALE


def test_a_pass_without_a_measurement_cannot_be_built():
    with pytest.raises(EvidenceMisuse, match="no measurement"):
        Finding("x.y", "p", True, Verdict.PASSED, "fine")


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.NOT_DEMONSTRATED, None), (Verdict.FAILED, ReasonCode.STALE), (Verdict.ERROR, ReasonCode.NOT_RUN)],
)
def test_a_reason_code_belongs_to_not_demonstrated_alone(verdict, code):
    with pytest.raises(EvidenceMisuse, match="reason code"):
        Finding("x.y", "p", True, verdict, "so", code)


@given(
    st.lists(
        st.builds(
            Measurement,
            name=st.text(max_size=20),
            value=st.none() | numbers,
            limit=st.none() | numbers,
            better=st.sampled_from(["lower", "higher"]),
            unit=st.text(max_size=5),
            ci=st.none() | st.tuples(st.none() | numbers, st.none() | numbers),
            n=st.none() | st.integers(0, 10**9),
        ),
        max_size=4,
    ),
    st.text(max_size=50),
)
def test_a_finding_survives_the_way_through_json(measurements, message):
    finding = Finding("x.y", "p", False, Verdict.FAILED, message, measurements=tuple(measurements))
    text = finding_to_json(finding)
    assert finding_from_json(text) == finding
    assert json.loads(text)["verdict"] == "failed"


def test_only_figures_and_tables_can_be_attached():
    evidence = Evidence("x.y")
    evidence.attach("plot", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    evidence.attach("rows", '[{"a": 1}]')
    assert [a.kind for a in evidence.attachments] == ["svg", "table"]
    for content in ("<html></html>", "3", '{"a": 1}', '[{"a": [1]}]', "[" * 5000 + "]" * 5000):
        with pytest.raises(EvidenceMisuse, match="neither SVG nor"):
            evidence.attach("page", content)
    with pytest.raises(EvidenceMisuse, match="no UTF-8"):
        evidence.attach("plot", b"<svg>\xe9</svg>")


@pytest.mark.parametrize("limit", [float("nan"), float("inf")])
def test_a_limit_is_a_number_beyond_which_something_can_lie(limit: float):
    with pytest.raises(EvidenceMisuse, match="nothing could lie beyond it"):
        Evidence("x.y").measure("loss", 1, limit=limit)


def test_an_interval_that_would_have_to_be_a_million_times_narrower_names_no_n():
    assert Evidence("x.y").measure("loss", 0.0, limit=1e-200, ci=(-1, 1), n=10).needed() is None
