"""A digest of every row, by which rows are recognised: training rows in a holdout, the same rows in another order."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Digests = npt.NDArray[np.uint64]


def row_digests(table: pa.Table, columns: Sequence[str]) -> Digests:
    """64 bits for the content of each row in the named columns, shape (rows,); integers equal floats of their value."""
    state = np.zeros(table.num_rows, dtype=np.uint64)
    for name in columns:
        state = _mixed(state ^ _value_digests(table.column(name)))
    return state


def digest_of_rows(digests: Digests) -> str:
    """One digest of a set of rows that does not depend on their order: 16 hexadecimal figures."""
    return hashlib.sha256(np.sort(digests).tobytes()).hexdigest()[:16]


def share_seen(judged: Digests, learned: Digests) -> float:
    """Share of the judged rows that occur among the learned ones beyond what repetition explains; 0 without rows.

    Where rows of coarse columns repeat by nature, they also repeat across two honest splits: rows that occur more
    than once within the judged rows say nothing and are left out.
    """
    rows, counts = np.unique(judged, return_counts=True)
    single = rows[counts == 1]
    return float(np.isin(single, learned).mean()) if single.size else 0.0


def share_repeated(learned: Digests, judged: int) -> float:
    """Share of `judged` training rows (at most half of them), taken evenly, that occur among the others by nature."""
    if len(learned) < 2:
        return 0.0
    step = max(2, len(learned) // max(judged, 1))
    chosen = np.zeros(len(learned), dtype=bool)
    chosen[::step] = True
    return share_seen(learned[chosen], learned[~chosen])


def _value_digests(column: Any) -> Digests:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pt.is_timestamp(flat.type) or pt.is_date(flat.type):
        flat = pc.cast(pc.cast(flat, pa.timestamp("us"), safe=False), pa.int64())
    if pt.is_integer(flat.type) or pt.is_floating(flat.type) or pt.is_boolean(flat.type):
        numbers = pc.fill_null(pc.cast(flat, pa.float64(), safe=False), float("nan")).to_numpy(zero_copy_only=False)
        return _mixed((np.where(np.isnan(numbers), np.nan, numbers) + 0.0).view(np.uint64))
    coded = flat if pt.is_dictionary(flat.type) else flat.dictionary_encode()
    names = coded.dictionary.to_pylist()
    table = np.fromiter((zlib.crc32(str(name).encode()) + 1 for name in names), dtype=np.uint64, count=len(names))
    codes = pc.fill_null(coded.indices.cast(pa.int64()), len(names)).to_numpy(zero_copy_only=False)
    return _mixed(np.append(table, np.uint64(0))[codes])


def _mixed(state: npt.NDArray[Any]) -> Digests:
    """The finaliser of MurmurHash3 (Appleby 2011), started off zero."""
    with np.errstate(over="ignore"):
        state = state.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        state = (state ^ (state >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        return np.asarray(state ^ (state >> np.uint64(33)), dtype=np.uint64)
