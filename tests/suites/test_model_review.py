"""Model 1, from outside, in real repositories with two signing keys: what holds passes, what does not fails."""

from __future__ import annotations

import shutil

import pytest

from tests.suites.running import VACUITY, ItemResult, run_item

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("ssh-keygen") is None,
    reason="git and ssh-keygen make the scratch repositories (apt-get install git openssh-client)",
)
ITEM = "model.review"
MILL = "tests.suites.mill:system"
UNTOUCHED = ("V3-nan", "V6-direction")
"""Nothing that this probe looks at is a number in a table, or an answer."""


def scored(pytester: pytest.Pytester, *faults: str, source: str = MILL) -> ItemResult:
    return run_item(pytester, source, ITEM, faults)


def test_a_model_from_what_another_person_signed_passes(pytester: pytest.Pytester) -> None:
    found = scored(pytester)
    assert found.verdict == "passed", found.message
    assert found.value("files_not_as_committed") == 0
    assert found.value("approvals_by_a_second_person") == 1
    assert found.measured["settings_not_as_reviewed"]["n"] == 3


@pytest.mark.parametrize(
    ("name", "verdict", "cause"),
    [
        ("dirty_tree", "failed", "differ from commit"),
        ("phantom_commit", "failed", "is not on the protected branch, nor is its content"),
        ("forgotten_commit", "failed", "is not on the protected branch, nor is its content"),
        ("no_commit", "failed", "is not on the protected branch, nor is its content"),
        ("changed_later", "failed", "have the last change reviewed"),
        ("approved_by_its_author", "failed", "which is the same person"),
        ("approved_under_a_second_name", "failed", "which is the same person"),
        ("approved_with_the_same_key", "failed", "which is the same person"),
        ("approved_by_a_mapped_name", "failed", "which is the same person"),
        ("written_by_both", "failed", "let somebody review it who wrote none of it"),
        ("in_somebody_elses_name", "failed", "the signature of the review by bea@example.org does not hold"),
        ("key_added_on_the_disk", "failed", "the signature of the review by dora@example.org does not hold"),
        ("reviewed_in_the_future", "failed", "does not hold"),
        ("setting_overridden", "failed", "learning_rate was 0.1, reviewed is 0.01"),
        (
            "setting_that_no_file_holds",
            "not_demonstrated",
            "the reviewed file does not hold it",
        ),
        ("earlier_review_by_word", "failed", "which is the same person"),
        ("shallow_clone", "not_demonstrated", "the clone is shallow"),
        ("settings_unknown", "not_demonstrated", "did not write down what"),
        ("nobody_reviewed", "not_demonstrated", "a second person review it"),
        ("one_person_alone", "not_demonstrated", "one person alone"),
        ("reviewed_by_word", "not_demonstrated", "carries no signature, so that nobody knows who gave it"),
        ("unsigned_commits", "not_demonstrated", "git's author field is no identity"),
        ("about_another_model", "not_demonstrated", "another model than the one that serves"),
        ("no_checkout", "not_demonstrated", "is no git checkout"),
        ("another_branch", "not_demonstrated", "has no branch 'release'"),
        ("without_a_specification", "not_demonstrated", "give the `repository` part a specification"),
        ("nothing_specified", "not_demonstrated", "no file is named that decides the model"),
        ("without_provenance", "not_demonstrated", "provenance(version)"),
        ("provenance_unknown", "not_demonstrated", "nothing is on record"),
    ],
)
def test_a_chain_with_a_broken_link_does_not_pass_and_the_message_says_which(
    pytester: pytest.Pytester, name: str, verdict: str, cause: str
) -> None:
    found = scored(pytester, source=f"tests.suites.mill_corners:{name}")
    assert found.verdict == verdict, found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "name",
    [
        "notebook_beside",
        "squashed",
        "documented_later",
        "bumped_by_a_bot",
        "taking_turns",
        "folder_from_the_environment",
        "hooks_and_programs",
    ],
)
def test_a_sound_chain_that_looks_odd_passes(pytester: pytest.Pytester, name: str) -> None:
    found = scored(pytester, source=f"tests.suites.mill_corners:{name}")
    assert found.verdict == "passed", found.message
    assert not list(pytester.path.rglob("trapped"))


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("O-M1-a=1", "differ from commit"),
        ("O-M1-b=1", "is not on the protected branch"),
        ("O-M1-c=1", "have the last change reviewed"),
        ("O-M1-d=2", "and none may: change the file and have it reviewed"),
    ],
)
def test_a_fault_is_caught_and_named(pytester: pytest.Pytester, fault: str, cause: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "failed", found.message
    assert cause in found.message


@pytest.mark.parametrize(
    "fault",
    [f"O-M1-{letter}{kind}" for letter in "abcd" for kind in ("=0", ".twin=1")],
)
def test_a_harmless_change_keeps_the_verdict(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, fault)
    assert found.verdict == "passed", found.message


@pytest.mark.parametrize("fault", [each for each in VACUITY if each not in UNTOUCHED])
def test_nothing_to_look_at_never_passes(pytester: pytest.Pytester, fault: str) -> None:
    found = scored(pytester, f"{fault}=1")
    assert found.verdict in ("not_demonstrated", "error", "failed"), found.message
    assert found.message


def test_without_a_review_it_is_the_same_in_a_folder_that_is_no_checkout(pytester: pytest.Pytester) -> None:
    here, there = (
        scored(pytester, source=f"tests.suites.mill_corners:nobody_reviewed{where}")
        for where in ("", "_and_no_checkout")
    )
    assert (here.verdict, here.reason_code, here.message) == (there.verdict, there.reason_code, there.message)
    assert (here.verdict, here.reason_code) == ("not_demonstrated", "withheld")


def test_rows_and_answers_change_nothing_in_who_reviewed(pytester: pytest.Pytester) -> None:
    found = scored(pytester, *[f"{fault}=1" for fault in UNTOUCHED])
    assert found.verdict == "passed", found.message
