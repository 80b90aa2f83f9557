"""Every window feature once more, in plain Python over a list of flights, as its description tells it.

Nothing here looks at the declarations or at SQL: it is slow, short, and says what the fast code must say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from statistics import mean, median
from typing import Any

import numpy as np

NOON = 1_370_260_800
MINUTE, HOUR = 60, 3_600
Flight = Mapping[str, Any]


class Day:
    """A made-up history: flights of two airports and reports of their weather."""

    def __init__(self, flights: Sequence[Flight], reports: Sequence[Flight]) -> None:
        self.flights, self.reports = tuple(flights), tuple(reports)

    @cached_property
    def landings(self) -> list[Flight]:
        return in_order([f for f in self.flights if f["landed_at"] is not None], "landed_at")

    @cached_property
    def left(self) -> dict[str, int]:
        """When each flight left that did."""
        return {f["flight_id"]: f["pushed_back_at"] for f in self.flights if f["pushed_back_at"] is not None}

    @cache  # noqa: B019 - a handful of days live as long as the tests
    def agreeing(self, keys: tuple[str, ...], wanted: tuple[Any, ...]) -> list[Flight]:
        """Landings with these values of the keys, in order; unknown agrees with nothing."""
        return [] if None in wanted else [f for f in self.landings if tuple(f[key] for key in keys) == wanted]

    def landed(self, moment: int, flight: Flight, *same: str) -> list[Flight]:
        """Landings strictly before the moment that agree with the flight, in order."""
        agreeing = self.agreeing(same, tuple(flight[key] for key in same))
        return [f for f in agreeing if f["landed_at"] < moment]

    @cache  # noqa: B019 - as above
    def unusual_values(self, value: str) -> dict[str, float]:
        """The value of each landing against the median of the route's last hundred at its own push-back, by flight."""
        return {
            flight["flight_id"]: flight[value]
            - typical(values(self.landed(flight["pushed_back_at"], flight, "origin", "dest"), value)[-100:])
            for flight in self.landings
            if flight[value] is not None
        }

    def unusual(self, moment: int, flight: Flight, value: str, *same: str) -> list[tuple[int, float]]:
        """When they landed and by how much they were unusual, of the landings of which that is known."""
        by = self.unusual_values(value)
        found = [(f["landed_at"], by.get(f["flight_id"], math.nan)) for f in self.landed(moment, flight, *same)]
        return [(landed, unusual) for landed, unusual in found if not math.isnan(unusual)]

    def report(self, moment: int, flight: Flight) -> Flight | None:
        """The latest complete report of the origin, if it is no older than two hours."""
        earlier = [r for r in self.reports if r["origin"] == flight["origin"] and r["available_at"] < moment]
        latest = max(earlier, key=lambda r: r["available_at"], default=None)
        return None if latest is None or moment - latest["available_at"] > 2 * HOUR else latest

    def out_of(self, flight: Flight, when: str, begin: int, end: int) -> list[Flight]:
        """Flights of the same origin whose instant lies from `begin` (with it) to `end` (without it)."""
        here = [f for f in self.flights if f["origin"] == flight["origin"] and f[when] is not None]
        return [f for f in here if begin <= f[when] < end]


def in_order(flights: Sequence[Flight], when: str) -> list[Flight]:
    return sorted(flights, key=lambda flight: (flight[when], flight["flight_id"]))


def values(flights: Sequence[Flight], name: str) -> list[float]:
    return [flight[name] for flight in flights if flight[name] is not None]


def typical(numbers: Sequence[float]) -> float:
    return float(median(numbers)) if numbers else math.nan


def average(numbers: Sequence[float]) -> float:
    return float(mean(numbers)) if numbers else math.nan


def level(value: str, last: int, *same: str) -> Callable[[Day, int, Flight], float]:
    return lambda day, moment, flight: typical(values(day.landed(moment, flight, *same), value)[-last:])


def against_schedule(value: str) -> Callable[[Day, int, Flight], float]:
    told = level(value, 100, "origin", "dest")
    return lambda day, moment, flight: told(day, moment, flight) - flight["scheduled_elapsed"]


