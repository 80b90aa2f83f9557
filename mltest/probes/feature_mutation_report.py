"""What the mutation of feature code showed: sentences, tables and a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mltest import figures
from mltest.evidence import Measurement, ReasonCode
from mltest.probes.feature_mutation import FEWEST_AT_ALL, MOST_EQUIVALENT, SHARE, OfFeature, Study, Tried
from mltest.probes.feature_tests import Declared, Unmutated

_FEW = 4


def unsettled(found: Study, measurements: Sequence[Measurement]) -> tuple[str, ReasonCode] | None:
    """Why nothing can be said although nothing is wrong, as a sentence and its code."""
    if any(each.failed for each in measurements):
        return None
    if len(found.pooled) < FEWEST_AT_ALL:
        return (
            f"{len(found.pooled)} mutants can be made of the places named, {FEWEST_AT_ALL} are needed at least: name "
            "all the code that computes the features",
            ReasonCode.TOO_LITTLE_DATA,
        )
    undecided = found.undecided()
    if undecided:
        return (
            f"{_share(undecided[0])}, which spans the {SHARE:.0%} that are asked for: write tests that notice "
            f"{_survivors(undecided[0].survivors)}",
            ReasonCode.TOO_LITTLE_DATA,
        )
    return None


def explanation(said: Declared, before: Unmutated, found: Study | None, swallows: str | None) -> str:
    """One sentence for everything that is wrong: what was seen, what was allowed, what to do."""
    parts: list[str] = []
    if swallows is not None:
        parts.append(f"the test command holds {swallows!r}, which makes a failure look like success: take it out")
    if said.untested:
        parts.append(
            f"the model reads {_names(said.untested)}, for which no test is named, and every input needs one: add its "
            "code and its tests to feature_code()"
        )
    mute = [each.feature for each in before.without_tests]
    if mute:
        parts.append(
            f"of {_names(mute)} no test ran ({_reasons(before, mute[0])}), at least one must: collect it and let it run"
        )
    if before.muted:
        test, reason = next(iter(before.muted.items()))
        parts.append(
            f"{len(before.muted)} tests of features are muted, none may be ({test}: {reason}): let them run and count"
        )
    if found is not None:
        parts += _of_mutants(found)
    return "; ".join(parts)


def _of_mutants(found: Study) -> list[str]:
    parts = []
    if found.share_equivalent > MOST_EQUIVALENT:
        parts.append(
            f"{found.share_equivalent:.0%} of the mutants drawn are called equivalent, allowed are "
            f"{MOST_EQUIVALENT:.0%}: write tests that tell them from the original"
        )
    if found.barren:
        parts.append(
            f"nothing can be mutated where {_names([each.name for each in found.barren])} is said to be computed: name "
            "the code itself"
        )
    for feature in found.unnoticed()[:_FEW]:
        parts.append(
            f"{_share(feature)}, allowed is at least {SHARE:.0%}: write tests with values worked out by hand "
            f"that notice {_survivors(feature.survivors)}"
        )
    survivors = [each for each in found.pooled if each.outcome == "survived"]
    if not parts and survivors:
        parts.append(
            f"{found.noticed} of {len(found.pooled)} mutants of all features are noticed, the lower end of its "
            f"interval must reach {SHARE:.0%}: write tests with values worked out by hand that notice "
            f"{_survivors(survivors)}"
        )
    return parts


def mutants_table(found: Study) -> str:
    """Every mutant that was tried, survivors first, as JSON rows."""
    order = {"survived": 0, "noticed": 1, "crashed": 2}
    rows = [
        {
            "feature": each.feature,
            "outcome": "set aside: any execution notices" if each.outcome == "crashed" else each.outcome,
            "place": f"{each.mutant.path}:{each.mutant.line}",
            "operator": each.mutant.operator,
            "before": each.mutant.before,
            "after": each.mutant.after,
            "pooled": "yes" if each.pooled else "no: a closer look",
        }
        for each in sorted(found.tried, key=lambda each: order[each.outcome])
    ]
    return json.dumps(rows)


def features_table(before: Unmutated, found: Study) -> str:
    """Tests and mutants of every feature, as JSON rows."""
    mutants = {feature.name: feature for feature in found.features}
    rows = [
        {
            "feature": tests.feature,
            "tests": tests.collected,
            "ran": tests.ran,
            "muted": len(tests.muted),
            "mutants": len(mutants[tests.feature].counted),
            "noticed": mutants[tests.feature].noticed,
            "called equivalent": mutants[tests.feature].equivalent,
            "not drawn": len(mutants[tests.feature].waiting),
        }
        for tests in before.by_feature
    ]
    return json.dumps(rows)


def figure(found: Study, pooled: Measurement) -> str | None:
    """The pooled share, and that of every feature with a survivor, with intervals."""
    shown = [figures.Interval("all features", *_extent(pooled), limit=SHARE, status=_status(pooled))]
    surely = found.unnoticed()
    for feature in sorted((f for f in found.features if f.survivors), key=lambda f: f.noticed / len(f.counted)):
        span = feature.interval()
        share = feature.noticed / len(feature.counted)
        status: figures.Status = "failed" if feature in surely else "passed" if span.low >= SHARE else "open"
        shown.append(figures.Interval(feature.name, share, span.low, span.high, limit=SHARE, status=status))
    return figures.intervals("Share of mutants noticed by the project's own tests", shown)


def _extent(measured: Measurement) -> tuple[float, float | None, float | None]:
    low, high = measured.ci or (None, None)
    return measured.value or 0.0, low, high


def _status(measured: Measurement) -> figures.Status:
    return "failed" if measured.failed else "passed"


def _share(feature: OfFeature) -> str:
    return f"of {len(feature.counted)} mutants of {feature.name} its tests notice {feature.noticed}"


def _survivors(tried: Sequence[Tried]) -> str:
    more = f" and {len(tried) - 2} more" if len(tried) > 2 else ""
    return ", ".join(each.mutant.says() for each in tried[:2]) + more


def _reasons(before: Unmutated, feature: str) -> str:
    tests = next(each for each in before.by_feature if each.feature == feature)
    if not tests.collected and not tests.muted:
        return "none was collected"
    return ", ".join(sorted(set(tests.muted.values()))) or "all were skipped"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
