"""Single features of the online store: those asked for, the same values as all together, and nothing else looked up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reference_system import row_features
from reference_system.catalogue import FEATURES
from reference_system.readiness.lookups import EtaLookup
from tests.reference_system.flown_days import AUTUMN_STOPS, features_of_some_days, raw_rows, some_days
from tests.reference_system.test_online import END_OF_YEAR, store_of_all_days

FLIGHTS = raw_rows(features_of_some_days()["flight_id"].to_pylist()[:40], landed=False)


def same(one: list[Any], other: list[Any]) -> bool:
    return all(a == b or (a is None and b is None) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", [feature.name for feature in FEATURES])
def test_a_feature_asked_for_alone_has_the_value_that_it_has_among_all(name: str) -> None:
    everything = store_of_all_days().columns(FLIGHTS)
    alone = store_of_all_days().columns(FLIGHTS, names=[name])
    assert set(alone) == {name}
    assert same(alone[name], everything[name])


def test_nothing_is_looked_up_for_a_feature_of_the_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of_all_days()
    asked: list[str] = []
    look_up = store._value

    def noted(feature: Any, row: Any, moment: float) -> float:
        asked.append(feature.name)
        return look_up(feature, row, moment)

    monkeypatch.setattr(store, "_value", noted)
    assert store.columns(FLIGHTS[:1], names=["distance"])["distance"] == [FLIGHTS[0]["distance"]]
    assert asked == []
    store.columns(FLIGHTS[:1], names=["wind_to_east"])
    assert set(asked) == {"wind_speed", "wind_from", "pressure", "weather_age"}


def test_every_block_yields_the_inputs_that_it_is_said_to() -> None:
    assert {feature.name for feature in FEATURES} == row_features.INPUTS == set(store_of_all_days().columns(FLIGHTS))


def test_no_name_gives_no_column() -> None:
    assert store_of_all_days().columns(FLIGHTS, names=()) == {}
    assert row_features.windows_read(()) == frozenset()


def test_the_lookup_gives_the_named_features_of_every_request_of_its_window() -> None:
    lookup = EtaLookup(some_days(), END_OF_YEAR)
    asked = lookup.records(some_days(), (AUTUMN_STOPS, AUTUMN_STOPS + timedelta(hours=12)))
    found = lookup.values(asked, ["dest", "departures_15min"])
    assert set(found) == {"dest", "departures_15min"}
    assert found["dest"] == [record["dest"] for record in asked]
    assert len(found["departures_15min"]) == len(asked) > 0
