"""A small project with four inputs and tests of its own, written to a folder: how many loaves are sold today?

What the code and the tests say lies in texts, so that a variant can say something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest import EquivalentMutant, FeatureCode, ModelInfo, Review, System, SystemRef

CLOCKS = '''"""Clocks are printed as HHMM: 955 is five to ten."""


def minutes(hhmm):
    return hhmm // 100 * 60 + hhmm % 100


def minutes_open(row):
    opens, closes = minutes(row["opens"]), minutes(row["closes"])
    if closes <= opens:
        closes = closes + 1440
    return closes - opens
'''
SHELVES = '''"""What lies on the shelves."""

FULL = 240
CATEGORIES = {"rye": 1.4, "wheat": 1.0, "spelt": 1.9}


def share_left(row):
    baked, sold = row["baked"], row["sold"]
    if baked < 1:
        return 0.0
    return min(1.0, max(0.0, (baked - sold) / baked))


def worth(row):
    left = max(0, row["baked"] - row["sold"])
    price = CATEGORIES[row["kind"].strip().lower()]
    if left > FULL:
        left = FULL
    return round(price * left - 0.5 * row["returned"], 2)


def trend(sales):
    recent, earlier = sales[-3:], sales[-10:-3]
    if len(recent) < 3 or len(earlier) < 7:
        return 0.0
    return sum(recent) / 3 - sum(earlier) / 7
'''
TEST_CLOCKS = """import pytest

from shop.clocks import minutes, minutes_open


@pytest.mark.parametrize(("hhmm", "expected"), [(0, 0), (5, 5), (955, 595), (1000, 600), (2359, 1439)])
def test_minutes(hhmm, expected):
    assert minutes(hhmm) == expected


@pytest.mark.parametrize(
    ("opens", "closes", "expected"), [(955, 1000, 5), (600, 1830, 750), (2230, 115, 165), (700, 700, 1440)]
)
def test_minutes_open(opens, closes, expected):
    assert minutes_open({"opens": opens, "closes": closes}) == expected
"""
TEST_SHELVES = """import pytest

from shop.shelves import share_left, trend, worth


@pytest.mark.parametrize(
    ("baked", "sold", "expected"), [(0, 0, 0.0), (1, 0, 1.0), (8, 2, 0.75), (8, 9, 0.0), (8, -4, 1.0), (1, 1, 0.0)]
)
def test_share_left(baked, sold, expected):
    assert share_left({"baked": baked, "sold": sold}) == expected


@pytest.mark.parametrize(
    ("kind", "baked", "sold", "returned", "expected"),
    [
        ("rye", 10, 3, 3, 8.3),
        (" Spelt", 7, 4, 1, 5.2),
        ("wheat", 7, 6, 1, 0.5),
        ("wheat", 7, 9, 1, -0.5),
        ("wheat", 300, 1, 0, 240.0),
        ("wheat", 241, 1, 0, 240.0),
        ("rye", 1.111, 0, 0, 1.56),
    ],
)
def test_worth(kind, baked, sold, returned, expected):
    assert worth({"kind": kind, "baked": baked, "sold": sold, "returned": returned}) == expected


@pytest.mark.parametrize(
    ("sales", "expected"),
    [
        ([], 0.0),
        ([9] * 7 + [1, 2], 0.0),
        ([7, 14, 21, 28, 35, 42, 49, 30, 60, 90], 32.0),
        ([900, 7, 14, 21, 28, 35, 42, 49, 30, 60, 90], 32.0),
        ([14, 21, 28, 35, 42, 49, 30, 60, 90], 0.0),
    ],
)
def test_trend(sales, expected):
    assert trend(sales) == expected
"""
FILES: Mapping[str, str] = {
    "shop/__init__.py": "",
    "shop/clocks.py": CLOCKS,
    "shop/shelves.py": SHELVES,
    "tests/test_clocks.py": TEST_CLOCKS,
    "tests/test_shelves.py": TEST_SHELVES,
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--strict-markers"]\n',
}
CODE = (
    FeatureCode("minutes_open", ("shop/clocks.py",), ("tests/test_clocks.py",)),
    FeatureCode("share_left", ("shop/shelves.py:share_left",), ("tests/test_shelves.py::test_share_left",)),
    FeatureCode(
        "worth", ("shop/shelves.py:worth", "shop/shelves.py:CATEGORIES"), ("tests/test_shelves.py::test_worth",)
    ),
    FeatureCode("trend", ("shop/shelves.py:trend",), ("tests/test_shelves.py::test_trend",)),
)
INPUTS = tuple(entry.feature for entry in CODE)


@dataclass(frozen=True)
class Baker:
    """A model that reads four inputs."""

    metadata: ModelInfo = field(default_factory=lambda: ModelInfo(version="1", inputs=INPUTS))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.asarray(batch.column("worth").to_numpy(), dtype=np.float64)


@dataclass(frozen=True)
class Checkout:
    """The project in a folder."""

    root: Path
    code: Sequence[FeatureCode] = CODE
    equivalent: Sequence[EquivalentMutant] = ()
    test_command: Sequence[str] = ("python", "-m", "pytest")
    commit: str = "0" * 40
    lock_files: Sequence[Path] = ()

    def reviews(self) -> Sequence[Review]:
        return ()

    def feature_code(self) -> Sequence[FeatureCode]:
        return self.code

    def equivalent_mutants(self) -> Sequence[EquivalentMutant]:
        return self.equivalent


def bakery(ref: SystemRef, changed: Mapping[str, str] | None = None, **aspects: Any) -> System:
    """The project with some of its files changed, and with some aspects of its repository."""
    root = ref.workdir / "bakery"
    for name, text in {**FILES, **(changed or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return System(name="bakery", task="regression", model=Baker(), repository=Checkout(root, **aspects))


def system(ref: SystemRef) -> System:
    return bakery(ref)


def without_feature_code(ref: SystemRef) -> System:
    class Plain:
        root, commit, test_command, lock_files = ref.workdir, "0" * 40, ("pytest",), ()

        def reviews(self) -> Sequence[Review]:
            return ()

    return bakery(ref).with_parts(repository=Plain())
