"""Damages of single columns, as feeds suffer them, to ask of a schema whether it would have noticed.

Each damage is a function of a column that returns the damaged column, or None where it would mean nothing there: a
text has no unit, and a value that the column holds anyway is no sentinel. A damage that changes no value is an
equivalent mutant and is not counted (Breck et al. 2017, Data 1; DeMillo et al. 1978 on mutants).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

BURST = 0.2
"""Share of the rows that lose their value in a burst of nulls, or that take a category nobody knows."""
SPIKE = 0.01
"""Share of the rows that hold a sentinel or a value out of range."""
KILOMETRES = 1.609
SENTINELS = (-999.0, 9999.0)
BEYOND = 10.0
"""How many spans of the seen values a value out of range lies beyond them."""

TYPE_CHANGES = ("type changed to text", "type changed to codes")
NOT_OF_VALUES = ("burst of nulls", "column missing", "repeated rows", *TYPE_CHANGES)
"""Damages that any schema with types and columns notices, whatever it knows of the values."""

Damage = Callable[[pa.Array], pa.Array | None]


@dataclass(frozen=True)
class Mutant:
    """A copy of a clean batch with one damage; `column` is empty for a damage of whole rows."""

    column: str
    damage: str
    rows: pa.Table


def mutants(batch: pa.Table, columns: Sequence[str], keys: Sequence[str] = ()) -> Iterator[Mutant]:
    """Every damage of every named column of `batch` that changes something, then repeated rows if there are keys."""
    for name in columns:
        column = batch.column(name).combine_chunks()
        for damage, function in damages_of(column.type):
            damaged = function(column)
            if damaged is not None and not _same(column, damaged):
                yield Mutant(name, damage, batch.set_column(batch.column_names.index(name), name, damaged))
        yield Mutant(name, "column missing", batch.drop_columns([name]))
    present = [key for key in keys if key in batch.column_names]
    if present and batch.num_rows:
        again = batch.slice(0, max(1, round(SPIKE * batch.num_rows)))
        yield Mutant("", "repeated rows", pa.concat_tables([batch, again]))


def damages_of(kind: pa.DataType) -> tuple[tuple[str, Damage], ...]:
    """The damages that a column of this type can suffer, by name."""
    value = kind.value_type if pt.is_dictionary(kind) else kind
    if pt.is_integer(value) or pt.is_floating(value) or pt.is_decimal(value):
        return _OF_NUMBERS
    if pt.is_string(value) or pt.is_large_string(value) or pt.is_string_view(value):
        return _OF_TEXT
    if pt.is_temporal(value):
        return (("burst of nulls", _nulls), ("type changed to text", _as_text), ("year 2999", _far_future))
    return (("burst of nulls", _nulls), ("type changed to text", _as_text))


def _nulls(column: pa.Array) -> pa.Array | None:
    """A fifth of the rows lose a value that they had: all there are, where fewer have one."""
    known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    if known.size == 0:
        return None
    wanted = min(known.size, max(1, round(BURST * len(column))))
    lost = np.zeros(len(column), dtype=bool)
    lost[known[_spread(known.size, wanted)]] = True
    return pc.if_else(pa.array(lost), pa.scalar(None, type=column.type), column)


def _times(factor: float, offset: float = 0.0) -> Damage:
    return lambda column: _numbers_changed(column, lambda values: (values + offset) * factor)


def _holds(value: float) -> Damage:
    """A value that stands for missing, in single rows; none where the column holds numbers on both sides of it."""

    def change(column: pa.Array) -> pa.Array | None:
        seen = _known(column)
        if seen.size == 0 or seen.min() <= value <= seen.max():
            return None
        return _spiked(column, value)

    return change


def _out_of_range(column: pa.Array) -> pa.Array | None:
    seen = _known(column)
    if seen.size == 0:
        return None
    span = float(seen.max() - seen.min()) or max(abs(float(seen.max())), 1.0)
    return _spiked(column, float(seen.max()) + BEYOND * span)


def _spiked(column: pa.Array, value: float) -> pa.Array:
    rows = np.zeros(len(column), dtype=bool)
    rows[_spread(len(column), max(1, round(SPIKE * len(column))))] = True
    return _numbers_changed(column, lambda values: np.where(rows, value, values))


def _numbers_changed(column: pa.Array, change: Callable[[np.ndarray], np.ndarray]) -> pa.Array:
    """Integers stay integers of their type where they fit, as in a feed whose type did not change."""
    values = _floats(column)
    changed = change(values)
    result = pa.array(changed, mask=np.isnan(changed), type=pa.float64())
    if pt.is_integer(column.type):
        rounded = pa.array(np.rint(np.nan_to_num(changed)), mask=np.isnan(changed), type=pa.float64())
        try:
            return rounded.cast(column.type)
        except pa.ArrowInvalid:
            return rounded.cast(pa.int64(), safe=False)
    return result.cast(column.type, safe=False) if pt.is_floating(column.type) else result


def _as_text(column: pa.Array) -> pa.Array:
    plain = column.dictionary_decode() if pt.is_dictionary(column.type) else column
    return plain.cast(pa.string())


def _as_codes(column: pa.Array) -> pa.Array:
    encoded = _as_text(column).dictionary_encode()
    return encoded.indices.cast(pa.int64())


def _words(spell: Callable[[pa.Array], pa.Array]) -> Damage:
    """A fifth of the rows spelt otherwise."""

    def change(column: pa.Array) -> pa.Array | None:
        words = _as_text(column)
        rows = np.zeros(len(column), dtype=bool)
        rows[_spread(len(column), max(1, round(BURST * len(column))))] = True
        spelt = pc.if_else(pa.array(rows), spell(words), words)
        return spelt.dictionary_encode() if pt.is_dictionary(column.type) else spelt.cast(column.type)

    return change


def _unknown_word(words: pa.Array) -> pa.Array:
    return pc.if_else(words.is_valid(), pa.scalar(_unlike(words)), pa.scalar(None, pa.string()))


def _unlike(words: pa.Array) -> str:
    """A word that the column does not hold, of the form of one that it does: letters for letters, figures for figures.

    An expectation about the form alone does not notice it, and must not seem to know the words.
    """
    known = set(words.drop_null().unique().to_pylist())
    for word in sorted(known):
        for step in range(1, 26):
            new = "".join(_moved(character, step) for character in word)
            if new not in known:
                return new
    return "never-seen-before"


def _moved(character: str, step: int) -> str:
    for alphabet in (ascii_lowercase, ascii_uppercase, digits):
        if character in alphabet:
            return alphabet[(alphabet.index(character) + step) % len(alphabet)]
    return character


def _far_future(column: pa.Array) -> pa.Array | None:
    if not (pt.is_timestamp(column.type) or pt.is_date(column.type)):
        return None
    rows = np.zeros(len(column), dtype=bool)
    rows[_spread(len(column), max(1, round(SPIKE * len(column))))] = True
    future = pa.scalar("2999-01-01").cast(pa.timestamp("s")).cast(pa.timestamp("us")).cast(pa.int64())
    if pt.is_timestamp(column.type):
        late = pa.scalar(future.as_py(), pa.timestamp("us", tz=column.type.tz))
        try:
            return pc.if_else(pa.array(rows), late.cast(column.type), column)
        except pa.ArrowInvalid:
            return None
    return pc.if_else(pa.array(rows), pa.scalar("2999-01-01").cast(pa.date32()).cast(column.type), column)


def _spread(count: int, wanted: int) -> np.ndarray:
    """`wanted` positions spread evenly over `count`, so that no part of the batch is spared."""
    return np.unique(np.linspace(0, count - 1, num=wanted).round().astype(np.intp))


def _floats(column: pa.Array) -> np.ndarray:
    plain = column.dictionary_decode() if pt.is_dictionary(column.type) else column
    numbers = plain.cast(pa.float64(), safe=False)
    return np.asarray(numbers.fill_null(float("nan")).to_numpy(zero_copy_only=False), dtype=np.float64)


def _known(column: pa.Array) -> np.ndarray:
    values = _floats(column)
    return np.asarray(values[np.isfinite(values)], dtype=np.float64)


def _same(before: pa.Array, after: pa.Array) -> bool:
    return bool(before.type == after.type and before.equals(after))


_OF_NUMBERS: tuple[tuple[str, Damage], ...] = (
    ("burst of nulls", _nulls),
    ("unit factor 1.609", _times(KILOMETRES)),
    ("Fahrenheit to Celsius", _times(1 / 1.8, offset=-32.0)),
    ("sign flipped", _times(-1.0)),
    *((f"sentinel {value:g}", _holds(value)) for value in SENTINELS),
    ("value out of range", _out_of_range),
    ("type changed to text", _as_text),
)
_OF_TEXT: tuple[tuple[str, Damage], ...] = (
    ("burst of nulls", _nulls),
    ("category nobody knows", _words(_unknown_word)),
    ("trailing blank", _words(lambda words: pc.binary_join_element_wise(words, pa.scalar(" "), ""))),
    ("other case", _words(lambda words: pc.utf8_swapcase(words))),
    ("type changed to codes", _as_codes),
)
