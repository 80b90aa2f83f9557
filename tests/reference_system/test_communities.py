"""Groups of people: every place and carrier has one, the lists do not overlap, and none of them is a model input."""

from __future__ import annotations

import numpy as np

from reference_system import communities, raw
from reference_system.catalogue import FEATURES


def groups_of(*pairs: tuple[str, str]) -> dict[str, list[str]]:
    dest, carrier = (np.array(column, dtype=object) for column in zip(*pairs, strict=True))
    return {name: column.tolist() for name, column in communities.columns_of(dest, carrier).items()}


def test_each_flight_has_one_community_and_one_kind_of_carrier():
    found = groups_of(("SJU", "B6"), ("STT", "AA"), ("BTV", "EV"), ("ATL", "DL"), ("XYZ", "ZZ"))
    assert found == {
        "community": ["territory", "territory", "small", "large", "large"],
        "carrier_kind": ["mainline", "mainline", "regional", "mainline", "mainline"],
    }


def test_lists_do_not_overlap_and_name_only_what_flights_have():
    flights = raw.load()["flights"]
    destinations, carriers = set(flights["dest"].to_pylist()), set(flights["carrier"].to_pylist())
    assert not communities.SMALL_COMMUNITIES & set(communities.TERRITORIES)
    assert destinations >= communities.SMALL_COMMUNITIES | set(communities.TERRITORIES)
    assert carriers >= set(communities.REGIONAL_CARRIERS)


def test_no_group_is_read_by_the_model():
    assert not {feature.name for feature in FEATURES} & set(communities.COLUMNS)
