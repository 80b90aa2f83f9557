"""The project's own tests of its feature code, before anything is mutated: which features have any, and do they run?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltest import offers
from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.feature_code import HOW_TO_OFFER, EquivalentMutant, FeatureCode
from mltest.probes import model_inputs, source_places
from mltest.probes.tested_tree import CopiedTree, RunOfTests

TIMES = 3
"""How often the tests run on the unmutated code: one that passes and fails there would notice mutants by chance."""
LONGEST_SECONDS = 120.0
RAN = ("passed", "xpassed", "xfailed", "failed")


@dataclass(frozen=True)
class Declared:
    """What the repository says about its feature code, and what the model reads."""

    root: Path
    test_command: tuple[str, ...]
    entries: tuple[FeatureCode, ...]
    inputs: tuple[str, ...]
    equivalent: tuple[EquivalentMutant, ...]

    @property
    def tested(self) -> tuple[FeatureCode, ...]:
        """Entries of what the model reads, with a place and a test each; several of one feature are joined."""
        return tuple(entry for entry in self.entries if entry.places and entry.tests)

    @property
    def untested(self) -> tuple[str, ...]:
        """Inputs of the model that no entry tests."""
        named = {entry.feature for entry in self.tested}
        return tuple(name for name in self.inputs if name not in named)


@dataclass(frozen=True)
class OwnTests:
    """How many tests of a feature were collected, how many of them ran, and which are muted, with the reason."""

    feature: str
    collected: int
    ran: int
    muted: Mapping[str, str]


@dataclass(frozen=True)
class Unmutated:
    """The tests on the code as it is: what they did in the last run, which changed their mind, and for how long."""

    by_feature: tuple[OwnTests, ...]
    flaky: tuple[str, ...]
    seconds: float
    loaded: tuple[str, ...]

    @property
    def without_tests(self) -> tuple[OwnTests, ...]:
        return tuple(each for each in self.by_feature if not each.ran)

    def unsteadiness(self) -> str:
        """Why nothing follows from tests that change their mind."""
        more = f" and {len(self.flaky) - 3} more" if len(self.flaky) > 3 else ""
        return (
            f"in {TIMES} runs on the same code {', '.join(self.flaky[:3])}{more} passed and failed, and all must "
            "agree: make the tests give one answer, so that a mutant is not noticed by chance"
        )

    @property
    def muted(self) -> Mapping[str, str]:
        return {test: reason for each in self.by_feature for test, reason in each.muted.items()}


def declared(repository: Any, model: Any, training: Any, data: Any) -> Declared:
    """What the repository offers. Raises Withheld when it offers no feature code, or nobody knows what is read."""
    offered = offers.require(repository, "feature_code", HOW_TO_OFFER)
    inputs = model_inputs.of_parts(model, None, None) or model_inputs.of_parts(None, training, data)
    if not inputs:
        raise Withheld(
            "nobody says which inputs the model reads, so nobody can say whether their code is tested: give the model "
            "metadata with its inputs, or name them in the roles",
            ReasonCode.PART_MISSING,
        )
    entries = _joined(offered())
    if not entries:
        raise Withheld(f"the repository names no feature code: {HOW_TO_OFFER}", ReasonCode.PART_MISSING)
    equivalent = getattr(repository, "equivalent_mutants", None)
    command = tuple(getattr(repository, "test_command", ()) or ())
    known = tuple(entry for entry in entries if entry.feature in inputs)
    return Declared(Path(repository.root), command, known, inputs, tuple(equivalent()) if equivalent else ())


def unmutated(tree: CopiedTree, said: Declared) -> Unmutated:
    """Runs all tests that are named, three times.

    Raises PartFailure when they fail on the code as it is, or when they import it from somewhere else than the copy,
    and Withheld when a place lies within the tests themselves.
    """
    tests = tuple(dict.fromkeys(test for entry in said.tested for test in entry.tests))
    _require_code_and_tests_apart(said.tested)
    runs = [tree.run(tests, seconds=LONGEST_SECONDS)]
    tree.load(runs[0].libraries)
    runs += [tree.run(tests, seconds=LONGEST_SECONDS) for _ in range(TIMES - 1)]
    flaky = _flaky(runs)
    if not flaky:
        _require_success(runs[-1])
        _require_the_copy(tree, runs[-1], said.tested)
    by_feature = tuple(_of_feature(entry, runs[-1]) for entry in said.tested)
    return Unmutated(by_feature, flaky, max(run.seconds for run in runs[1:]), runs[-1].loaded)


def belongs(nodeid: str, tests: Iterable[str]) -> bool:
    """Whether the id is one of these, a case of it, or within it."""
    return any(nodeid == test or nodeid.startswith((f"{test}[", f"{test}::")) for test in tests)


def _joined(entries: Sequence[FeatureCode]) -> tuple[FeatureCode, ...]:
    found: dict[str, FeatureCode] = {}
    for entry in entries:
        known = found.get(entry.feature, FeatureCode(entry.feature, (), ()))
        places = tuple(dict.fromkeys((*known.places, *entry.places)))
        found[entry.feature] = FeatureCode(entry.feature, places, tuple(dict.fromkeys((*known.tests, *entry.tests))))
    return tuple(found.values())


def _require_code_and_tests_apart(entries: Sequence[FeatureCode]) -> None:
    tests = {test.partition("::")[0] for entry in entries for test in entry.tests}
    for entry in entries:
        for place in entry.places:
            if source_places.path_of(place) in tests:
                raise Withheld(
                    f"the code of {entry.feature} is said to lie in {source_places.path_of(place)}, one of its tests: "
                    "name the code that computes the feature in production",
                    ReasonCode.CIRCULAR,
                )


def _flaky(runs: Sequence[RunOfTests]) -> tuple[str, ...]:
    names = dict.fromkeys(name for run in runs for name in run.outcomes)
    changed = [name for name in names if len({run.outcomes.get(name, "not run") for run in runs}) > 1]
    return tuple(changed) or (("the run as a whole",) if len({run.failed for run in runs}) > 1 else ())


def _require_success(run: RunOfTests) -> None:
    if run.failed:
        raise PartFailure(
            f"the project's own tests fail on its own code, before anything is mutated ({run.failure}): mend them, or "
            "name sharp ones that end in seconds and need nothing of what is hidden or installed in the tree"
        )


def _require_the_copy(tree: CopiedTree, run: RunOfTests, entries: Sequence[FeatureCode]) -> None:
    for path in {source_places.path_of(place) for entry in entries for place in entry.places}:
        real, copied = str(tree.root / path), str(tree.tree / path)
        if real in run.loaded and copied not in run.loaded:
            raise PartFailure(
                f"the tests import {path} from where it is installed and not from the tree that they lie in, so that "
                "no mutant would ever be seen: make the folder of the package importable by a path below the root"
            )


def _of_feature(entry: FeatureCode, run: RunOfTests) -> OwnTests:
    outcomes = {name: outcome for name, outcome in run.outcomes.items() if belongs(name, entry.tests)}
    muted = {name: reason for name, reason in run.muted.items() if belongs(name, entry.tests)}
    ran = sum(outcome in RAN and name not in muted for name, outcome in outcomes.items())
    return OwnTests(entry.feature, len(outcomes), ran, muted)
