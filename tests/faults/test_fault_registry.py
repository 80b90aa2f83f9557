"""The one door for faults: declared in one function, found again by any process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mltest
from mltest.faults import FaultError, NotApplicable, apply_all, find, parse, resolve
from mltest.system import FaultRef, System

CONFTEST = '''
import pyarrow as pa
import mltest
from mltest.faults.parts import ExchangedData


@mltest.fault("USER-1", item="data.schema", seam="raw", doses=(1, 5), must_catch=5, parts=("data",))
def heavier_parcels(system, dose, workdir):
    """Parcels weigh `dose` kilograms more."""
    def heavier(split, rows):
        weight = pa.array([w + dose for w in rows.column("weight").to_pylist()])
        return rows.set_column(rows.schema.get_field_index("weight"), "weight", weight)
    return system.with_parts(data=ExchangedData(system.data, rows=heavier))
'''

OTHER_PROCESS = """
import json, sys
from pathlib import Path
from mltest.construction import build
from mltest.system import FaultRef, SystemRef

plain = json.loads(sys.argv[1])
refs = tuple(FaultRef(**fault) for fault in plain["faults"])
system = build(SystemRef(source=plain["source"], root=Path(plain["root"]), workdir=Path(plain["workdir"]), faults=refs))
print(sum(system.data.dataset("holdout").column("weight").to_pylist()))
"""


def unchanged(system: System, dose: float, workdir: Path) -> System:
    """Nothing happens."""
    return system


def weight_in_another_process(ref: FaultRef, source: str, root: Path, workdir: Path) -> float:
    plain = {
        "faults": [{"fault": ref.fault, "dose": ref.dose, "module": ref.module}],
        "source": source,
        "root": str(root),
        "workdir": str(workdir),
    }
    command = [sys.executable, "-c", OTHER_PROCESS, json.dumps(plain)]
    done = subprocess.run(command, cwd=workdir, capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_one_decorated_function_registers_a_fault() -> None:
    mltest.fault("X-1", item="data.schema", seam="raw", doses=(1, 2))(unchanged)
    found = find("X-1")
    assert (found.item, found.seam, found.doses, found.must_catch) == ("data.schema", "raw", (1.0, 2.0), 2.0)
    assert found.summary == "Nothing happens."
    assert found.kind == "fault"


def test_a_twin_takes_item_seam_and_parts_from_its_fault() -> None:
    mltest.fault("X-1", item="data.schema", seam="raw", parts=("data",))(unchanged)
    mltest.twin("X-1")(lambda system, dose, workdir: system)
    found = find("X-1.twin")
    assert (found.kind, found.twin_of, found.item, found.seam, found.parts) == (
        "twin",
        "X-1",
        "data.schema",
        "raw",
        ("data",),
    )


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"seam": "sea"}, "seam 'sea' is none of raw, feat"),
        ({"doses": (2, 1)}, "doses 2, 1 must rise"),
        ({"doses": (1, 1)}, "doses 1, 1 must rise"),
        ({"doses": ()}, "at least one"),
        ({"doses": (0, 1)}, "doses are positive"),
        ({"must_catch": 3}, "must_catch=3 is not among its doses 1, 2"),
        ({"id": "a=b"}, "no '=', '@'"),
        ({"item": ""}, "it names no item"),
        ({"parts": ("date",)}, "parts date must be among data, features"),
        ({"alive": "yes"}, "alive must be a function"),
    ],
)
def test_a_wrong_declaration_gives_one_clear_line(wrong: dict[str, Any], expected: str) -> None:
    declared: dict[str, Any] = {"id": "X-1", "item": "data.schema", "seam": "raw", "doses": (1, 2), **wrong}
    with pytest.raises(FaultError) as raised:
        mltest.fault(declared.pop("id"), **declared)(unchanged)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_function_that_takes_something_else_is_refused() -> None:
    def two(system: System, dose: float) -> System:
        return system

    with pytest.raises(FaultError, match=r"two must take \(system, dose, workdir\)"):
        mltest.fault("X-1", item="data.schema", seam="raw")(two)  # type: ignore[arg-type]


def test_two_functions_cannot_share_an_id() -> None:
    mltest.fault("X-1", item="data.schema", seam="raw")(unchanged)
    with pytest.raises(FaultError, match="'X-1' is registered twice"):
        mltest.fault("X-1", item="data.schema", seam="raw")(lambda system, dose, workdir: system)


def test_the_same_function_may_come_by_twice() -> None:
    mltest.fault("X-1", item="data.schema", seam="raw")(unchanged)
    mltest.fault("X-1", item="data.schema", seam="raw", doses=(1, 2))(unchanged)
    assert find("X-1").doses == (1.0, 2.0)


def test_a_twin_without_its_fault_is_refused() -> None:
    with pytest.raises(FaultError, match="no fault 'X-9' is registered: register the fault first"):
        mltest.twin("X-9")(unchanged)


def test_an_unknown_id_suggests_the_nearest_one() -> None:
    with pytest.raises(FaultError, match="did you mean O-D1-a"):
        find("O-D1a")


def test_a_fault_is_written_as_id_dose_and_module() -> None:
    assert parse("O-D1-a") == FaultRef("O-D1-a", 7.0, "mltest.faults.operators_raw")
    assert parse("O-D1-a=1").dose == 1.0
    assert parse("O-D1-a=0").dose == 0.0
    assert parse("O-D1-a=30@mltest.faults.operators_raw").module == "mltest.faults.operators_raw"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O-D1-a=much", "the dose 'much' is no number"),
        ("O-D1-a=2", "has no dose 2: choose 0 or one of 1, 7, 30"),
        ("O-D1-a=1@no.such.module", "cannot import no.such.module"),
        ("X=1@/no/such/conftest.py", "there is no file"),
    ],
)
def test_a_fault_that_cannot_be_had_says_so_in_one_line(text: str, expected: str) -> None:
    with pytest.raises(FaultError) as raised:
        parse(text)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_module_that_registers_something_else_is_named() -> None:
    with pytest.raises(FaultError, match=r"'X-1' is not registered by json"):
        resolve(FaultRef("X-1", 1.0, "json"))


def test_a_reference_without_dose_and_module_means_the_dose_to_be_caught(parcels: System, tmp_path: Path) -> None:
    faulted = apply_all(parcels, [FaultRef("O-D1-a", float("nan"), "")], tmp_path)
    assert faulted.data is not parcels.data
    assert (tmp_path / "fault-O-D1-a-7").is_dir()


def test_a_system_without_the_part_is_told_apart_from_a_missed_fault(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="needs the part 'data', which bare does not offer"):
        apply_all(System(name="bare", task="regression"), [parse("O-D1-a")], tmp_path)


def test_a_fault_of_a_conftest_is_rebuilt_in_another_process(reference: Any, tmp_path: Path) -> None:
    conftest = tmp_path / "conftest.py"
    conftest.write_text(CONFTEST, encoding="utf-8")
    ref = parse(f"USER-1=5@{conftest}")
    assert resolve(ref).module == str(conftest)
    healthy = weight_in_another_process(parse("O-D1-a=0"), reference.source, reference.root, tmp_path)
    faulted = weight_in_another_process(ref, reference.source, reference.root, tmp_path)
    rows = len(_holdout())
    assert faulted == pytest.approx(healthy + 5 * rows)


def test_a_fault_of_ours_is_rebuilt_in_another_process_with_the_same_rows(reference: Any, tmp_path: Path) -> None:
    from tests.faults import synthetic_system

    ref = parse("O-D1-b=0.01@mltest.faults.operators_raw")
    here = apply_all(synthetic_system.system(reference), [ref], tmp_path)
    assert here.data is not None
    there = weight_in_another_process(ref, reference.source, reference.root, tmp_path)
    assert there == pytest.approx(sum(here.data.dataset("holdout").column("weight").to_pylist()))


def test_an_installed_package_registers_through_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "parcel_faults.py").write_text(CONFTEST.replace("USER-1", "PACKAGE-1"), encoding="utf-8")
    metadata = tmp_path / "parcel_faults-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: parcel-faults\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[mltest.faults]\nparcels = parcel_faults\n", encoding="utf-8")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import mltest.faults as f; print(f.find('PACKAGE-1').module)"
    assert said_by(code, str(tmp_path)) == "parcel_faults"


def test_asking_for_the_door_imports_nothing_heavy() -> None:
    code = "import sys, mltest; mltest.fault; print([name for name in sys.argv[1:] if name in sys.modules])"
    assert said_by(code, "numpy", "pyarrow", "torch", "pandas") == "[]"


def said_by(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _holdout() -> list[dict[str, Any]]:
    from tests.faults import synthetic_system

    rows: list[dict[str, Any]] = synthetic_system.ParcelData().dataset("holdout").to_pylist()
    return rows
