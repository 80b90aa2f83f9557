"""Infra 1, from outside: what is reproducible passes, what is not fails with its cause, nothing passes unseen."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest

from tests.suites.couriers import FIRST_DAY
from tests.suites.couriers_elsewhere import WINDOW
from tests.suites.running import VACUITY, ItemResult, run_item

ITEM = "infra.reproducibility"
COURIERS = "tests.suites.couriers:system"
ELSEWHERE = "tests.suites.couriers_elsewhere"


def scored(pytester: pytest.Pytester, *faults: str, source: str = COURIERS) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_seeded_training_passes_although_everything_around_it_differs(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("process_difference") <= 1e-6
    assert found.value("other_seed_difference") > 1e-4
    assert found.value("training_rows_moved") == 0


@pytest.mark.parametrize("fault", ["O-I1-a=1", "O-I1-b=1", "O-I1-c=0.1", "O-I1-e=1", "O-I1-f=1"])
def test_a_training_that_cannot_be_repeated_fails_and_the_message_counts_the_predictions(
    pytester: pytest.Pytester, fault: str
) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert "predictions changed" in found.message
    assert found.value("process_difference") > 1e-4


@pytest.mark.parametrize(
    "fault",
    ["O-I1-a.twin=1", "O-I1-b.twin=1", "O-I1-c.twin=1", "O-I1-e.twin=1", "O-I1-f.twin=1", "O-I1-a=0", "O-I1-c=0"],
)
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


@pytest.mark.parametrize(
    "variant",
    [
        "with_seed_of_the_home",
        "going_on_from_the_last_run",
        "unseeded_from_the_third_epoch",
    ],
)
def test_what_a_training_takes_from_its_surroundings_fails_and_the_message_says_what_differed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    (pytester.path / "courier-checkpoint").write_text("1000")
    monkeypatch.setenv("TMPDIR", str(pytester.path))
    found = scored(pytester, source=f"{ELSEWHERE}:{variant}")
    assert found.verdict == "failed", found.message
    assert found.value("process_difference") > 1e-4
    assert "a clock 400 days ahead" in found.message


def test_a_window_that_ends_now_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WINDOW, str((datetime.now(UTC) - FIRST_DAY).days - 10))
    found = scored(pytester, source=f"{ELSEWHERE}:learning_from_recent_days")
    assert found.verdict == "failed", found.message
    assert "0 rows have minutes" in found.message


def test_shards_in_the_order_of_the_folder_fail(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source=f"{ELSEWHERE}:reading_shards_as_listed")
    assert found.verdict == "failed", found.message
    assert "the same rows came in another order" in found.message


def test_a_training_that_asks_for_the_number_of_cores_fails(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source=f"{ELSEWHERE}:with_seed_of_the_cores")
    assert found.verdict == "failed", found.message
    assert "the number of threads or cores decides the model" in found.message


@pytest.mark.parametrize(
    "variant", ["reading_shards_in_order", "noting_when_rows_were_loaded", "noting_when_it_trained"]
)
def test_what_only_looks_at_its_surroundings_passes(pytester: pytest.Pytester, variant: str) -> None:
    found = scored(pytester, source=f"{ELSEWHERE}:{variant}")
    assert found.verdict == "passed", found.message


def test_a_model_that_an_earlier_training_left_is_not_a_training(pytester: pytest.Pytester) -> None:
    found = scored(pytester, source=f"{ELSEWHERE}:unseeded_behind_a_cache")
    assert found.verdict == "failed", found.message
    again = scored(pytester, source=f"{ELSEWHERE}:unseeded_behind_a_cache")
    assert again.verdict == "failed", again.message
    assert again.value("process_difference") == 0
    assert f"lay in {pytester.path}/models/0.json before it" in again.message


def test_a_training_that_keeps_its_models_at_home_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytester.path / "home").mkdir()
    monkeypatch.setenv("HOME", str(pytester.path / "home"))
    found = scored(pytester, source=f"{ELSEWHERE}:seeded_behind_a_cache")
    assert found.verdict == "passed", found.message


def test_a_training_may_need_what_lies_in_the_home_of_its_user(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytester.path / ".courier-credentials").write_text("secret")
    monkeypatch.setenv("HOME", str(pytester.path))
    found = scored(pytester, source=f"{ELSEWHERE}:needing_credentials")
    assert found.verdict == "passed", found.message


def test_a_training_that_works_only_as_usual_fails_and_the_message_says_what_differed(
    pytester: pytest.Pytester,
) -> None:
    found = scored(pytester, source=f"{ELSEWHERE}:refusing_next_year")
    assert found.verdict == "failed", found.message
    assert "the licence has run out" in found.message
    assert "a clock 400 days ahead" in found.message


LOCKS = {
    "exact": (f"numpy=={metadata.version('numpy')} ; python_version > '3'\nnot-there==1\n", "passed", ""),
    "another": ("numpy==1.20.0\npyarrow==3.0 ; python_version < '3'\n", "failed", "locked is 1.20.0"),
    "loose": ("numpy>=1.20\npyarrow\n", "failed", "numpy has no exact version"),
    "elsewhere": ("not-there==1\n", "not_demonstrated", "1 packages, none compared"),
    "absent": (None, "not_demonstrated", "no lock file"),
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_what_is_installed_or_the_item_does_not_pass(pytester: pytest.Pytester, lock: str) -> None:
    text, verdict, cause = LOCKS[lock]
    if text is not None:
        Path(pytester.path / "requirements.lock").write_text(text)
    found = scored(pytester, source=f"{ELSEWHERE}:locked")
    assert found.verdict == verdict, found.message
    assert cause in found.message