def recent(value: str, *same: str) -> Callable[[Day, int, Flight], float]:
    """The mean of the last five, each against its route's median."""
    return lambda day, moment, flight: average([v for _, v in day.unusual(moment, flight, value, *same)[-5:]])


def within(hours: int, value: str, *same: str) -> Callable[[Day, int, Flight], float]:
    """The mean over the landings of the last hours, each against its route's median."""
    return lambda day, moment, flight: average(
        [v for landed, v in day.unusual(moment, flight, value, *same) if landed >= moment - hours * HOUR]
    )


def deviation_within(hours: int) -> Callable[[Day, int, Flight], float]:
    def told(day: Day, moment: int, flight: Flight) -> float:
        late = [f for f in day.landed(moment, flight, "origin") if f["landed_at"] >= moment - hours * HOUR]
        return average(values(late, "block_deviation"))

    return told


def age_of_landing(day: Day, moment: int, flight: Flight) -> float:
    latest = max((f["landed_at"] for f in day.landed(moment, flight, "dest")), default=-math.inf)
    return (moment - latest) / MINUTE if moment - latest <= 24 * HOUR else math.nan


def reported(name: str) -> Callable[[Day, int, Flight], float]:
    def told(day: Day, moment: int, flight: Flight) -> float:
        latest = day.report(moment, flight)
        return math.nan if latest is None or latest[name] is None else float(latest[name])

    return told


def wind(turn: Callable[[float], float]) -> Callable[[Day, int, Flight], float]:
    """The part of the wind that blows along an axis; a wind without a direction blows nowhere."""

    def told(day: Day, moment: int, flight: Flight) -> float:
        speed, comes_from = reported("wind_speed")(day, moment, flight), reported("wind_dir")(day, moment, flight)
        return speed * (0.0 if math.isnan(comes_from) else turn(math.radians(comes_from + 180)))

    return told


def pressure_missing(day: Day, moment: int, flight: Flight) -> float:
    latest = day.report(moment, flight)
    return math.nan if latest is None else float(latest["pressure"] is None)


def pushed_back(minutes: int) -> Callable[[Day, int, Flight], float]:
    return lambda day, m, flight: float(len(day.out_of(flight, "pushed_back_at", m - minutes * MINUTE, m)))


def mean_delay(minutes: int) -> Callable[[Day, int, Flight], float]:
    return lambda day, m, flight: average(
        values(day.out_of(flight, "pushed_back_at", m - minutes * MINUTE, m), "dep_delay")
    )


def scheduled(begin: int, end: int) -> Callable[[Day, int, Flight], float]:
    return lambda day, m, flight: float(
        len(day.out_of(flight, "scheduled_departure", m + begin * MINUTE, m + end * MINUTE))
    )


def overdue(day: Day, moment: int, flight: Flight) -> float:
    due = day.out_of(flight, "scheduled_departure", moment - 3 * HOUR, moment)
    return float(sum(f["pushed_back_at"] is None or f["pushed_back_at"] >= moment for f in due))


TOLD: Mapping[str, Callable[[Day, int, Flight], float]] = {
    "wind_speed": reported("wind_speed"),
    "precipitation": reported("precip"),
    "visibility": reported("visib"),
    "humidity": reported("humid"),
    "wind_to_east": wind(math.sin),
    "wind_to_north": wind(math.cos),
    "pressure_missing": pressure_missing,
    "departures_15min": pushed_back(15),
    "departures_60min": pushed_back(60),
    "departure_delay_15min": mean_delay(15),
    "departure_delay_60min": mean_delay(60),
    "scheduled_last_60min": scheduled(-60, 0),
    "scheduled_next_30min": scheduled(0, 30),
    "overdue_flights": overdue,
    "route_elapsed_level": against_schedule("elapsed"),
    "route_air_time_level": against_schedule("air_time"),
    "carrier_route_deviation_level": level("block_deviation", 60, "origin", "dest", "carrier"),
    "flight_number_deviation_level": level("block_deviation", 10, "carrier", "flight", "origin", "dest"),
    "destination_recent_deviation": lambda day, m, f: average(values(day.landed(m, f, "dest"), "block_deviation")[-5:]),
    "destination_recent_age": age_of_landing,
    "destination_recent_taxi": recent("taxi", "dest"),
    "destination_recent_air_time": recent("air_time", "dest"),
    "origin_recent_deviation_3h": deviation_within(3),
    "origin_recent_deviation_12h": deviation_within(12),
    "origin_recent_taxi_3h": within(3, "taxi", "origin"),
    "origin_recent_taxi_12h": within(12, "taxi", "origin"),
    "route_recent_air_time": recent("air_time", "origin", "dest"),
    "band_recent_air_time_6h": within(6, "air_time", "band"),
    "band_recent_air_time_24h": within(24, "air_time", "band"),
}

