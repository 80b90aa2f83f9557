"""What a client may ask: flights that push back now, checked field by field before anything is computed.

The body is parsed here and not by the web framework, because a repeated key, a NaN or an infinite number must be an
answer that names the field and never a surprise further in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

LARGEST_BATCH = 1_000
FIRST_YEAR, LAST_YEAR = 2000, 2099
Delay = Annotated[float, Field(ge=-120, le=2_880, allow_inf_nan=False)]


class RequestError(ValueError):
    """A request that is refused: `field` is where, the message says what is expected there."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class ScheduledFlight(BaseModel):
    """One flight of the timetable; clocks are HHMM in local time (departure in New York), `distance` is in miles."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="scheduled local day, ISO")]
    carrier: Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]
    flight: Annotated[int, Field(ge=1, le=9_999)]
    tailnum: Annotated[str | None, Field(pattern=r"^[A-Z0-9]{1,8}$")] = None
    origin: Literal["EWR", "JFK", "LGA"]
    dest: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    sched_dep_time: Annotated[int, Field(ge=0, le=2400)]
    sched_arr_time: Annotated[int, Field(ge=0, le=2400)]
    distance: Annotated[float, Field(gt=0, le=12_000, allow_inf_nan=False)]

    @field_validator("date")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        if not FIRST_YEAR <= date.fromisoformat(value).year <= LAST_YEAR:
            raise ValueError(f"year must be from {FIRST_YEAR} to {LAST_YEAR}")
        return value

    @field_validator("sched_dep_time", "sched_arr_time")
    @classmethod
    def _is_a_clock(cls, value: int) -> int:
        if value % 100 > 59:
            raise ValueError("minutes of HHMM must be below 60")
        return value

    @model_validator(mode="after")
    def _leaves(self) -> Self:
        if self.origin == self.dest:
            raise ValueError("origin and dest must differ")
        return self


class FlightRequest(ScheduledFlight):
    """A flight at its push-back: `dep_delay` is in minutes from scheduled departure to push-back."""

    dep_delay: Delay


def parse(body: bytes) -> tuple[list[FlightRequest], bool]:
    """The flights of a body, and whether they came as a list `{"flights": [...]}`.

    Raises RequestError for anything else.
    """
    plain = plain_json(body)
    if not isinstance(plain, dict):
        raise RequestError("body", 'expected one flight as an object, or {"flights": [...]}')
    if "flights" not in plain:
        return [_flight(plain, "")], False
    flights = plain["flights"]
    if len(plain) > 1:
        raise RequestError("body", "nothing may stand beside flights")
    if not isinstance(flights, list) or not 1 <= len(flights) <= LARGEST_BATCH:
        raise RequestError("flights", f"expected a list of 1 to {LARGEST_BATCH} flights")
    return [_flight(entry, f"flights.{index}.") for index, entry in enumerate(flights)], True


def plain_json(body: bytes) -> Any:
    """The JSON value of a body. Raises RequestError for a repeated key, NaN, infinity, or no JSON at all."""
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refused_constant,
            parse_float=_finite,
        )
    except RequestError:
        raise
    except (ValueError, RecursionError) as error:
        raise RequestError("body", f"not JSON in UTF-8 ({type(error).__name__})") from error


def printable(text: str) -> str:
    """`text` as short plain ASCII: what a client sent may hold control characters or half a surrogate pair."""
    return text.encode("ascii", "backslashreplace").decode().replace("\n", "\\n").replace("\x1b", "\\x1b")[:200]


def _flight(plain: Any, where: str) -> FlightRequest:
    if not isinstance(plain, dict):
        raise RequestError(where.rstrip(".") or "body", "expected an object")
    try:
        return FlightRequest.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = where + ".".join(str(part) for part in first["loc"])
        raise RequestError(printable(field.rstrip(".") or "body"), printable(first["msg"])) from error


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RequestError(printable(key), "is given twice")
        found[key] = value
    return found


def _refused_constant(text: str) -> NoReturn:
    raise RequestError("body", f"{text} is not a finite number")


def _finite(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf"):
        raise RequestError("body", "a number is too large")
    return value
