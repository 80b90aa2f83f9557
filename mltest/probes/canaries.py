"""Values that exist nowhere else, one a sensitive raw column, and the columns that an upstream could add tomorrow.

A canary has the kind and, as far as that leaves it unmistakable, the shape of what it replaces: letters stay letters,
digits digits, numbers lie within the usual range. Beside each goes a decoy of the same shape that is planted nowhere:
what finds a decoy has found chance.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.offers.privacy import PrivacyPolicy
from mltest.probes.nonce import overwritten, unused_values
from mltest.system import RawColumn
from mltest.tables.rows import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    Random = np.random.Generator

SHORTEST = 5
"""Letters and digits that a text needs to be unmistakable among a few megabytes."""
SHARE_OF_TEXTS = 0.2
"""Share of the rows that a text takes: enough to enter the vocabulary of whatever encodes it."""
SHARE_OF_NUMBERS = 0.02
"""Share of the rows that a number takes: few, so that no median or mean is the canary by right."""
_WIDEST_DATES = 36_500


@dataclass(frozen=True)
class Canary:
    """`value` was planted in `column`, `decoy` nowhere; `new` are columns that no upstream has yet."""

    column: RawColumn
    value: Any
    decoy: Any
    new: bool = False

    @property
    def name(self) -> str:
        """Such as `trips.driver`; the value itself is never told."""
        return f"{self.column.table}.{self.column.column}" + (" (a new column)" if self.new else "")


@dataclass(frozen=True)
class Planted:
    """Raw tables with canaries in them. `untraceable` are sensitive columns too narrow for an unmistakable value.

    `subject` is the canary of the policy's subject column, and `extended` the same tables with the new columns too.
    """

    raw: Mapping[str, pa.Table]
    extended: Mapping[str, pa.Table]
    canaries: tuple[Canary, ...]
    subject: Any
    untraceable: tuple[RawColumn, ...]


def require_columns(raw: Mapping[str, Any], policy: PrivacyPolicy) -> None:
    """Raises Withheld when the policy is empty, or speaks of what the raw tables do not have."""
    if not policy.sensitive:
        raise Withheld("the privacy policy names no sensitive column: name what leads to a person", _MISSING)
    for place in (*policy.sensitive, policy.subject, policy.erasures):
        if place.table not in raw:
            raise Withheld(f"raw() gives no table {place.table!r}, of which the privacy policy speaks", _MISSING)
        if place.column not in to_arrow(raw[place.table]).column_names:
            raise Withheld(
                f"the raw table {place.table!r} has no column {place.column!r}, of which the privacy policy speaks: "
                "restore it, or correct the policy",
                _MISSING,
            )


def plant(raw: Mapping[str, Any], policy: PrivacyPolicy, random: Random) -> Planted:
    """Replaces some values of every sensitive column, and adds an e-mail, a name and a telephone number to each table.

    Raises Withheld when a sensitive column has no rows.
    """
    tables = {name: to_arrow(table) for name, table in raw.items()}
    canaries: list[Canary] = []
    untraceable: list[RawColumn] = []
    subject = None
    wanted = dict.fromkeys((*policy.sensitive, policy.subject))
    for place in wanted:
        column = tables[place.table].column(place.column)
        if len(column) - column.null_count == 0:
            raise Withheld(
                f"{place.table}.{place.column} holds no value: nothing can be planted", ReasonCode.TOO_LITTLE_DATA
            )
        value, decoy = (_like(column, random) for _ in range(2))
        if value is not None:
            canaries.append(Canary(place, value, decoy))
        else:
            untraceable.append(place)
            if place != policy.subject:
                continue
            value = unused_values(column, 1)[0]
        subject = value if place == policy.subject else subject
        rows = _rows_for(column, value if place != policy.subject else "")
        tables[place.table] = overwritten(tables[place.table], place.column, dict.fromkeys(rows, value))
    sensitive = tuple(canary for canary in canaries if canary.column in policy.sensitive)
    narrow = tuple(place for place in untraceable if place in policy.sensitive)
    return _extended(Planted(tables, tables, sensitive, subject, narrow), {*wanted, *policy.public}, random)


def new_fields(planted: Planted, table: str) -> dict[str, Any]:
    """What a client would send in the new columns of a table."""
    return {c.column.column: c.value for c in planted.canaries if c.new and c.column.table == table}


def _extended(planted: Planted, declared: Collection[RawColumn], random: Random) -> Planted:
    """With new columns in every table that has rows; one that is there by that name, and undeclared, is taken over."""
    import pyarrow as pa

    tables = dict(planted.raw)
    added: list[Canary] = []
    for name, table in tables.items():
        if not table.num_rows:
            continue
        one, other = _personal(random), _personal(random)
        for field, value in one.items():
            place, values = RawColumn(name, field), pa.array([value] * table.num_rows, pa.string())
            if place in declared:
                continue
            added.append(Canary(place, value, other[field], new=True))
            at = table.schema.get_field_index(field)
            table = table.append_column(field, values) if at < 0 else table.set_column(at, field, values)
        tables[name] = table
    return replace(planted, extended=tables, canaries=(*planted.canaries, *added))


def _personal(random: Random) -> dict[str, str]:
    """An e-mail address, a name and a number of a country code that nobody has."""
    first, last = (_word(random, string.ascii_lowercase, 8) for _ in range(2))
    return {
        "crew_email": f"{first}.{last}{_word(random, string.digits, 3)}@example.org",
        "passenger_name": f"{first.title()} {_word(random, string.ascii_lowercase, 9).title()}",
        "contact_phone": f"+999{_word(random, '123456789', 9)}",
    }


def _word(random: Random, letters: str, length: int) -> str:
    return "".join(letters[int(i)] for i in random.integers(len(letters), size=length))


def _rows_for(column: Any, value: Any) -> list[int]:
    """Rows spread evenly; one row where every value is another, so that keys stay keys."""
    known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    distinct = len(column.drop_null().unique())
    if distinct == known.size:
        return [int(known[known.size // 2])]
    share = SHARE_OF_TEXTS if isinstance(value, str) else SHARE_OF_NUMBERS
    return [int(row) for row in known[:: max(1, round(1 / share))]]


def _like(column: Any, random: Random) -> Any:
    """A value of the column's kind that does not occur in it; None where there is no room for an unmistakable one."""
    import pyarrow.types as pt

    kind = column.type.value_type if pt.is_dictionary(column.type) else column.type
    known = set(column.drop_null().unique().to_pylist())
    if pt.is_string(kind) or pt.is_large_string(kind):
        return _text(known, random)
    if pt.is_integer(kind):
        return _integer(known, kind.bit_width, random)
    if pt.is_floating(kind):
        return _fraction(known, random)
    if pt.is_date(kind) or pt.is_timestamp(kind):
        return _day(known, random)
    return None


