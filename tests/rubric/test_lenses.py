from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mltest import lenses as lens_files
from mltest import resources
from mltest.lenses import Coverage, Lenses
from mltest.rubric import Rubric, RubricError

Write = Callable[[str | bytes], Path]


def changed(written: Write, old: str, new: str) -> Path:
    text = resources.path(lens_files.BUNDLED).read_text("utf-8")
    assert old in text
    return written(text.replace(old, new, 1))


def refused(path: Path, rubric: Rubric) -> str:
    with pytest.raises(RubricError) as caught:
        lens_files.load(path, rubric)
    return str(caught.value)


def test_every_debt_is_either_named_by_an_item_or_declared_open(rubric: Rubric, lenses: Lenses):
    unnamed = {debt.id for debt in lenses.debts if not lens_files.touching(rubric, debt.id)}
    assert unnamed == {debt.id for debt in lenses.debts if debt.coverage is Coverage.OPEN}
    assert unnamed == {"abstraction", "action_limits", "cultural"}


def test_every_debt_that_is_not_tested_says_what_no_item_asks(lenses: Lenses):
    assert all(bool(debt.gap) == (debt.coverage is not Coverage.TESTED) for debt in lenses.debts)


def test_the_gaps_that_extra_probes_must_fill_are_marked(lenses: Lenses):
    coverage = {debt.id: debt.coverage for debt in lenses.debts}
    for debt in (
        "undeclared_consumers",
        "direct_feedback_loops",
        "hidden_feedback_loops",
        "dead_experimental_codepaths",
        "correction_cascades",
        "configuration",
        "action_limits",
    ):
        assert coverage[debt] is not Coverage.TESTED


def test_there_are_four_pillars_five_questions_three_levels_and_three_environments(lenses: Lenses):
    assert [lens.id for lens in lenses.pillars] == ["reproducibility", "scalability", "observability", "reliability"]
    assert [lens.id for lens in lenses.questions] == ["data", "features", "training", "serving", "monitoring"]
    assert [level.level for level in lenses.maturity] == [0, 1, 2]
    assert [lens.id for lens in lenses.environments] == ["development", "staging", "production"]


def test_a_maturity_gate_holds_all_that_the_gates_below_it_hold(rubric: Rubric):
    assert lens_files.gate(rubric, 0) == ()
    assert {item.id for item in lens_files.gate(rubric, 1)} == {
        "infra.reproducibility",
        "infra.integration",
        "infra.quality_gate",
        "monitoring.invariants",
        "monitoring.skew",
        "monitoring.staleness",
    }
    assert set(lens_files.gate(rubric, 1)) < set(lens_files.gate(rubric, 2))


def test_an_item_cannot_name_a_debt_that_nobody_defined(written: Write, rubric: Rubric):
    message = refused(changed(written, "id: entanglement", "id: entanglements"), rubric)
    assert "data.benefit names 'entanglement'" in message
    assert "did you mean 'entanglements'?" in message


def test_a_lens_that_no_item_names_is_refused(written: Write, rubric: Rubric):
    extra = "environments:\n  - {id: moon, title: Moon, meaning: Far away.}\n"
    assert "'moon' is named by no item" in refused(changed(written, "environments:\n", extra), rubric)


def test_a_debt_cannot_be_open_while_an_item_names_it(written: Write, rubric: Rubric):
    path = changed(written, "coverage: tested", "coverage: open\n    gap: None asks.")
    assert "'entanglement' is open, yet data.benefit names it" in refused(path, rubric)


def test_a_debt_that_is_not_tested_must_have_a_gap(written: Write, rubric: Rubric):
    assert "needs a gap" in refused(changed(written, "coverage: tested", "coverage: touched"), rubric)
    assert "a tested debt has none" in refused(changed(written, "coverage: touched", "coverage: tested"), rubric)


def test_a_lens_defined_twice_is_refused(written: Write, rubric: Rubric):
    assert "'data' is defined twice" in refused(changed(written, "id: features", "id: data"), rubric)


def test_lenses_of_another_rubric_are_refused(written: Write, rubric: Rubric):
    assert "is 'other', but the rubric given is 'breck-2017'" in refused(
        changed(written, "rubric: breck-2017", "rubric: other"), rubric
    )
