"""What was counted of a probe holds for its code: another comment does not matter, another number does."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltest.faults import probe_code

SUITE = """\"\"\"A suite.\"\"\"

from mltest.probes import schema_power


def test_it() -> None:
    limit = 0.9
    assert schema_power, limit
"""


def digest(folder: Path, source: str) -> str:
    path = folder / "test_mlscore_a_suite.py"
    path.write_text(source)
    return probe_code.digest_of(path)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("limit = 0.9", "limit  =  0.9  # a reason"),
        ("A suite.", "Another text."),
        ("def test_it() -> None:\n", 'def test_it() -> None:\n    "It says more."\n'),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(tmp_path: Path, was: str, becomes: str) -> None:
    assert digest(tmp_path, SUITE) == digest(tmp_path, SUITE.replace(was, becomes))


def test_another_limit_counts(tmp_path: Path) -> None:
    assert digest(tmp_path, SUITE) != digest(tmp_path, SUITE.replace("0.9", "0.8"))


def test_what_the_suite_imports_counts_too(tmp_path: Path) -> None:
    assert digest(tmp_path, SUITE) != digest(tmp_path, SUITE.replace("schema_power", "schema_report"))


def test_what_that_imports_counts_as_well(tmp_path: Path) -> None:
    path = tmp_path / "test_mlscore_a_suite.py"
    path.write_text(SUITE.replace("schema_power", "schema_report"))
    found = probe_code._closure(path)
    assert "mltest.probes.schema_report" in found
    assert "mltest.tables.violations" in found
