"""What a feed may tell a running server: flights as more becomes known of them, and hourly weather."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from reference_system.flight_request import Delay, RequestError, ScheduledFlight, plain_json, printable

Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class FlightEvent(ScheduledFlight):
    """A flight in the timetable, at push-back (`dep_delay`) or after landing (the rest); minutes."""

    dep_delay: Delay | None = None
    arr_time: Annotated[int, Field(ge=0, le=2400)] | None = None
    arr_delay: Finite | None = None
    air_time: Finite | None = None


class WeatherReport(BaseModel):
    """The report of one clock hour, which `time_hour` begins (ISO with offset); units as in the raw table."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    time_hour: str
    origin: Literal["EWR", "JFK", "LGA"]
    temp: Finite | None = None
    dewp: Finite | None = None
    humid: Finite | None = None
    wind_dir: Finite | None = None
    wind_speed: Finite | None = None
    wind_gust: Finite | None = None
    precip: Finite | None = None
    pressure: Finite | None = None
    visib: Finite | None = None

    @field_validator("time_hour")
    @classmethod
    def _is_an_instant(cls, value: str) -> str:
        if datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("must carry an offset from UTC")
        return value


class Events(BaseModel):
    """One message of a feed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    flights: Annotated[list[FlightEvent], Field(max_length=5_000)] = []
    weather: Annotated[list[WeatherReport], Field(max_length=5_000)] = []

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Raw rows by table."""
        return {
            "flights": [event.model_dump() for event in self.flights],
            "weather": [report.model_dump() for report in self.weather],
        }


_EVENTS = TypeAdapter(Events)


def parse(body: bytes) -> Events:
    """The events of a body. Raises RequestError that names the field."""
    try:
        return _EVENTS.validate_python(plain_json(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise RequestError(printable(field), printable(first["msg"])) from error
