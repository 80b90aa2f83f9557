"""A loop of fixed work that tells how fast this machine is at the moment, so that budgets mean the same on any other.

It does what features are made of: dictionary look-ups, floating-point arithmetic, and small numpy arrays.
"""

from __future__ import annotations

import numpy as np

STATED_US = 1_000.0
"""Microseconds that the loop takes on the machine that budgets are written for: one core of a server of 2023."""

_ROUNDS = 3_000


def loop() -> float:
    """Fixed work; what it returns only keeps it from being left out."""
    total, kept = 0.0, dict[tuple[int, int], float]()
    for number in range(_ROUNDS):
        key = (number % 97, number % 31)
        kept[key] = kept.get(key, 0.0) + number * 0.5
        total += kept[key]
        if number % 16 == 0:
            total += float((np.arange(64, dtype=np.float64) * 1.5 + number).sum())
    return total
