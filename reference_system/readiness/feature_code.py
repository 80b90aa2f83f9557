"""Where the code of every model input lies, and which of the system's own tests are about it.

The tests named are the sharp ones that run in a fraction of a second, in `tests/features`: values worked out by hand
for what a row tells, and every window told once more in plain Python. The slower ones, over days really flown, run with
all the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from mltest.offers.feature_code import EquivalentMutant, FeatureCode
from reference_system.catalogue import GROUPS
from reference_system.declarations import WINDOW_FEATURES, LastEvents, WindowFeature

ROWS, CLOCKS = "reference_system/row_features.py", "reference_system/flights.py"
DECLARED, SQL = "reference_system/declarations.py", "reference_system/window_sql.py"
LOOKED_UP, LOG = "reference_system/references.py", "reference_system/event_log.py"
READ = "reference_system/records.py"

_READING = f"{CLOCKS}:seconds_of_clock"
_TO_UTC = (f"{CLOCKS}:local_to_utc", f"{CLOCKS}:_offsets", f"{CLOCKS}:_offset_of_hour")
_TO_LOCAL = (f"{CLOCKS}:utc_to_local", f"{CLOCKS}:minute_of_day", f"{CLOCKS}:_offsets")
_PLANES = (f"{LOOKED_UP}:References.from_raw.planes", f"{LOOKED_UP}:References.from_raw[Plane(_number(year)]")
_PLACES = (f"{LOOKED_UP}:References.from_raw.places", f"{LOOKED_UP}:References.from_raw[Destination(_number(lat)]")

_OF_ROWS: dict[str, tuple[str, ...]] = {
    "scheduled_elapsed": (
        f'{ROWS}:_schedule["scheduled_elapsed"]',
        f"{ROWS}:facts.elapsed",
        f"{CLOCKS}:scheduled_elapsed",
        f"{CLOCKS}:_in_zones",
        _READING,
        *_TO_UTC,
    ),
    "distance": (f'{ROWS}:_schedule["distance"]', f"{READ}:NUMBER_COLUMNS"),
    "scheduled_departure_minute": (f'{ROWS}:_schedule["scheduled_departure_minute"]', _READING),
    "estimated_arrival_minute": (
        f"{ROWS}:_schedule.arrival",
        f'{ROWS}:_schedule["estimated_arrival_minute"]',
        f"{CLOCKS}:arrival_clock",
        f"{CLOCKS}:departure_instants",
        *_TO_LOCAL,
    ),
    "destination_latitude": (
        f'{ROWS}:_schedule["destination_latitude"]',
        f'{LOOKED_UP}:References.destination_columns["latitude"]',
        *_PLACES,
    ),
    "destination_longitude": (
        f'{ROWS}:_schedule["destination_longitude"]',
        f'{LOOKED_UP}:References.destination_columns["longitude"]',
        *_PLACES,
    ),
    **dict.fromkeys(("carrier", "origin", "dest"), (f'{ROWS}:_categories["carrier"]', f"{READ}:TEXT_COLUMNS")),
    "day_of_week": (f"{ROWS}:_categories.weekday", f"{ROWS}:WEEKDAYS"),
    "scheduled_hour": (f"{ROWS}:_categories.hours",),
    "departure_delay": (f'{ROWS}:_departure["departure_delay"]', f"{READ}:NUMBER_COLUMNS"),
    "departure_minute": (
        f"{ROWS}:_departure.local",
        f"{CLOCKS}:departure_instants",
        _READING,
        *_TO_LOCAL,
    ),
    "plane_age": (
        f"{ROWS}:_plane.year",
        f'{ROWS}:_plane["plane_age"]',
        f'{LOOKED_UP}:References.plane_columns["plane_year"]',
        *_PLANES,
    ),
    "plane_seats": (f'{ROWS}:_plane["plane_seats"]', f'{LOOKED_UP}:References.plane_columns["plane_seats"]', *_PLANES),
    "plane_model": (f'{ROWS}:_categories["plane_model"]', f"{LOOKED_UP}:References.plane_columns", *_PLANES),
}
_OF_WEATHER: dict[str, tuple[str, ...]] = {
    name: (f"{ROWS}:_weather.speed", f"{ROWS}:_weather.steady", f'{ROWS}:_weather["{name}"]', f"{DECLARED}:_weather")
    for name in ("wind_to_east", "wind_to_north")
} | {"pressure_missing": (f'{ROWS}:_weather["pressure_missing"]', f'{DECLARED}:WEATHER["weather_age"]')}
_ENTRIES = {
    "wind_speed": 'WEATHER["wind_speed"]',
    "precipitation": 'WEATHER["precipitation"]',
    "visibility": 'WEATHER["visibility"]',
    "humidity": 'WEATHER["humidity"]',
    "departures_15min": "CONGESTION[departures_{minutes}min]",
    "departures_60min": "CONGESTION[departures_{minutes}min]",
    "departure_delay_15min": "CONGESTION[departure_delay_{minutes}min]",
    "departure_delay_60min": "CONGESTION[departure_delay_{minutes}min]",
    "destination_recent_taxi": "RECENT[destination_recent_{value}]",
    "destination_recent_air_time": "RECENT[destination_recent_{value}]",
    "origin_recent_deviation_3h": "RECENT[origin_recent_{value.removeprefix]",
    "origin_recent_deviation_12h": "RECENT[origin_recent_{value.removeprefix]",
    "origin_recent_taxi_3h": "RECENT[origin_recent_{value.removeprefix]",
    "origin_recent_taxi_12h": "RECENT[origin_recent_{value.removeprefix]",
    "band_recent_air_time_6h": "RECENT[band_recent_air_time_{hours}h]",
    "band_recent_air_time_24h": "RECENT[band_recent_air_time_{hours}h]",
}
"""Where the declaration of a feature is one of several that are written in one."""
ROW_TESTS = "tests/features/test_rows.py"
WINDOW_TESTS = "tests/features/test_windows.py"
DECLARATION_TESTS = "tests/features/test_declarations.py"
ALL_TOLD = "test_every_declared_input_is_told_by_hand"


_EQUIVALENT = (
    (
        SQL,
        "first = features[0]",
        "first = features[ -1]",
        "the features of one query have events and keys in common, so that any of them tells",
    ),
    *(
        (
            DECLARED,
            f"LastEvents(1, within={hours} * HOURS),",
            f"LastEvents( 2, within={hours} * HOURS),",
            "an age is that of the latest event, however many count",
        )
        for hours in (2, 24)
    ),
)


def feature_code() -> tuple[FeatureCode, ...]:
    """One entry a model input."""
    return tuple(_entries())


def _entries() -> Iterator[FeatureCode]:
    for name, places in _OF_ROWS.items():
        tests = tuple(f"{ROW_TESTS}::{test}[{name}]" for test in ("test_row", "test_row_of_the_batch"))
        if f"{CLOCKS}:minute_of_day" in places:
            tests = (*tests, f"{ROW_TESTS}::test_a_minute_lasts_until_the_next_one")
        yield FeatureCode(name, places, tests)
    for name, places in _OF_WEATHER.items():
        yield FeatureCode(name, places, (f"{WINDOW_TESTS}::test_batch[{name}]",))
    for feature in WINDOW_FEATURES:
        if feature.model_input:
            tests = tuple(f"{WINDOW_TESTS}::{test}[{feature.name}]" for test in ("test_in_memory", "test_batch"))
            yield FeatureCode(feature.name, tuple(_of_window(feature)), (*tests, *_of_declaration(feature.name)))


def _of_declaration(name: str) -> tuple[str, ...]:
    return f"{WINDOW_TESTS}::{ALL_TOLD}", f"{DECLARATION_TESTS}::test_the_statistic_fits_the_window[{name}]"


def _of_window(feature: WindowFeature) -> Iterator[str]:
    """The declaration, the query and the look-up in memory that answer it, and what is taken off the result."""
    yield f"{DECLARED}:{_ENTRIES.get(feature.name) or _entry_of(feature.name)}"
    if feature.events == "weather":
        yield f"{DECLARED}:_weather"
    if feature.value_minus is not None:
        yield f"{DECLARED}:ROUTE_MEDIANS[{feature.value_minus}]"
    if feature.minus is not None:
        yield f"{ROWS}:_window"
    if isinstance(feature.window, LastEvents):
        yield from (f"{SQL}:_last_events", f"{SQL}:_source", f"{LOG}:EventLog.last_events")
        if feature.statistic in ("mean", "median"):
            yield from (f"{LOG}:_last_known", f"{LOG}:_without_null")
    elif feature.pending_until:
        yield from (f"{SQL}:_pending", f"{LOG}:EventLog.span")
    else:
        yield from (f"{SQL}:_spans", f"{SQL}:_edges", f"{SQL}:_between", f"{LOG}:EventLog.span")


def _entry_of(name: str) -> str:
    group = next(group for group, members in GROUPS.items() if name in {member.name for member in members})
    return f'{group}["{name}"]'


def equivalent_mutants() -> tuple[EquivalentMutant, ...]:
    """Changes that nobody could notice, each looked at once."""
    return tuple(EquivalentMutant(*told, "eta-features") for told in _EQUIVALENT)
