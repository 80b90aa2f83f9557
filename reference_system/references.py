"""Look-ups in the reference tables: planes by tail number, destinations by code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# The registry is a later snapshot: an airliner's number re-assigned to a small private plane says nothing about 2013.
FEWEST_SEATS = 20
UNKNOWN = "unknown"


class Destination(NamedTuple):
    """Coordinates in degrees and the IANA time zone; NaN and None for a code that the table lacks."""

    latitude: float
    longitude: float
    zone: str | None


class Plane(NamedTuple):
    """Year built, seats and model; NaN and ``unknown`` where the registry is silent or not to be trusted."""

    year: float
    seats: float
    model: str


NOWHERE = Destination(math.nan, math.nan, None)
NO_PLANE = Plane(math.nan, math.nan, UNKNOWN)


@dataclass(frozen=True)
class References:
    """Both reference tables as dictionaries."""

    destinations: Mapping[str, Destination]
    planes: Mapping[str, Plane]

    @classmethod
    def from_raw(cls, raw: Mapping[str, pa.Table]) -> References:
        """Index the raw tables ``planes`` and ``destinations``; planes below ``FEWEST_SEATS`` seats are left out."""
        places = (raw["destinations"][name].to_pylist() for name in ("dest", "latitude", "longitude", "zone"))
        planes = (raw["planes"][name].to_pylist() for name in ("tailnum", "year", "seats", "model"))
        return cls(
            {dest: Destination(_number(lat), _number(lon), zone) for dest, lat, lon, zone in zip(*places, strict=True)},
            {
                tail: Plane(_number(year), float(seats), model or UNKNOWN)
                for tail, year, seats, model in zip(*planes, strict=True)
                if seats is not None and seats >= FEWEST_SEATS
            },
        )

    def destination_columns(self, dest: npt.NDArray[np.generic]) -> dict[str, npt.NDArray[np.generic]]:
        """``latitude``, ``longitude`` and ``zone`` per row."""
        found = [self.destinations.get(code, NOWHERE) for code in dest.tolist()]
        return {
            "latitude": np.array([place.latitude for place in found], dtype=np.float64),
            "longitude": np.array([place.longitude for place in found], dtype=np.float64),
            "zone": np.array([place.zone for place in found], dtype=object),
        }

    def plane_columns(self, tailnum: npt.NDArray[np.generic]) -> dict[str, npt.NDArray[np.generic]]:
        """``plane_year``, ``plane_seats`` and ``plane_model`` per row."""
        found = [self.planes.get(tail, NO_PLANE) for tail in tailnum.tolist()]
        return {
            "plane_year": np.array([plane.year for plane in found], dtype=np.float64),
            "plane_seats": np.array([plane.seats for plane in found], dtype=np.float64),
            "plane_model": np.array([plane.model for plane in found], dtype=object),
        }


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
