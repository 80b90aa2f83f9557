"""Suspects that the real model misses: one of them clears nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from mltest.probes import ablation_retraining
from mltest.stats.bootstrap import Estimate
from mltest.stats.intervals import Interval


def estimate(value: float) -> Estimate:
    return Estimate(value, Interval(value - 0.01, value + 0.01, 0.95), 1000, 40, 0.005)


@dataclass
class Compared:
    """What the real model would lose without a set of features: the sum of what each is worth, and of pairs."""

    worth: dict[str, float]
    pairs: float = 0.0
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def retrained_without(self, names: Sequence[str], arm: str) -> Estimate:
        self.asked.append(tuple(names))
        return estimate(sum(self.worth[name] for name in names) + (self.pairs if len(names) > 1 else 0.0))


def missed(compared: Any, suspects: tuple[str, ...], affordable: int = 10) -> tuple[str, ...]:
    return ablation_retraining._missed(compared, suspects, estimate(0.05), affordable)[0]


def test_a_suspect_that_is_missed_clears_itself_alone() -> None:
    compared = Compared({"real": 0.05, "noise": 0.0, "more noise": 0.0})
    assert missed(compared, ("real", "noise", "more noise")) == ("real",)
    assert compared.asked[-1] == ("noise", "more noise")


@pytest.mark.parametrize("worth", [{"a": 0.0, "b": 0.0}, {"a": 0.05, "b": 0.05}])
def test_suspects_that_stand_in_for_each_other_or_are_all_missed_are_all_cleared(worth: dict[str, float]) -> None:
    assert missed(Compared(worth, pairs=0.05), ("a", "b")) == ("a", "b")


def test_what_is_too_dear_to_tell_apart_is_cleared_as_a_whole() -> None:
    compared = Compared({"a": 0.05, "b": 0.0})
    assert missed(compared, ("a", "b"), affordable=2) == ("a", "b")
    assert not compared.asked
