"""An entry is complete, permitted and in force, or the sentence says which rule it breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from mltest.evidence import Withheld
from mltest.offers.governance import FeaturePolicy, Governance
from mltest.probes import feature_policy
from mltest.system import FeatureInfo, RawColumn

TODAY = date(2026, 11, 24)
ENTRY = FeatureInfo("age", "float", "planes: year; flights: tailnum, date", "team", "before push-back")
POLICY = FeaturePolicy(
    sources={"planes": "public", "flights": "public"},
    licences=("public",),
    sensitivities=("none",),
    owners=("team", "@alias"),
    forbidden=(RawColumn("flights", "tail"),),
)
TABLES = {"planes": ("tailnum", "year"), "flights": ("tailnum", "date", "tail"), "crew": ("name",)}


def said(entry: FeatureInfo | None = None, policy: FeaturePolicy = POLICY, **changed: Any) -> list[str]:
    found = Governance((replace(entry or ENTRY, **changed),), policy)
    return [breach.said for breach in feature_policy.breaches(["age"], found, TABLES, TODAY)]


def test_a_complete_entry_breaks_nothing() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"owner": " "}, "has no owner"),
        ({"owner": "N/A"}, "has no owner"),
        ({"owner": "--"}, "has no owner"),
        ({"owner": "somebody"}, "belongs to 'somebody', who is none of the owners"),
        ({"available_at": "?"}, "does not say when it is known"),
        ({"sensitivity": "personal"}, "is personal, which is not permitted"),
        ({"deprecated_after": "2026-11-23"}, "is deprecated since 2026-11-23"),
        ({"deprecated_after": "2026-11-23T12:00:00Z"}, "is deprecated since 2026-11-23"),
        ({"deprecated_after": "soon"}, "is deprecated after 'soon', which is no date"),
        ({"source": ""}, "names no source"),
        ({"source": "crew: name"}, "comes from 'crew', which is no permitted source"),
        ({"source": "planes"}, "names no column of planes"),
        ({"source": "planes: colour"}, "names no column of planes"),
        ({"source": "flights: tail"}, "is made from flights.tail, which is forbidden"),
    ],
)
def test_a_broken_rule_is_named(changed: dict[str, Any], expected: str) -> None:
    assert any(expected in sentence for sentence in said(**changed)), said(**changed)


@pytest.mark.parametrize(
    "changed", [{"owner": "@alias"}, {"deprecated_after": "2026-11-24"}, {"deprecated_after": None}]
)
def test_an_alias_and_a_deprecation_to_come_are_permitted(changed: dict[str, Any]) -> None:
    assert said(**changed) == []


def test_a_licence_that_is_not_permitted_is_named_with_its_source() -> None:
    found = said(policy=replace(POLICY, sources={"planes": "secret", "flights": "public"}))
    assert found == ["comes from planes, whose licence 'secret' is not permitted"]


def test_the_inputs_of_the_artefact_decide_and_not_the_catalogue() -> None:
    found = feature_policy.breaches(["age", "ghost"], Governance((ENTRY, ENTRY), POLICY), TABLES, TODAY)
    assert {(b.feature, b.said) for b in found} == {
        ("age", "has 2 entries"),
        ("ghost", "has no entry in the catalogue"),
    }


def test_a_forbidden_name_is_a_whole_word_of_its_own_table() -> None:
    assert said(source="flights: tailnum and date of the tailwind") == []


@pytest.mark.parametrize("rule", ["sources", "licences", "sensitivities"])
def test_a_policy_that_permits_nothing_decides_nothing(rule: str) -> None:
    empty: Any = {} if rule == "sources" else ()
    with pytest.raises(Withheld, match=f"permits no {rule}"):
        said(policy=replace(POLICY, **{rule: empty}))


def test_an_artefact_without_inputs_is_no_artefact_to_judge() -> None:
    with pytest.raises(Withheld, match="does not say which columns it reads"):
        feature_policy.breaches([], Governance((ENTRY,), POLICY), TABLES, TODAY)


def test_the_sentence_shows_four_and_counts_the_rest() -> None:
    found = feature_policy.breaches([f"x{n}" for n in range(7)], Governance((), POLICY), TABLES, TODAY)
    assert feature_policy.sentence(found).startswith("7 inputs of the model break the policy (x0 has no entry")
    assert "and 3 more" in feature_policy.sentence(found)