PLACES = (("BOS", "band4"), ("DCA", "band4"), ("ORD", "band2"), ("XXX", None))


def made_up_day(seed: int = 0, flights: int = 320) -> Day:
    """Two days of flights: most instants on a grid of five minutes, so that windows often end on an event.

    One route has more than a hundred landings, one destination so few that it has none within a day.
    """
    chance = np.random.default_rng(seed)
    made = [_flight(chance, number) for number in range(flights)]
    made += [{**_flight(chance, 1_000 + n), **RARE, **_at(n)} for n in (-4_500, -3_030, -1_500, 0)]
    reports = [
        _report(chance, origin, hour)
        for origin in ("EWR", "JFK")
        for hour in range(-34, 2)
        if hour % 7 not in (0, 1, 2)
    ]
    order = chance.permutation(len(made))
    return Day([made[place] for place in order], reports)


RARE = {"dest": "HNL", "band": "band0"}
"""Where so few land that the one before is half an hour short of a day away, half an hour more, or just a day."""


def _at(landed: int) -> dict[str, int]:
    return {"pushed_back_at": NOON + (landed - 60) * MINUTE, "landed_at": NOON + landed * MINUTE}


def _flight(chance: np.random.Generator, number: int) -> Flight:
    often = chance.random() < 0.6
    dest, band = PLACES[0] if often else PLACES[int(chance.integers(0, len(PLACES)))]
    left = NOON - int(chance.integers(0, 30 * 12)) * 5 * MINUTE + int(chance.choice([0, 0, 0, 1, -1]))
    elapsed, taxi = float(chance.integers(50, 90)), float(chance.integers(8, 40))
    delay = float(chance.integers(-2, 40)) * 5
    gone, arrived, timed = chance.random() > 0.04, chance.random() > 0.06, chance.random() > 0.1
    return {
        "flight_id": f"F{chance.integers(0, 10_000):04d}-{number}",
        "carrier": "UA" if often or chance.random() < 0.5 else "AA",
        "flight": int(chance.integers(1, 4)),
        "origin": "EWR" if often or chance.random() < 0.5 else "JFK",
        "dest": dest,
        "band": band,
        "scheduled_departure": left - int(delay) * MINUTE,
        "pushed_back_at": left if gone else None,
        "landed_at": left + int(elapsed) * MINUTE if gone and arrived else None,
        "dep_delay": delay if gone else None,
        "scheduled_elapsed": float(chance.integers(50, 90)),
        "elapsed": elapsed if gone and arrived else None,
        "air_time": elapsed - taxi if gone and arrived and timed else None,
        "taxi": taxi if gone and arrived and timed else None,
        "block_deviation": float(chance.integers(-30, 60)) if gone and arrived else None,
    }


def _report(chance: np.random.Generator, origin: str, hour: int) -> Flight:
    def number(most: int) -> float | None:
        return float(chance.integers(0, most)) if chance.random() > 0.2 else None

    return {
        "flight_id": f"{hour}",
        "origin": origin,
        "available_at": NOON + hour * HOUR,
        "wind_dir": number(360),
        "wind_speed": number(40),
        "precip": number(3),
        "visib": number(10),
        "humid": number(100),
        "pressure": number(40),
    }
