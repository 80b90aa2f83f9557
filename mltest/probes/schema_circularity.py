"""Whether expectations were read off the very rows that they are to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mltest.probes import feature_encoding, pandera_schemas
from mltest.probes.pandera_schemas import Declared

MOST_COPIED = 0.5
"""Share of the telling columns whose bounds may coincide with those of the judged rows."""
FEWEST_TELLING = 2


@dataclass(frozen=True)
class Circularity:
    """Columns whose extent differs between judged and training rows, and those declared exactly as judged."""

    telling: tuple[str, ...]
    copied: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether most of at least two telling columns are declared as the judged rows have them."""
        return len(self.telling) >= FEWEST_TELLING and len(self.copied) > MOST_COPIED * len(self.telling)


def circularity(schema: Any, columns: Sequence[str], judged: pa.Table, train: pa.Table) -> Circularity:
    """Compares declared ranges and sets with the extents of the judged and of the training rows, column by column."""
    telling, copied = [], []
    for name in columns:
        if name not in judged.column_names or name not in train.column_names:
            continue
        said = pandera_schemas.declared(schema, name)
        here, there = _extent(judged.column(name), said), _extent(train.column(name), said)
        if here is None or here == there:
            continue
        telling.append(name)
        if _as_extent(said) == here:
            copied.append(name)
    return Circularity(tuple(telling), tuple(copied))


def _as_extent(said: Declared) -> object:
    if said.values is not None:
        return frozenset(str(value) for value in said.values)
    return said.low, said.high


def _extent(column: pa.ChunkedArray, said: Declared) -> object | None:
    """What an inference would read off the column, in the terms in which it is declared; None for neither."""
    if said.values is not None:
        return frozenset(str(value) for value in feature_encoding.words(column).drop_null().unique().to_pylist())
    if said.low is None or said.high is None or feature_encoding.is_category(column):
        return None
    values = feature_encoding.numbers(column)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else None
