"""Raw tables as they come from upstream, and the few cells known to be wrong.

``load`` is the only door to the data: every later step takes the mapping it returns and reads no file of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

RawTables = Mapping[str, pa.Table]

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "nycflights13"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "flights": (
        "date",
        "sched_dep_time",
        "dep_delay",
        "sched_arr_time",
        "arr_time",
        "arr_delay",
        "air_time",
        "carrier",
        "flight",
        "tailnum",
        "origin",
        "dest",
        "distance",
    ),
    "weather": (
        "time_hour",
        "origin",
        "temp",
        "dewp",
        "humid",
        "wind_dir",
        "wind_speed",
        "wind_gust",
        "precip",
        "pressure",
        "visib",
    ),
    "planes": ("tailnum", "year", "model", "seats"),
    "destinations": ("dest", "latitude", "longitude", "zone"),
    "erasures": ("tailnum",),
}


class DataError(ValueError):
    """Raw data is missing or unreadable; the message names the file and the remedy in one line."""


@dataclass(frozen=True, slots=True)
class QuarantinedCell:
    """One published value that is certainly wrong; it is loaded as null. ``key`` identifies the row."""

    table: str
    key: Mapping[str, object]
    column: str
    reason: str


QUARANTINE: tuple[QuarantinedCell, ...] = (
    QuarantinedCell(
        "weather",
        {"origin": "EWR", "time_hour": datetime(2013, 2, 12, 8, tzinfo=UTC)},
        "wind_speed",
        "1,048 mph is no wind on Earth; the hours around it report 7 to 9 mph",
    ),
    QuarantinedCell(
        "weather",
        {"origin": "JFK", "time_hour": datetime(2013, 5, 9, 2, tzinfo=UTC)},
        "temp",
        "13.1 between 57.0 and 57.2 degrees Fahrenheit is a Celsius value",
    ),
    QuarantinedCell(
        "weather",
        {"origin": "JFK", "time_hour": datetime(2013, 5, 9, 2, tzinfo=UTC)},
        "dewp",
        "12.02 between 48.9 and 53.6 degrees Fahrenheit is a Celsius value",
    ),
)


def load(folder: Path | None = None, *, origins: Collection[str] | None = None, until: date | None = None) -> RawTables:
    """The tables ``flights``, ``weather``, ``planes``, ``destinations`` and ``erasures``; quarantined cells are null.

    ``origins`` keeps only these departure airports, ``until`` only what is dated before that day (New York local date
    for flights, UTC for weather); both leave the reference tables whole.

    Raises:
        DataError: a file is missing, unreadable or lacks a column.
    """
    tables = without_quarantined(read(folder or FOLDER))
    flights, weather = tables["flights"], tables["weather"]
    if origins is not None:
        wanted = pa.array(sorted(origins), pa.string())
        flights = flights.filter(pc.is_in(flights["origin"], wanted))
        weather = weather.filter(pc.is_in(weather["origin"], wanted))
    if until is not None:
        flights = flights.filter(pc.less(flights["date"], pa.scalar(until, pa.date32())))
        midnight = datetime(until.year, until.month, until.day, tzinfo=UTC)
        weather = weather.filter(pc.less(weather["time_hour"], pa.scalar(midnight, weather["time_hour"].type)))
    return {**tables, "flights": flights, "weather": weather}


def read(folder: Path) -> RawTables:
    """The tables exactly as published, known defects included.

    Raises:
        DataError: a file is missing, unreadable or lacks a column.
    """
    return {name: _read_one(folder / f"{name}.parquet", columns) for name, columns in COLUMNS.items()}


def without_quarantined(tables: RawTables, cells: Collection[QuarantinedCell] = QUARANTINE) -> RawTables:
    """``tables`` with each cell of ``cells`` set to null; rows that are not there are passed over."""
    cleaned = dict(tables)
    for cell in cells:
        table = cleaned[cell.table]
        wrong = pa.scalar(True)
        for column, value in cell.key.items():
            wrong = pc.and_(wrong, pc.equal(table[column], pa.scalar(value, table[column].type)))
        position = table.column_names.index(cell.column)
        values = pc.if_else(wrong, pa.scalar(None, table[cell.column].type), table[cell.column])
        cleaned[cell.table] = table.set_column(position, cell.column, values)
    return cleaned


def _read_one(path: Path, columns: tuple[str, ...]) -> pa.Table:
    remedy = "run fixtures/nycflights13/rebuild.py or name the folder that holds it"
    if not path.is_file():
        raise DataError(f"{path}: file not found; {remedy}")
    try:
        present = pq.read_schema(path).names
        missing = [name for name in columns if name not in present]
        if missing:
            raise DataError(f"{path}: column {missing[0]!r} is missing; {remedy}")
        return pq.read_table(path, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        first_line = str(error).partition("\n")[0]
        raise DataError(f"{path}: not a readable parquet file ({first_line}); {remedy}") from error