def _text(known: set[str], random: Random) -> str:
    """The longest shape, filled anew; longer where the column is too narrow to be told from chance."""
    pattern = max(sorted(known), key=lambda text: (sum(map(str.isalnum, text)), -len(text)))[:64]
    while sum(map(str.isalnum, pattern)) < SHORTEST + 1:
        pattern += "Q7"
    while True:
        made = "".join(_alike(sign, random) for sign in pattern)
        if made not in known:
            return made


def _alike(sign: str, random: Random) -> str:
    for letters in (string.ascii_uppercase, string.ascii_lowercase, string.digits):
        if sign in letters:
            return letters[int(random.integers(len(letters)))]
    return sign if sign in string.punctuation or sign == " " else "x"


def _integer(known: set[int], bits: int, random: Random) -> int | None:
    """Nine figures; within the range of the others where that is wide enough."""
    if bits < 32:
        return None
    low, high = min(known), max(known)
    low, high = (low, high) if high - low > 10**8 else (10**8, 10**9)
    while True:
        made = int(random.integers(low, high))
        if made not in known and abs(made) >= 10**7:
            return made


def _fraction(known: set[float], random: Random) -> float | None:
    """Between the quartiles, with more figures than chance repeats."""
    finite = np.array([value for value in known if value is not None and np.isfinite(value)])
    if not finite.size:
        return None
    low, high = np.quantile(finite, [0.25, 0.75])
    high = high if high > low else low + max(1.0, abs(float(low)))
    return float(f"{random.uniform(low, high):.12g}")


def _day(known: set[Any], random: Random) -> Any:
    """A day of the century before the first one known, at midnight."""
    first = min(known)
    made = first - timedelta(days=int(random.integers(1_000, _WIDEST_DATES)))
    return made if isinstance(made, date) and not isinstance(made, datetime) else made.replace(microsecond=0)


_MISSING = ReasonCode.PART_MISSING
