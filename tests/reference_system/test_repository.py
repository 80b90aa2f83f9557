"""What the reference system says about its own code: true of the tree, complete, and honest about reviews."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest.offers.feature_code import FeatureCode
from mltest.probes import source_mutants, source_places
from reference_system.catalogue import FEATURES
from reference_system.readiness.feature_code import equivalent_mutants, feature_code
from reference_system.readiness.repository import CHECKOUT, EtaRepository, of_checkout


def test_every_model_input_has_code_and_tests_once() -> None:
    assert sorted(entry.feature for entry in feature_code()) == sorted(feature.name for feature in FEATURES)
    assert all(entry.places and entry.tests for entry in feature_code())


@pytest.mark.parametrize("entry", feature_code(), ids=lambda entry: entry.feature)
def test_the_places_of_a_feature_are_there_and_can_be_mutated(entry: FeatureCode) -> None:
    found = [
        candidate
        for place in entry.places
        for candidate in source_mutants.candidates(source_places.read(CHECKOUT, source_places.path_of(place)), place)
    ]
    assert found


def test_the_tests_that_are_named_are_there() -> None:
    for file, _, name in {test.partition("[")[0].partition("::") for entry in feature_code() for test in entry.tests}:
        assert f"def {name}(" in (CHECKOUT / file).read_text()


def test_what_is_called_equivalent_is_a_line_of_the_code_and_has_a_reason() -> None:
    for each in equivalent_mutants():
        assert each.before in {line.strip() for line in (CHECKOUT / each.path).read_text().splitlines()}
        assert each.before != each.after
        assert len(each.reason) > 20


def test_nobody_else_reviewed_it_and_it_does_not_say_so(tmp_path: Path) -> None:
    assert EtaRepository().reviews() == ()
    assert (EtaRepository(tmp_path).reviews(), EtaRepository(tmp_path).commit) == ((), "")


def test_the_checkout_is_offered_with_its_lock_file_and_its_tests() -> None:
    found = of_checkout()
    assert found is not None
    assert all(path.is_file() for path in found.lock_files)
    assert "pytest" in found.test_command
