"""Which mutants are drawn, what they say about a feature, and when it is looked at closer; nothing is really run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from mltest.evidence import PartFailure, Withheld
from mltest.offers.feature_code import EquivalentMutant, FeatureCode
from mltest.probes import feature_mutation, feature_mutation_report
from mltest.probes.feature_mutation import Study
from mltest.probes.feature_tests import Declared, Unmutated
from mltest.probes.tested_tree import RunOfTests

NAMES = ("age", "height", "weight", "width")
CODE = "def {0}(row):\n    return row['{0}'] * 2 + shared(row) - 3 * row['b'] + row['c'] / 7 - 11 + row['d'] * 13\n\n\n"
SHARED = "def shared(row):\n    return row['x'] - 5 * row['y'] + 17 - row['z'] / 19\n\n\n"
BEFORE = Unmutated((), (), 0.1, ())


class Tree:
    """Answers for the tests: which change is noticed, and which crashes."""

    def __init__(self, tree: Path, noticed: Callable[[Sequence[str], str], bool], crashed: str = "<none>") -> None:
        self.tree, self._noticed, self._crashed = tree, noticed, crashed
        self.asked: list[tuple[tuple[str, ...], str]] = []

    def run(self, tests: Sequence[str], *, seconds: float, change: tuple[str, str]) -> RunOfTests:
        text = change[1]
        self.asked.append((tuple(tests), text))
        broken = text.startswith("raise")
        failed = broken or (not text.endswith("# A comment.\n") and self._noticed(tests, text))
        crashed = "TypeError" if self._crashed in text and not broken else None
        return RunOfTests({}, {}, failed, crashed, False, "", (), (), 0.0, 0.0)


def studied(
    tmp_path: Path,
    noticed: Callable[[Sequence[str], str], bool],
    *,
    effort: Any = "quick",
    seed: int = 0,
    equivalent: Sequence[EquivalentMutant] = (),
    crashed: str = "<none>",
    places: Callable[[str], tuple[str, ...]] = lambda name: (f"code.py:{name}", "code.py:shared"),
) -> tuple[Study, Tree]:
    (tmp_path / "code.py").write_text(SHARED + "".join(CODE.format(name) for name in NAMES))
    entries = tuple(FeatureCode(name, places(name), (f"tests.py::test_{name}",)) for name in NAMES)
    said = Declared(tmp_path, ("pytest",), entries, NAMES, tuple(equivalent))
    tree = Tree(tmp_path, noticed, crashed)
    return feature_mutation.study(tree, said, BEFORE, seed=seed, effort=effort), tree  # type: ignore[arg-type]


def test_forty_are_drawn_over_all_features_and_none_is_looked_at_closer_when_all_are_noticed(tmp_path: Path) -> None:
    found, _ = studied(tmp_path, lambda tests, text: True)
    assert len(found.pooled) == len(found.tried) == 40
    assert {len(feature.counted) for feature in found.features} == {10}
    assert (found.unnoticed(), found.barren, found.undecided()) == ((), (), ())
    assert len({each.mutant.text for each in found.tried}) == 40


@pytest.mark.parametrize("seed", range(10))
def test_a_feature_that_nothing_notices_is_surely_unnoticed_and_the_others_are_not(tmp_path: Path, seed: int) -> None:
    found, _ = studied(tmp_path, lambda tests, text: "row['age'] * 2" in text and "age" not in tests[0], seed=seed)
    assert [feature.name for feature in found.unnoticed()] == ["age"]
    assert "of 12 mutants of age its tests notice 0" in feature_mutation_report.explanation(
        Declared(tmp_path, (), (), NAMES, ()), BEFORE, found, None
    )


def test_the_interval_is_wilsons(tmp_path: Path) -> None:
    found, _ = studied(tmp_path, lambda tests, text: hash(text) % 5 > 0)
    share = found.share()
    low, high = proportion_confint(found.noticed, len(found.pooled), method="wilson")
    assert (share.interval.low, share.interval.high) == pytest.approx((low, high))


def test_where_every_mutant_was_tried_the_share_itself_decides(tmp_path: Path) -> None:
    found, _ = studied(tmp_path, lambda tests, text: "age" not in tests[0], effort="thorough")
    age = next(feature for feature in found.features if feature.name == "age")
    age.waiting.clear()
    assert (age.interval().low, age.interval().high) == (0.0, 0.0)


def test_shared_code_is_tried_with_the_tests_of_all_who_share_it_the_features_own_first(tmp_path: Path) -> None:
    found, tree = studied(tmp_path, lambda tests, text: True, effort="thorough")
    of_shared = [tests for tests, text in tree.asked if SHARED not in text]
    asked = [tests for tests in of_shared if len(tests) > 1]
    assert asked
    assert all(set(tests) == {f"tests.py::test_{name}" for name in NAMES} for tests in asked)
    assert {tests[0] for tests in asked} <= {f"tests.py::test_{name}" for name in NAMES}
    assert found.per_feature == 20


def test_a_features_own_code_is_drawn_before_what_it_shares(tmp_path: Path) -> None:
    """Four share the code: a change of it has a quarter of the weight. Over ten draws of forty it must show."""
    own = shared = 0
    for seed in range(10):
        found, _ = studied(tmp_path, lambda tests, text: True, seed=seed)
        of_shared = sum(SHARED.split("\n")[1].strip() == each.mutant.before for each in found.pooled)
        own, shared = own + len(found.pooled) - of_shared, shared + of_shared
    candidates_own, candidates_shared = 4 * 24, 14
    assert 0 < shared / (own + shared) < 2 * candidates_shared / (candidates_own + candidates_shared), (own, shared)


def test_what_crashes_is_set_aside_and_another_takes_its_place(tmp_path: Path) -> None:
    found, _ = studied(tmp_path, lambda tests, text: True, crashed="+ shared(row) + 3")
    assert len(found.pooled) == 40
    assert any(each.outcome == "crashed" for each in found.tried)
    assert not any(each.outcome == "crashed" for each in found.pooled)


def test_what_is_called_equivalent_is_left_out_and_counted_if_it_has_a_reason_and_a_reviewer(tmp_path: Path) -> None:
    line = SHARED.split("\n")[1].strip()
    changed = line.replace("- 5", "+ 5")
    good = EquivalentMutant("code.py", line, changed, "because", "ada")
    found, _ = studied(tmp_path, lambda tests, text: True, effort="thorough", equivalent=[good])
    assert sum(feature.equivalent for feature in found.features) >= 1
    assert 0 < found.share_equivalent < 0.1
    nameless = EquivalentMutant("code.py", line, changed, "because", " ")
    found, _ = studied(tmp_path, lambda tests, text: True, effort="thorough", equivalent=[nameless])
    assert found.share_equivalent == 0


def test_tests_that_never_look_at_the_code_say_nothing(tmp_path: Path) -> None:
    class Blind(Tree):
        def run(self, tests: Sequence[str], *, seconds: float, change: tuple[str, str]) -> RunOfTests:
            return RunOfTests({}, {}, False, None, False, "", (), (), 0.0, 0.0)

    (tmp_path / "code.py").write_text(SHARED)
    entries = (FeatureCode("x", ("code.py",), ("tests.py",)),)
    said = Declared(tmp_path, ("pytest",), entries, ("x",), ())
    with pytest.raises(Withheld, match="mutants tell nothing"):
        feature_mutation.study(Blind(tmp_path, lambda *_: False), said, BEFORE, seed=0, effort="quick")  # type: ignore[arg-type]


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartFailure, match="a place of age that is not there"):
        studied(tmp_path, lambda tests, text: True, places=lambda name: (f"code.py:{name}_of_yesterday",))
