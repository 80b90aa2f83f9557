"""Watched parts."""

import pytest

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.run.watching import Watched


class Part:
    name = "part"

    def dataset(self, split: str) -> str:
        if split == "holdout":
            raise KeyError("no holdout: name one under [data]")
        return split

    def assertive(self) -> None:
        raise AssertionError("inside the system")

    @property
    def broken(self) -> str:
        raise RuntimeError("cannot say")


def test_every_access_is_noted_and_passed_on():
    touched: set[str] = set()
    part = Part()
    watched = Watched(part, "data", touched)
    assert watched.dataset("train") == "train"
    assert watched.name == "part"
    assert touched == {"data"}


def test_nothing_is_noted_before_an_access():
    touched: set[str] = set()
    Watched(Part(), "data", touched)
    assert touched == set()


def test_an_assertion_inside_a_system_is_no_failed_probe():
    with pytest.raises(PartFailure, match=r"model.*AssertionError.*inside the system") as caught:
        Watched(Part(), "model", set()).assertive()
    assert isinstance(caught.value.__cause__, AssertionError)


def test_a_property_that_raises_is_a_failure_of_the_part():
    with pytest.raises(PartFailure, match="cannot say"):
        _ = Watched(Part(), "model", set()).broken


def test_a_split_that_does_not_exist_withholds():
    with pytest.raises(Withheld, match="name one under") as caught:
        Watched(Part(), "data", set()).dataset("holdout")
    assert caught.value.code is ReasonCode.PART_MISSING


def test_an_attribute_that_is_not_offered_stays_an_attribute_error():
    assert not hasattr(Watched(Part(), "model", set()), "trace")
