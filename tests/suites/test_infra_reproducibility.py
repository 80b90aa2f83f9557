"""Infra 1, from outside: what is reproducible passes, what is not fails with its cause, nothing passes unseen."""

from __future__ import annotations

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "infra.reproducibility"
COURIERS = "tests.suites.couriers:system"


def scored(pytester: pytest.Pytester, *faults: str, source: str = COURIERS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_seeded_training_passes_although_everything_around_it_differs(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("process_difference") <= 1e-6
    assert found.value("other_seed_difference") > 1e-4
    assert found.value("training_rows_moved") == 0


@pytest.mark.parametrize("fault", ["O-I1-a=1", "O-I1-b=1", "O-I1-c=0.1"])
def test_a_training_that_cannot_be_repeated_fails_and_the_message_counts_the_predictions(
    pytester: pytest.Pytester, fault: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert "predictions changed" in found.message
    assert found.value("process_difference") > 1e-4


@pytest.mark.parametrize("fault", ["O-I1-a.twin=1", "O-I1-b.twin=1", "O-I1-c.twin=1", "O-I1-a=0", "O-I1-c=0"])
def test_a_harmless_change_beside_the_training_passes(pytester: pytest.Pytester, fault: str) -> None:
    assert scored(pytester, fault).verdict == "passed"


@pytest.mark.parametrize("fault", VACUITY)
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


@pytest.mark.parametrize(
    ("variant", "cause"),
    [("in_listed_order", "the same rows came in another order"), ("reading_the_clock", "other rows came")],
)
def test_training_rows_that_move_fail_and_the_message_says_how(
    pytester: pytest.Pytester, variant: str, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.couriers:{variant}")
    assert found.verdict == "failed", found.message
    assert cause in found.message
    assert found.value("training_rows_moved") > 0


def test_a_training_that_ignores_its_seed_shows_nothing(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source="tests.suites.couriers:without_seed")
    assert (found.verdict, found.reason_code) == ("not_demonstrated", "withheld")
    assert "another seed gave the same predictions" in found.message
