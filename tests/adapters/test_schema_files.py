from __future__ import annotations

from pathlib import Path

import pandera.ibis as pandera_ibis
import pandera.io.ibis_io as ibis_io
import pandera.io.pandas_io as pandas_io
import pandera.io.polars_io as polars_io
import pandera.pandas as pandera_pandas
import pandera.polars as pandera_polars
import pytest

from mltest.adapters import schema_files
from mltest.evidence import PartFailure


@pytest.mark.parametrize(
    ("pandera", "writer"), [(pandera_polars, polars_io), (pandera_pandas, pandas_io), (pandera_ibis, ibis_io)]
)
def test_what_pandera_writes_is_read_again(tmp_path: Path, pandera: object, writer: object) -> None:
    column = pandera.Column(float, [pandera.Check.in_range(0, 1)], nullable=True)  # type: ignore[attr-defined]
    path = tmp_path / "schema.yaml"
    path.write_text(writer.to_yaml(pandera.DataFrameSchema({"share": column})))  # type: ignore[attr-defined]
    read = schema_files.read(path)
    assert type(read) is pandera.DataFrameSchema  # type: ignore[attr-defined]
    assert read.columns["share"].checks[0].statistics["max_value"] == 1
    assert read.columns["share"].nullable


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no 'columns'"),
        ("- a\n- b\n", "has no 'columns'"),
        ("columns:\n  a: [\n", "line 3"),
        (b"columns:\n  a: \xff\n", "is not UTF-8 text"),
        ("columns:\n  a: {dtype: Float64}\n  a: {dtype: String}\n", "line 3: the key 'a' occurs twice"),
        ("x: &a [1]\ncolumns: {b: *a}\n", "line 2: aliases are not read"),
        (
            "columns: !!python/object/apply:os.system ['touch taken-over']\n",
            "line 1: could not determine a constructor",
        ),
        ("schema_type: spreadsheet\ncolumns: {}\n", "schema_type 'spreadsheet' is not read"),
        ("columns:\n  a: {dtype: Flaot64}\n", "is not a pandera schema"),
        ("columns:\n  a: {dtype: Float64, checks: {in_rnage: {min_value: 0}}}\n", "is not a pandera schema"),
        (
            "columns:\n  a: {dtype: Float64, nulable: true}\n",
            "columns.a.nulable: unknown key; did you mean 'nullable'?",
        ),
        ("columns:\n  a: {in_rnage: {min_value: 0}}\n", "columns.a.in_rnage: unknown key; did you mean 'in_range'?"),
        ("columns: {}\nstrct: true\n", "strct: unknown key; did you mean 'strict'?"),
        ("columns: {a: Float64}\n", "'columns' is no mapping"),
        ("columns: {" + "a: {" * 3000, "is not YAML that can be read"),
        ("#" * 1_000_001, "is larger than 1 MB"),
    ],
)
def test_a_file_that_is_no_schema_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | bytes, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "schema.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(PartFailure) as caught:
        schema_files.read(path)
    assert str(caught.value).startswith("schema.yaml: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "taken-over").exists()


def test_without_pandera_it_says_which_extra_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandera.io", None)
    path = tmp_path / "schema.yaml"
    path.write_text("columns: {}\n")
    with pytest.raises(PartFailure, match=r"install pytest-ml-score\[schema\]"):
        schema_files.read(path)
