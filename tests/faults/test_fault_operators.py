"""Every fault and twin of the catalogue on a system that has nothing to do with flights."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mltest.faults import Fault, apply_all, registered
from mltest.faults.liveness import anything_changed, difference
from mltest.system import Data, Features, Model, Serving, System, SystemRef, TracedModel, Training
from tests.faults import synthetic_system

CATALOGUE = [known for known in registered() if known.module.startswith("mltest.")]
PROBED = (
    "data.schema",
    "data.benefit",
    "data.privacy",
    "data.requirements",
    "data.cost",
    "data.agility",
    "data.feature_code",
    "model.review",
    "model.baseline",
    "model.slices",
    "model.inclusion",
    "model.hyperparameters",
    "model.staleness",
    "model.offline_online",
    "infra.reproducibility",
    "infra.integration",
    "monitoring.skew",
    "monitoring.numerics",
)


def served(system: System, workdir: Path) -> tuple[list[dict[str, object]], pa.Table]:
    """Answers and log of a server that was sent a day of records."""
    assert system.serving is not None
    assert system.data is not None
    start = synthetic_system.START + timedelta(days=80)
    records = system.serving.records(system.data.raw(), (start, start + timedelta(days=1)))
    with system.serving.start(workdir) as handle:
        answers = [dict(answer) for answer in handle.predict(records)]
        return answers, handle.request_log()


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda fault: fault.id)
def test_a_fault_is_alive_at_the_dose_that_must_be_caught(known: Fault, parcels: System, tmp_path: Path) -> None:
    faulted = apply_all(parcels, [known.ref()], tmp_path)
    sentence = known.alive(parcels, faulted)
    assert sentence, f"{known.id} changed nothing that shows"
    assert "\n" not in sentence


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda fault: fault.id)
def test_dose_0_changes_nothing(known: Fault, parcels: System, tmp_path: Path) -> None:
    untouched = apply_all(parcels, [known.ref(0)], tmp_path)
    assert anything_changed(parcels, untouched) == ""
    assert known.alive(parcels, untouched) == ""
    before, after = served(parcels, tmp_path), served(untouched, tmp_path)
    assert before[0] == after[0]
    assert difference(before[1], after[1]) == ""
    assert before[1].schema == after[1].schema


@pytest.mark.parametrize("known", [f for f in CATALOGUE if f.kind != "vacuity"], ids=lambda fault: fault.id)
def test_a_fault_gives_the_same_rows_in_every_rebuild(known: Fault, reference: SystemRef, tmp_path: Path) -> None:
    if known.item == "infra.reproducibility" and known.kind == "fault":
        pytest.skip("these faults are made of not doing so")
    twice = [apply_all(synthetic_system.system(reference), [known.ref()], tmp_path / name) for name in "ab"]
    assert anything_changed(twice[0], twice[1]) == ""


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda fault: fault.id)
def test_faulted_parts_still_satisfy_their_protocols(known: Fault, parcels: System, tmp_path: Path) -> None:
    if known.id == "V4-raise":
        pytest.skip("an outage answers nothing")
    faulted = apply_all(parcels, [known.ref()], tmp_path)
    protocols = {"data": Data, "features": Features, "training": Training, "serving": Serving}
    for part, protocol in protocols.items():
        assert isinstance(getattr(faulted, part), protocol), part
    if known.id not in ("O-M5-a", "O-M6-a"):
        assert isinstance(faulted.model, Model)
    assert hasattr(type(faulted.model), "trace") == isinstance(faulted.model, TracedModel)


@pytest.mark.parametrize("item", PROBED)
def test_every_probed_item_has_two_faults_each_with_a_twin(item: str) -> None:
    faults = [known for known in CATALOGUE if known.item == item and known.kind == "fault"]
    twins = {known.twin_of for known in CATALOGUE if known.kind == "twin"}
    assert len(faults) >= 2
    assert {known.id for known in faults} <= twins


def test_every_fault_says_what_it_does_and_why_it_is_real() -> None:
    for known in CATALOGUE:
        assert known.summary.endswith("."), known.id
        assert known.why or known.kind == "twin", known.id
        assert len(known.summary) <= 160, known.id


def test_the_eight_vacuity_operators_are_there() -> None:
    operators = [known for known in CATALOGUE if known.kind == "vacuity"]
    assert [known.id[:2] for known in operators] == [f"V{k}" for k in range(1, 9)]
    assert all(known.item == "*" and known.evidence_removal for known in operators)


def test_a_higher_dose_touches_more_rows(parcels: System, tmp_path: Path) -> None:
    assert parcels.data is not None
    clean = parcels.data.dataset("holdout")
    touched = []
    for dose in (1, 7, 30):
        faulted = apply_all(parcels, [_known("O-D1-a").ref(dose)], tmp_path)
        assert faulted.data is not None
        column = faulted.data.dataset("holdout").column("distance").to_numpy()
        touched.append(int(np.sum(column != clean.column("distance").to_numpy())))
    assert 0 < touched[0] < touched[1] < touched[2]


def test_a_changed_column_travels_from_the_raw_table_into_the_features(parcels: System, tmp_path: Path) -> None:
    faulted = apply_all(parcels, [_known("O-D1-a").ref(30)], tmp_path)
    assert faulted.data is not None
    assert faulted.features is not None
    assert parcels.data is not None
    computed = faulted.features.compute(faulted.data.raw()).column("distance").to_numpy()
    clean = parcels.data.raw()["parcels"].column("distance").to_numpy()
    ratios = computed[clean > 0] / clean[clean > 0]
    assert set(np.round(ratios, 6)) == {1.0, 1.609}


def test_label_noise_reaches_the_champion(parcels: System, tmp_path: Path) -> None:
    faulted = apply_all(parcels, [_known("O-M5-a").ref(0.6)], tmp_path)
    assert parcels.data is not None
    assert parcels.model is not None
    assert faulted.model is not None
    rows = parcels.data.dataset("holdout")
    truth = rows.column("hours").to_numpy()
    healthy, noisy = (np.abs(m.predict(rows) - truth).mean() for m in (parcels.model, faulted.model))
    assert noisy > 1.2 * healthy


def test_a_corrupted_slice_is_answered_wrongly_and_the_others_are_not(parcels: System, tmp_path: Path) -> None:
    faulted = apply_all(parcels, [_known("O-M6-d").ref(2)], tmp_path)
    assert parcels.data is not None
    assert parcels.model is not None
    assert faulted.model is not None
    rows = parcels.data.dataset("holdout")
    moved = parcels.model.predict(rows) != faulted.model.predict(rows)
    pairs = set(zip(*(np.array(rows.column(n).to_pylist())[moved] for n in ("depot", "service")), strict=True))
    assert len(pairs) == 1
    assert 0 < moved.mean() < 0.2


def test_masking_hides_an_infinite_input_and_its_twin_flags_the_row(parcels: System, tmp_path: Path) -> None:
    assert parcels.data is not None
    rows = parcels.data.dataset("holdout").slice(0, 3)
    rows = rows.set_column(rows.schema.get_field_index("weight"), "weight", pa.array([np.inf, 1.0, 2.0]))
    masked = apply_all(parcels, [_known("O-MON5-c").ref()], tmp_path).model
    flagged = apply_all(parcels, [_known("O-MON5-c.twin").ref()], tmp_path).model
    assert masked is not None
    assert flagged is not None
    assert np.isfinite(masked.predict(rows)).all()
    assert np.isnan(flagged.predict(rows)).tolist() == [True, False, False]


def test_a_noise_input_is_the_same_on_every_path(parcels: System, tmp_path: Path) -> None:
    faulted = apply_all(parcels, [_known("O-D2-a").ref(1)], tmp_path)
    assert faulted.data is not None
    assert faulted.features is not None
    assert faulted.training is not None
    assert "injected_noise_0" in faulted.data.roles.inputs
    assert "injected_noise_0" in faulted.training.config["inputs"]
    computed = faulted.features.compute(faulted.data.raw())
    noise = dict(
        zip(computed.column("parcel").to_pylist(), computed.column("injected_noise_0").to_pylist(), strict=True)
    )
    for table in (faulted.data.dataset("holdout"), served(faulted, tmp_path)[1]):
        pairs = zip(table.column("parcel").to_pylist(), table.column("injected_noise_0").to_pylist(), strict=True)
        assert all(noise[key] == value for key, value in pairs)
    values = np.array(list(noise.values()))
    assert abs(values.mean()) < 4 / np.sqrt(len(values))
    assert abs(values.std() - 1) < 4 / np.sqrt(2 * len(values))


def _known(fault_id: str) -> Fault:
    return next(known for known in CATALOGUE if known.id == fault_id)
