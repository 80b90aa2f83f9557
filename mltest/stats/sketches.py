"""A few digests that stand for a set of rows, so that two sets can be compared without carrying either along.

Of the sha256 of every row's key the smallest are kept (bottom-k sampling; Cohen and Kaplan 2007): a fair sample of the
rows, whatever their order, that anybody can draw again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

SIZE = 256
_FIGURES = 16


def sketch(keys: Iterable[object], size: int = SIZE) -> tuple[str, ...]:
    """The `size` smallest of the first 16 hexadecimal figures of sha256(str(key)) over distinct keys, rising."""
    return tuple(sorted({_digest(key) for key in keys})[:size])


def share_in(sketched: Sequence[str], keys: Collection[object]) -> float:
    """Share of the sketched rows that are among `keys`; 0 for an empty sketch."""
    known = {_digest(key) for key in keys}
    return sum(digest in known for digest in sketched) / len(sketched) if sketched else 0.0


def _digest(key: object) -> str:
    return hashlib.sha256(str(key).encode()).hexdigest()[:_FIGURES]
