"""How many damages of a clean batch a schema refuses: its kill ratio, with the survivors by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.probes import schema_mutation
from mltest.probes.pandera_schemas import Refusal
from mltest.stats.rates import Rate, kill_ratio

BATCH = 2_000


@dataclass(frozen=True)
class Survivor:
    """A damage that the schema accepts; `column` is empty for a damage of whole rows."""

    column: str
    damage: str


@dataclass(frozen=True)
class Power:
    """The share of damages refused, the ones accepted, and columns whose clean batch is refused already."""

    rate: Rate
    survivors: tuple[Survivor, ...]
    refused_clean: tuple[str, ...]
    batch_rows: int

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
    killed, survivors = 0, []
    for mutant in schema_mutation.mutants(batch, [name for name in present if name not in refused], unique):
        noticed = asked.of_column(mutant.column, mutant.rows) if mutant.column else asked.of_keys(mutant.rows)
        killed += noticed
        if not noticed:
            survivors.append(Survivor(mutant.column, mutant.damage))
    return Power(kill_ratio(killed, killed + len(survivors)), tuple(survivors), refused, batch.num_rows)


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
