"""Every feature, declared once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Feature:
    name: str
    computed: Callable[[Columns], np.ndarray]


FEATURES = (
    Feature("pressure", lambda rows: rows["pressure"] - 1013.0),
    Feature("wind", lambda rows: rows["wind"]),
    Feature("gust", lambda rows: rows["wind"] ** 2 / 20.0),
    Feature("moon", lambda rows: np.cos(rows["moon"])),
)
