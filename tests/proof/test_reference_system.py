"""The probes can fail: faults of flights injected into the reference system, and their twins.

Every trial runs the item's own suite through real pytest. What the vacuity operators do to each probe is shown beside
the probes, on small systems, in tests/suites.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mltest import resources
from mltest.evidence import Verdict
from mltest.faults import find
from mltest.faults.trial import Trial, run
from mltest.system import SystemRef

CAUSES: Mapping[str, Mapping[str, str]] = {
    "data.schema": {"ETA-D1-celsius": "humid", "O-D1-c": "carrier"},
    "data.benefit": {"O-D2-a": "injected_noise_0 saves less", "O-D2-b": "distance_converted says what distance says"},
    "data.privacy": {
        "O-D5-a": "flights.crew_email",
        "O-D5-b": "payloads.jsonl",
        "O-D5-c": "has mode 0666: anybody may change it",
        "O-D5-d": "apply the list",
    },
    "data.agility": {
        "O-D6-a": "adding drill_departures_5min takes 2 edits",
        "O-D6-c": "of the effect of drill_departures_5min in the trained model shows",
    },
    "data.cost": {
        "O-D3-a": "band_recent_air_time_24h takes .* µs .*allowed are 200",
        "O-D3-d": "reads .*ratings_of_another_team.csv, which its source",
    },
    "data.requirements": {"ETA-D4-weather": "follows the future", "O-D4-c": "schedule_adjustment follows the future"},
    "data.feature_code": {"O-D7-a": "muted|no test ran", "ETA-D7-clock": "mutants of \\w+_minute its tests notice"},
    "model.baseline": {"O-M5-b": "a simpler model is better", "ETA-M5-decay": "a simpler model is better"},
    "model.slices": {"ETA-M6-carrier": "carrier = WN", "ETA-M6-join": "dest = DEN .* join"},
    "model.offline_online": {"O-M2-b": "the offline evaluation leaves out 20", "O-M2-c": "not those of its key"},
    "model.inclusion": {"O-M7-a": "community = territory .* predicted too low", "O-M7-b": "community = territory has"},
    "model.hyperparameters": {"O-M3-b": "choose on validation rows", "O-M3-c": "the trials hardly differ"},
    "model.staleness": {"O-M4-b": "count from that row", "O-M4-e": "days older than a fresh one lose"},
    "infra.reproducibility": {"ETA-I1-vocabulary": "only the process was another", "O-I1-a": "seed every generator"},
    "infra.integration": {"O-I3-a": "no planted row reached the features", "O-I3-b": "no error came"},
    "monitoring.skew": {"ETA-MON3-hour": "scheduled_hour differs", "ETA-MON3-summer": "clocks .* are not changed"},
    "monitoring.numerics": {"O-MON5-a": "without a number", "O-MON5-c": "inputs answered in silence: .* = inf"},
}
"""For each item two faults, and what its message must say about each."""

SYSTEMS: Mapping[str, str] = {
    "model.baseline": "system",
    "model.inclusion": "system",
    "model.offline_online": "system",
    "infra.integration": "system",
}
"""One airport in two months is too little to show a gain of 1 % over ridge, or to learn a planted airline so well that
chance in its name plays no part; everything else is shown on the sample."""

ELSEWHERE = ("model.review",)
"""One person made this system, and nobody else can have approved it: tests/suites shows this probe with two keys."""

FAULTS = [(item, fault) for item, causes in CAUSES.items() for fault in causes]


Place = Callable[[str], SystemRef]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where an item is tried; features and champion are made once for all workers."""
    own = tmp_path_factory.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "proof"
    root.mkdir(exist_ok=True)
    work = Path(tmp_path_factory.mktemp("trials"))

    def of(item: str) -> SystemRef:
        source = f"reference_system.readiness:{SYSTEMS.get(item, 'sample')}"
        return SystemRef(source, root, work, cache=root / ".ml-score" / "cache")

    return of


def told(trial: Trial) -> str:
    return f"{trial.outcome}: {trial.message} (alive: {trial.alive})"


@pytest.mark.parametrize(("item", "fault"), FAULTS)
def test_a_fault_at_the_dose_to_be_caught_turns_its_item_red_and_is_named(place: Place, item: str, fault: str) -> None:
    trial = run(place(item), item, find(fault).ref(), in_process=True)
    assert (trial.outcome, trial.verdict) == ("caught", Verdict.FAILED), told(trial)
    assert re.search(CAUSES[item][fault], trial.message), told(trial)


@pytest.mark.parametrize(("item", "fault"), FAULTS)
def test_its_harmless_twin_stays_quiet(place: Place, item: str, fault: str) -> None:
    trial = run(place(item), item, find(f"{fault}.twin").ref(), in_process=True)
    assert (trial.outcome, trial.verdict) == ("quiet", Verdict.PASSED), told(trial)


@pytest.mark.parametrize(("item", "fault"), [(item, next(iter(causes))) for item, causes in CAUSES.items()])
def test_the_machinery_at_dose_0_is_not_noticed(place: Place, item: str, fault: str) -> None:
    trial = run(place(item), item, find(fault).ref(0), in_process=True)
    assert (trial.outcome, trial.verdict) == ("quiet", Verdict.PASSED), told(trial)


def test_the_proof_speaks_of_every_probe_that_there_is() -> None:
    suites = {suite.stem for suite in Path(resources.path("suites")).glob("*/test_mlscore_*.py")}
    assert suites == {f"test_mlscore_{item.replace('.', '_')}" for item in (*CAUSES, *ELSEWHERE)}
    assert all(len(causes) >= 2 for causes in CAUSES.values())
