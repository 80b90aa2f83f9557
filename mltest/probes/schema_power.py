"""How many damages of a clean batch a schema refuses: its kill ratio, with the survivors by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.probes import schema_mutation
from mltest.probes.pandera_schemas import Refusal
from mltest.stats.rates import Rate, kill_ratio

BATCH = 2_000


@dataclass(frozen=True)
class Asked:
    """A damage, and whether the schema refused it; `column` is empty for a damage of whole rows."""

    column: str
    damage: str
    refused: bool


@dataclass(frozen=True)
class Protection:
    """How many damages of one kind or of one column are refused."""

    of: str
    refused: int
    tried: int

    @property
    def share(self) -> float:
        """The refused part of the tried ones."""
        return self.refused / self.tried


@dataclass(frozen=True)
class Power:
    """Every damage asked about, the share refused, and columns whose clean batch is refused already."""

    asked: tuple[Asked, ...]
    refused_clean: tuple[str, ...]
    batch_rows: int

    @property
    def rate(self) -> Rate:
        """The kill ratio, over all damages."""
        return kill_ratio(sum(each.refused for each in self.asked), len(self.asked))

    @property
    def survivors(self) -> tuple[Asked, ...]:
        """The damages that the schema accepts."""
        return tuple(each for each in self.asked if not each.refused)

    def of_columns(self) -> tuple[Protection, ...]:
        """Of every column, the damages of its values (unit, sentinel, range, category), the least protected first."""
        about = [each for each in self.asked if each.damage not in schema_mutation.NOT_OF_VALUES]
        return _by(lambda each: each.column, about)

    def of_types(self) -> Protection | None:
        """Changes of the type of a column; None where there is no column."""
        found = _by(lambda _: "changes of type", [a for a in self.asked if a.damage in schema_mutation.TYPE_CHANGES])
        return found[0] if found else None

    def worst(self, most: int = 8) -> str:
        """The survivors by column, the column with most of them first, in words."""
        by_column: dict[str, list[str]] = {}
        for survivor in self.survivors:
            by_column.setdefault(survivor.column or "whole rows", []).append(survivor.damage)
        ranked = sorted(by_column.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        shown = [f"{column} ({', '.join(damages)})" for column, damages in ranked[:most]]
        return "; ".join(shown) + (f"; and {len(ranked) - most} more columns" if len(ranked) > most else "")


def power(schema: Any, rows: pa.Table, columns: Sequence[str], keys: Sequence[str] = ()) -> Power:
    """Damages `columns` of an even sample of `rows` one by one, and asks the schema about each damage.

    A column whose clean batch is refused cannot tell a damage from health: its damages are not counted.
    """
    batch = even_batch(rows)
    asked = Refusal(schema)
    present = [name for name in columns if name in batch.column_names]
    refused = tuple(name for name in present if asked.of_column(name, batch))
    unique = () if asked.of_keys(batch) else keys
    answers = []
    for mutant in schema_mutation.mutants(batch, [name for name in present if name not in refused], unique):
        noticed = asked.of_column(mutant.column, mutant.rows) if mutant.column else asked.of_keys(mutant.rows)
        answers.append(Asked(mutant.column, mutant.damage, noticed))
    return Power(tuple(answers), refused, batch.num_rows)


def _by(key: Callable[[Asked], str], asked: Sequence[Asked]) -> tuple[Protection, ...]:
    groups: dict[str, list[bool]] = {}
    for each in asked:
        groups.setdefault(key(each), []).append(each.refused)
    found = [Protection(of, sum(refused), len(refused)) for of, refused in groups.items()]
    return tuple(sorted(found, key=lambda each: (each.share, each.of)))


def even_batch(rows: pa.Table) -> pa.Table:
    """At most 2,000 rows, spread evenly, with NaN as null: neither is a value."""
    chosen = np.unique(np.linspace(0, max(rows.num_rows - 1, 0), min(rows.num_rows, BATCH)).round().astype(np.int64))
    batch = rows.take(pa.array(chosen))
    for position, name in enumerate(batch.column_names):
        column = batch.column(name)
        if pa.types.is_floating(column.type):
            plain = pa.array(column.to_numpy(), type=column.type, from_pandas=True)
            batch = batch.set_column(position, name, plain)
    return batch
