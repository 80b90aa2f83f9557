from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import flight_events, flight_request
from reference_system.flight_request import RequestError

FLIGHT: dict[str, Any] = {
    "date": "2013-11-05",
    "carrier": "UA",
    "flight": 1128,
    "tailnum": "N38727",
    "origin": "LGA",
    "dest": "IAH",
    "sched_dep_time": 1859,
    "sched_arr_time": 2159,
    "dep_delay": 19,
    "distance": 1416,
}


def body(**changes: Any) -> bytes:
    return json.dumps({**FLIGHT, **changes}).encode()


def refused(content: bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        flight_request.parse(content)
    return caught.value


def test_one_flight_and_many_are_told_apart() -> None:
    one, many = flight_request.parse(body())
    assert (len(one), many) == (1, False)
    listed, many = flight_request.parse(json.dumps({"flights": [FLIGHT, FLIGHT]}).encode())
    assert (len(listed), many) == (2, True)
    assert one[0] == listed[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("carrier", "ua"),
        ("carrier", "UA\n"),
        ("carrier", "\ud800"),
        ("carrier", 7),
        ("date", "2013-02-30"),
        ("date", "1900-01-01"),
        ("date", "2999-01-01"),
        ("flight", "1_0"),
        ("flight", "٣"),
        ("flight", True),
        ("flight", 1.5),
        ("sched_dep_time", 1275),
        ("sched_arr_time", 2401),
        ("dep_delay", 1e6),
        ("dep_delay", "NaN"),
        ("dep_delay", True),
        ("dep_delay", None),
        ("distance", -1),
        ("origin", "SFO"),
        ("dest", "../x"),
        ("tailnum", "x" * 9),
        ("model", "../../x"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(field: str, value: Any) -> None:
    assert refused(body(**{field: value})).field == field


def test_a_flight_to_its_own_origin_is_refused() -> None:
    assert "must differ" in refused(body(dest="LGA")).message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"dep_delay": NaN}', "NaN is not a finite number"),
        (b'{"dep_delay": -Infinity}', "not a finite number"),
        (b'{"dep_delay": 1e999}', "too large"),
        (b'{"dep_delay": 1, "dep_delay": 2}', "given twice"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5_000, "not JSON"),
        (b"\xff\xfe{}", "not JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "expected one flight"),
        (b'{"flights": []}', "1 to 1000"),
        (b'{"flights": [3]}', "expected an object"),
        (b'{"flights": [], "carrier": "UA"}', "nothing may stand beside"),
    ],
)
def test_a_body_that_is_no_request_is_refused_in_words(content: bytes, message: str) -> None:
    assert message in str(refused(content))


def test_the_wrong_one_of_many_is_named() -> None:
    content = json.dumps({"flights": [FLIGHT, {**FLIGHT, "distance": 0}]}).encode()
    assert refused(content).field == "flights.1.distance"


def test_more_flights_than_allowed_are_refused() -> None:
    assert refused(json.dumps({"flights": [FLIGHT] * 1_001}).encode()).field == "flights"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*FLIGHT, "flights", "other"]), json_values) | json_values)
def test_whatever_is_sent_is_either_parsed_or_refused_in_plain_words(plain: Any) -> None:
    said = answer_to(json.dumps(plain).encode())
    assert said.isascii()
    assert said.isprintable()


def answer_to(content: bytes) -> str:
    """The refusal of a body, or nothing."""
    try:
        flight_request.parse(content)
    except RequestError as error:
        return str(error)
    return ""


def test_events_tell_what_is_known_so_far() -> None:
    scheduled = {name: value for name, value in FLIGHT.items() if name != "dep_delay"}
    landed = {**FLIGHT, "arr_time": 2140, "arr_delay": -19, "air_time": 200}
    report = {"time_hour": "2013-11-05T10:00:00+00:00", "origin": "LGA", "temp": 50.0}
    rows = flight_events.parse(json.dumps({"flights": [scheduled, landed], "weather": [report]}).encode()).rows()
    assert [row["dep_delay"] for row in rows["flights"]] == [None, 19]
    assert rows["flights"][1]["air_time"] == 200
    assert rows["weather"][0]["pressure"] is None


def test_a_report_without_an_offset_is_refused() -> None:
    with pytest.raises(RequestError, match=r"weather\.0\.time_hour.*offset"):
        flight_events.parse(b'{"weather": [{"time_hour": "2013-11-05T10:00:00", "origin": "LGA"}]}')
