"""Mutation of feature code, feature by feature: does a test notice?

Every feature gets the same number of mutants, drawn at random from all that its places allow, none twice. Code that n
features name is drawn for each of them with 1/n of the chance, so that a feature's own is not drowned by what it
shares, and counts as noticed when the tests of any of them notice. The pooled share carries Wilson's interval. A
feature whose mutant survived is looked at closer, one mutant after another, until it cannot be called untested any more
or surely is (Bonferroni over all features); what is drawn for that stays out of the pooled share. Where each feature
gets twenty, each is judged by its own interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.feature_code import EquivalentMutant, FeatureCode
from mltest.probes import source_mutants, source_places
from mltest.probes.feature_tests import Declared, Unmutated
from mltest.probes.source_mutants import Candidate, Mutant
from mltest.probes.tested_tree import CopiedTree
from mltest.stats.intervals import Interval, wilson
from mltest.stats.rates import Rate, kill_ratio
from mltest.system import Effort

SHARE = 0.7
"""The lower end of the interval of the share of mutants noticed must reach it."""
FEWEST_POOLED = 40
FEWEST_AT_ALL = 20
CLOSER = 12
"""Mutants that a feature is looked at with, after one of it survived."""
PER_FEATURE: Mapping[Effort, int] = {"quick": 1, "standard": 4, "thorough": 20}
ALONE = 20
"""With so many mutants a feature is judged by its own interval."""
MOST_EQUIVALENT = 0.1
_LONGER = 5.0
_SHORTEST_LIMIT = 5.0


@dataclass(frozen=True)
class Tried:
    """A mutant of a feature and what its tests made of it: noticed, survived, crashed (any execution notices)."""

    feature: str
    mutant: Mutant
    outcome: str
    pooled: bool

    @property
    def counts(self) -> bool:
        return self.outcome in ("noticed", "survived")


@dataclass
class OfFeature:
    """One feature: what can still be drawn, and what was tried."""

    entry: FeatureCode
    waiting: list[Candidate]
    tried: list[Tried] = field(default_factory=list)
    equivalent: int = 0

    @property
    def name(self) -> str:
        return self.entry.feature

    @property
    def counted(self) -> list[Tried]:
        return [each for each in self.tried if each.counts]

    @property
    def noticed(self) -> int:
        return sum(each.outcome == "noticed" for each in self.counted)

    @property
    def survivors(self) -> list[Tried]:
        return [each for each in self.counted if each.outcome == "survived"]

    def interval(self, level: float = 0.95) -> Interval:
        """Of the share noticed; the share itself where every mutant that can be made was tried."""
        if not self.waiting and self.counted:
            share = self.noticed / len(self.counted)
            return Interval(share, share, level)
        return wilson(self.noticed, len(self.counted), level)


@dataclass(frozen=True)
class Study:
    """All features, with `per_feature` mutants each in the pool."""

    features: tuple[OfFeature, ...]
    per_feature: int

    @property
    def pooled(self) -> list[Tried]:
        return [each for feature in self.features for each in feature.tried if each.pooled and each.counts]

    @property
    def noticed(self) -> int:
        return sum(each.outcome == "noticed" for each in self.pooled)

    @property
    def tried(self) -> list[Tried]:
        return [each for feature in self.features for each in feature.tried]

    def share(self) -> Rate:
        """Of the pooled mutants, those that were noticed."""
        return kill_ratio(self.noticed, len(self.pooled))

    @property
    def share_equivalent(self) -> float:
        """Of the mutants drawn, those that somebody called equivalent."""
        called = sum(feature.equivalent for feature in self.features)
        return called / max(1, called + len(self.tried))

    @property
    def barren(self) -> tuple[OfFeature, ...]:
        """Features at whose places nothing can be mutated."""
        return tuple(feature for feature in self.features if not feature.counted)

    @property
    def level(self) -> float:
        return 1 - 0.05 / max(1, len(self.features))

    def unnoticed(self) -> tuple[OfFeature, ...]:
        """Features of which surely too few mutants are noticed, the worst first."""
        alone = self.per_feature >= ALONE
        surely = [
            feature
            for feature in self.features
            if feature.survivors and feature.interval(0.95 if alone else self.level).high < SHARE
        ]
        return tuple(sorted(surely, key=lambda each: each.noticed / len(each.counted)))

    def undecided(self) -> tuple[OfFeature, ...]:
        """Features judged alone whose interval spans the limit."""
        if self.per_feature < ALONE:
            return ()
        return tuple(each for each in self.features if each.interval().low < SHARE <= each.interval().high)


def study(tree: CopiedTree, said: Declared, before: Unmutated, *, seed: int, effort: Effort) -> Study:
    """Draws and tries mutants. Raises PartFailure for a place that is not there, Withheld where a control fails."""
    files = _files(tree, said.tested)
    limit = max(_SHORTEST_LIMIT, _LONGER * before.seconds)
    found = {entry.feature: _candidates(entry, files) for entry in said.tested}
    sharing: dict[object, list[str]] = {}
    for name, candidates in found.items():
        for key in candidates:
            sharing.setdefault(key, []).append(name)
    runner = _Runner(tree, said.tested, sharing, limit, said.equivalent)
    turned = np.random.default_rng(seed).permutation(len(files))
    shuffled = {path: files[path] for path in np.array(sorted(files))[turned].tolist()}
    _require_controls(runner, shuffled, said.tested, 1 if effort == "quick" else len(files))
    features = [
        OfFeature(entry, _drawn(found[entry.feature], sharing, seed, number))
        for number, entry in enumerate(said.tested)
    ]
    wanted = max(PER_FEATURE[effort], math.ceil(FEWEST_POOLED / len(features)))
    used: set[object] = set()
    for _ in range(wanted):
        for feature in features:
            runner.try_next(feature, used, pooled=True)
    pooled = Study(tuple(features), wanted)
    for feature in features:
        _look_closer(runner, feature, used, pooled)
    return pooled


def _look_closer(runner: _Runner, feature: OfFeature, used: set[object], found: Study) -> None:
    """One mutant after another, as long as the feature can still turn out untested, or its interval spans the limit."""
    alone = found.per_feature >= ALONE
    most = 3 * ALONE if alone else max(CLOSER, found.per_feature)
    while feature.survivors and feature.waiting and len(feature.counted) < most:
        missing = most - len(feature.counted)
        hopeless = wilson(feature.noticed, len(feature.counted) + missing, found.level).high >= SHARE
        span = feature.interval()
        if (hopeless and not alone) or (alone and not span.low < SHARE <= span.high):
            return
        runner.try_next(feature, used, pooled=False)


class _Runner:
    """Tries mutants of features, and leaves out those that are known to change nothing."""

    def __init__(
        self,
        tree: CopiedTree,
        entries: Sequence[FeatureCode],
        sharing: Mapping[object, Sequence[str]],
        limit: float,
        equivalent: Sequence[EquivalentMutant],
    ) -> None:
        self._tree, self._limit, self._sharing = tree, limit, sharing
        self._tests = {entry.feature: entry.tests for entry in entries}
        self._equivalent = {(e.path, e.before, e.after) for e in equivalent if e.reason.strip() and e.reviewer.strip()}

    def try_next(self, feature: OfFeature, used: set[object], *, pooled: bool) -> None:
        """Tries mutants that are waiting until one counts. A change that another feature drew comes last."""
        while feature.waiting:
            fresh = next((place for place, each in enumerate(feature.waiting) if each.key not in used), 0)
            candidate = feature.waiting.pop(fresh)
            used.add(candidate.key)
            mutant = candidate.mutant()
            if mutant is None:
                continue
            if (mutant.path, mutant.before, mutant.after) in self._equivalent:
                feature.equivalent += 1
                continue
            outcome = self.outcome(feature.name, mutant.path, mutant.text, self._sharing[candidate.key])
            feature.tried.append(Tried(feature.name, mutant, outcome, pooled))
            if outcome != "crashed":
                return

    def outcome(self, feature: str, path: str, text: str, sharing: Sequence[str] = ()) -> str:
        """What the tests of the feature, and then those of the features that share the code, make of the change."""
        tests = dict.fromkeys(test for name in (feature, *sharing) for test in self._tests[name])
        run = self._tree.run(tuple(tests), seconds=self._limit, change=(path, text))
        if run.crashed is not None:
            return "crashed"
        return "noticed" if run.failed else "survived"


def _files(tree: CopiedTree, entries: Sequence[FeatureCode]) -> dict[str, source_places.SourceFile]:
    try:
        paths = {source_places.path_of(place) for entry in entries for place in entry.places}
        return {path: source_places.read(tree.tree, path) for path in sorted(paths)}
    except source_places.NoSuchPlace as error:
        raise PartFailure(f"feature_code() names a place that is not there: {error}") from error


def _candidates(entry: FeatureCode, files: Mapping[str, source_places.SourceFile]) -> dict[object, Candidate]:
    """Everything that can be mutated at the places of a feature, each change once."""
    found: dict[object, Candidate] = {}
    for place in entry.places:
        try:
            found |= {each.key: each for each in source_mutants.candidates(files[source_places.path_of(place)], place)}
        except source_places.NoSuchPlace as error:
            raise PartFailure(f"feature_code() names a place of {entry.feature} that is not there: {error}") from error
    return found


def _drawn(
    candidates: Mapping[object, Candidate], sharing: Mapping[object, Sequence[str]], seed: int, number: int
) -> list[Candidate]:
    """All of them in an order that is random with weights (Efraimidis and Spirakis 2006)."""
    chance = np.random.default_rng((seed, number)).random(len(candidates))
    weighted = [u ** len(sharing[key]) for u, key in zip(chance.tolist(), candidates, strict=True)]
    everything = list(candidates.values())
    return [everything[place] for place in np.argsort(weighted)[::-1].tolist()]


def _require_controls(
    runner: _Runner,
    files: Mapping[str, source_places.SourceFile],
    entries: Sequence[FeatureCode],
    number: int,
) -> None:
    """A file that cannot be imported must be noticed, and a comment at the end of `number` files must not."""
    about = {
        path: next(e.feature for e in entries if any(source_places.path_of(place) == path for place in e.places))
        for path in files
    }
    broken = (runner.outcome(about[path], path, f"raise RuntimeError()\n{file.text}") for path, file in files.items())
    if all(outcome == "survived" for outcome in broken):
        raise Withheld(
            f"the tests pass although {', '.join(files)} cannot be imported, so that mutants tell nothing: name the "
            "tests that look at this code, or the code that these tests look at",
            ReasonCode.CIRCULAR,
        )
    for path in [*files][:number]:
        if runner.outcome(about[path], path, f"{files[path].text}\n# A comment.\n") != "survived":
            raise Withheld(
                f"the tests of {about[path]} fail when a comment is added to {path}: they look at the text of the code "
                "and not at what it does, and would notice a mutant for no good reason",
                ReasonCode.CIRCULAR,
            )
