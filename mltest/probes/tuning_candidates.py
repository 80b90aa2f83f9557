"""Settings that a short search tries: one key moved at a time, and points spread over a space wider than the recorded.

A search may have looked in the wrong place altogether, or never at the key that matters. So ranges are widened, by an
order of magnitude at least, a factor is tried for numbers that were never searched, and natural ends (no dropout) stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mltest.offers.search import Choices, Range, Space
from mltest.probes.search_log import natural, position

WIDER = 0.25
"""Share of a range that is searched beyond each of its ends, and by which one key alone is moved."""
DECADE = 10.0
"""A range on a log scale is widened by this factor at least."""
FACTOR = 5.0
"""A number that has no range, or one on a log scale, is moved by this factor at least."""
FAR, NEARBY = (-1.0, 1.0, -2.0, 2.0), (-1.0, 1.0)
"""Steps by which a key is moved."""
MOVED = 0.6
"""Share of the settings that move one key alone."""
LONGER = 2
LENGTHS = (
    "epochs",
    "max_epochs",
    "num_epochs",
    "n_epochs",
    "passes",
    "iterations",
    "max_iter",
    "n_estimators",
    "num_boost_round",
    "max_steps",
)
"""Keys of a configuration that say for how long is trained."""


def around(space: Space, config: Mapping[str, Any], number: int, seed: int) -> list[dict[str, Any]]:
    """`number` settings beside the shipped `config`: most of them with one number moved, the most telling keys first,
    the others a Latin hypercube (McKay et al. 1979) over the widened space."""
    moved = _moved(space, config)[: round(MOVED * number)]
    return [*moved, *_spread(space, number - len(moved), seed)]


def never_searched(space: Space, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the configuration that hold a positive fraction and are in no range, such as a forgotten rate."""
    return tuple(key for key, value in config.items() if key not in space and isinstance(value, float) and value > 0.0)


def longer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides that train twice as long; empty where the configuration does not say how long."""
    return {
        key: config[key] * LONGER
        for key in LENGTHS
        if isinstance(config.get(key), int) and not isinstance(config[key], bool) and config[key] > 0
    }


def _moved(space: Space, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first key on a log scale, far to both sides, then what was never searched, then the others."""
    logs = [key for key, values in space.items() if isinstance(values, Range) and values.log]
    fractions = [key for key, values in space.items() if isinstance(values, Choices) and _are_fractions(values)]
    others = [key for key, values in space.items() if isinstance(values, Range) and not values.log]
    shipped = {key: config[key] for key in space}
    found = []
    for key in (*logs[:1], *never_searched(space, config), *logs[1:], *fractions, *others):
        for step in FAR if key in logs[:1] else NEARBY:
            value = _moved_number(config[key], space.get(key), step)
            if value != config[key] and math.isfinite(value):
                found.append({**shipped, key: value})
    return found


def _moved_number(shipped: Any, values: Range | Choices | None, steps: float) -> Any:
    if not isinstance(values, Range):
        return shipped * FACTOR**steps
    step = WIDER
    if values.log and values.high > values.low:
        step = max(WIDER, math.log(FACTOR) / math.log(values.high / values.low))
    place = position(shipped, values)
    return _at(place + steps * step, values) if math.isfinite(place) else math.nan


def _are_fractions(values: Choices) -> bool:
    return all(isinstance(value, float) and value > 0.0 for value in values.values)


def _spread(space: Space, number: int, seed: int) -> list[dict[str, Any]]:
    if number <= 0:
        return []
    random = np.random.default_rng((seed, 0x74756E65))
    strata = random.permuted(np.tile(np.arange(number), (len(space), 1)), axis=1).T
    points = (strata + random.random((number, len(space)))) / number
    return [{key: _drawn(float(u), space[key]) for key, u in zip(space, point, strict=True)} for point in points]


def _drawn(uniform: float, values: Range | Choices) -> Any:
    if isinstance(values, Choices):
        return values.values[min(int(uniform * len(values.values)), len(values.values) - 1)]
    wider = WIDER
    if values.log and values.high > values.low:
        wider = max(WIDER, math.log(DECADE) / math.log(values.high / values.low))
    return _at(-wider + uniform * (1.0 + 2.0 * wider), values)


def _at(place: float, values: Range) -> Any:
    """The number at a place of a range by its scale; beyond an end that is not natural too."""
    low = place if not natural(values.low, values) else max(0.0, place)
    kept = low if not natural(values.high, values) else min(1.0, low)
    if values.log:
        number = values.low * (values.high / values.low) ** kept
    else:
        number = values.low + kept * (values.high - values.low)
        number = max(0.0, number) if values.low >= 0.0 else number
    return max(1, round(number)) if values.whole else float(number)
