from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import device, digest

TABLE = pa.table(
    {
        "n": pa.array([1, None, 2**53 + 1]),
        "x": pa.array([0.5, None, -1.0]),
        "t": pa.array(["a", None, "bc"]),
        "d": pa.array([date(2013, 1, 1), None, date(2013, 3, 10)]),
        "b": pa.array([True, None, False]),
        "at": pa.array([0, None, 7], pa.timestamp("us", "UTC")),
    }
)


@pytest.mark.parametrize("column", TABLE.column_names)
def test_every_column_counts(column: str) -> None:
    values = TABLE.column(column).combine_chunks()
    swapped = TABLE.set_column(TABLE.schema.get_field_index(column), column, values.take(pa.array([2, 1, 0])))
    filled = TABLE.set_column(TABLE.schema.get_field_index(column), column, values.take(pa.array([0, 0, 2])))
    assert len({digest.of_table(found) for found in (TABLE, swapped, filled)}) == 3


def test_large_whole_numbers_are_told_apart() -> None:
    assert digest.of_table(pa.table({"n": [2**53]})) != digest.of_table(pa.table({"n": [2**53 + 1]}))


def test_where_one_text_ends_matters() -> None:
    assert digest.of_table(pa.table({"t": ["ab", "c"]})) != digest.of_table(pa.table({"t": ["a", "bc"]}))
    assert digest.of_table(pa.table({"t": ["", "c"]})) != digest.of_table(pa.table({"t": [None, "c"]}))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3))
def test_how_a_table_is_chunked_does_not_matter(cut: int) -> None:
    assert digest.of_table(pa.concat_tables([TABLE.slice(0, cut), TABLE.slice(cut)])) == digest.of_table(TABLE)


def test_a_dictionary_column_counts_by_its_values() -> None:
    text = pa.table({"t": ["b", "a", "b"]})
    coded = pa.table({"t": text["t"].dictionary_encode()})
    other = pa.table({"t": pa.chunked_array([["a", "a", "b"]]).dictionary_encode()})
    assert digest.of_table(coded) != digest.of_table(other)


def test_the_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    assert digest.of_plain({"a": 1, "b": 2}) == digest.of_plain({"b": 2, "a": 1})
    (tmp_path / "f").write_bytes(b"abc")
    assert digest.of_file(tmp_path / "f").startswith("ba7816bf")


def test_the_device_is_the_cpu_when_asked_for_and_cuda_only_where_there_is_one() -> None:
    import torch

    assert device.choose("cpu").type == "cpu"
    assert device.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="no CUDA device"):
            device.choose("cuda")
