"""Reference tables: planes that are to be believed, destinations that are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from reference_system.references import References

RAW = {
    "planes": pa.table(
        {
            "tailnum": ["N1AA", "N2SM", "N3XX"],
            "year": pa.array([1999, 2005, None], pa.int16()),
            "model": ["737-800", "SR22", None],
            "seats": pa.array([149, 4, 20], pa.int16()),
        }
    ),
    "destinations": pa.table(
        {"dest": ["BOS"], "latitude": [42.36], "longitude": [-71.01], "zone": ["America/New_York"]}
    ),
}


def planes_of(*tails: str | None) -> dict[str, list[object]]:
    columns = References.from_raw(RAW).plane_columns(np.array(tails, dtype=object))
    return {name: values.tolist() for name, values in columns.items()}


def test_a_registered_plane_is_found_by_its_tail_number():
    assert planes_of("N1AA") == {"plane_year": [1999.0], "plane_seats": [149.0], "plane_model": ["737-800"]}


def test_a_number_re_assigned_to_a_small_plane_says_nothing():
    assert np.isnan(planes_of("N2SM")["plane_seats"]).all()
    assert planes_of("N2SM")["plane_model"] == ["unknown"]


def test_an_unknown_and_an_absent_tail_number_are_alike():
    found = planes_of("N9ZZ", None)
    assert np.isnan(found["plane_year"]).all()
    assert found["plane_model"] == ["unknown", "unknown"]


def test_a_plane_with_gaps_in_the_registry_keeps_the_rest():
    found = planes_of("N3XX")
    assert np.isnan(found["plane_year"]).all()
    assert found["plane_seats"] == [20.0]
    assert found["plane_model"] == ["unknown"]


def test_an_unknown_destination_has_no_place_and_no_clock():
    found = References.from_raw(RAW).destination_columns(np.array(["BOS", "XXX"], dtype=object))
    assert found["zone"].tolist() == ["America/New_York", None]
    assert found["latitude"][0] == 42.36
    assert np.isnan(found["longitude"][1])
