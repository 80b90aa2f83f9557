"""Rows to judge, made up: a regression and a classification with days, and losses with the shape that tests ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltest.probes.judged_rows import JudgedRows, read
from mltest.system import ModelInfo, Roles

INPUTS = ("x", "z", "kind")
ROLES = Roles(target="y", inputs=INPUTS, time="at", keys=("key",), slices=("kind",))


def table(days: int, a_day: int, seed: int, first_day: int = 0, classes: bool = False) -> pa.Table:
    """`days` days of `a_day` rows: y = 2 x + kind + noise, or the event that this exceeds 0."""
    random = np.random.default_rng(seed)
    rows = days * a_day
    x, z = random.normal(0, 1, rows), random.normal(0, 1, rows)
    kind = random.choice(3, rows, p=(0.6, 0.3, 0.1))
    y = 2 * x + kind + random.normal(0, 1, rows)
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=first_day)
    return pa.table(
        {
            "key": [f"{first_day}-{number}" for number in range(rows)],
            "at": pa.array(
                [start + timedelta(days=n // a_day, seconds=n % a_day) for n in range(rows)], pa.timestamp("us", "UTC")
            ),
            "x": x,
            "z": pa.array(z, mask=random.random(rows) < 0.05),
            "kind": [("a", "b", "c")[number] for number in kind],
            "y": np.where(y > 0, "yes", "no").tolist() if classes else y,
        }
    )


class Tables:
    """The part `data` over tables in memory."""

    def __init__(self, train: pa.Table, holdout: pa.Table, roles: Roles = ROLES, raw: Any = None) -> None:
        self.tables = {"train": train, "holdout": holdout}
        self.roles, self.schema = roles, {}
        self._raw = raw

    def dataset(self, split: str) -> pa.Table:
        return self.tables[split]

    def raw(self, window: Any = None) -> dict[str, pa.Table]:
        if self._raw is None:
            return {}
        until = pa.scalar(window[1], pa.timestamp("us", "UTC")) if window else None
        return {"events": self._raw if until is None else self._raw.filter(pc.less(self._raw["at"], until))}


class Answers:
    """A model that gives the same answers whatever it is asked."""

    def __init__(self, answers: Any, metadata: ModelInfo | None = None) -> None:
        self.answers = answers
        self.metadata = metadata or ModelInfo("1", inputs=INPUTS)

    def predict(self, batch: pa.Table) -> Any:
        return self.answers


def judged(
    days: int = 40, a_day: int = 40, seed: int = 0, task: str = "regression", classes: bool = False
) -> JudgedRows:
    train, holdout = table(60, a_day, seed, classes=classes), table(days, a_day, seed + 1000, 60, classes=classes)
    return read(Tables(train, holdout), Answers(None), task)
