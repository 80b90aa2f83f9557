from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from mltest.adapters import duckdb_files
from mltest.adapters.frames import FileData
from mltest.evidence import PartFailure
from mltest.manifest_keys import DataKeys
from mltest.system import Data

Made = Callable[..., FileData]

ROWS = pa.table(
    {
        "id": ["a", "b", "c"],
        "at": pa.array([datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)], pa.timestamp("us", "UTC")),
        "region": ["east", "west", "east"],
        "distance": [1.0, 2.0, 3.0],
        "carrier": ["AA", "UA", "AA"],
        "delay": [5.0, 6.0, 7.0],
    }
)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Data over files in a folder of its own; tables are written as parquet, texts as they are."""
    folder = tmp_path / "system"
    folder.mkdir()

    def make(files: dict[str, pa.Table | str | bytes], **keys: object) -> FileData:
        for name, content in files.items():
            if isinstance(content, pa.Table):
                parquet.write_table(content, folder / name)
            else:
                (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        given = {"training": next(iter(files)), "target": "delay", **keys}
        return FileData(folder, DataKeys.model_validate(given), tmp_path / "work")

    return make


def one_line(problem: pytest.ExceptionInfo[BaseException]) -> str:
    said = str(problem.value)
    assert "\n" not in said
    return said


def test_it_is_a_data_part_and_its_rows_are_those_of_the_files(made: Made) -> None:
    data = made({"train.parquet": ROWS, "test.parquet": ROWS.slice(0, 2)}, holdout="test.parquet")
    assert isinstance(data, Data)
    assert data.dataset("train").to_pyarrow().num_rows == 3
    assert data.dataset("holdout").count().execute() == 2


def test_columns_without_another_role_are_inputs(made: Made) -> None:
    data = made({"train.parquet": ROWS}, keys=["id"], time="at", slices=["region"])
    assert data.roles.inputs == ("distance", "carrier")
    assert (data.roles.target, data.roles.time, data.roles.slices) == ("delay", "at", ("region",))


def test_inputs_that_are_named_are_the_inputs_and_a_data_set_holds_nothing_without_a_role(made: Made) -> None:
    data = made({"train.parquet": ROWS}, inputs=["distance", "region"], slices=["region"])
    assert data.roles.inputs == ("distance", "region")
    assert data.dataset("train").columns == ("region", "distance", "delay")


def test_a_split_that_nobody_names_is_a_key_error_that_says_how_to_offer_it(made: Made) -> None:
    with pytest.raises(KeyError, match=r"name its table as data\.holdout in the manifest"):
        made({"train.parquet": ROWS}).dataset("holdout")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"target": "dealy"}, "train.parquet: has no column 'dealy', named as data.target; did you mean 'delay'?"),
        ({"time": "when"}, "train.parquet: has no column 'when', named as data.time; it has id, at"),
        ({"slices": ["regoin"]}, "named as data.slices; did you mean 'region'?"),
        ({"inputs": ["distanze"]}, "named as data.inputs; did you mean 'distance'?"),
    ],
)
def test_a_column_that_the_training_table_lacks_is_one_line(made: Made, keys: dict[str, object], said: str) -> None:
    data = made({"train.parquet": ROWS}, **keys)
    with pytest.raises(PartFailure) as caught:
        data.dataset("train")
    assert said in one_line(caught)


def test_a_holdout_without_its_target_is_one_line(made: Made) -> None:
    data = made({"train.parquet": ROWS, "test.parquet": ROWS.drop_columns(["delay"])}, holdout="test.parquet")
    with pytest.raises(PartFailure, match=r"test\.parquet: has no column 'delay', the target"):
        data.dataset("holdout")


def test_an_input_that_a_later_table_lacks_is_left_for_the_schema_to_find(made: Made) -> None:
    data = made({"train.parquet": ROWS, "test.parquet": ROWS.drop_columns(["carrier"])}, holdout="test.parquet")
    assert "carrier" in data.roles.inputs
    assert "carrier" not in data.dataset("holdout").columns


def test_a_table_without_rows_has_none_and_fails_nothing(made: Made) -> None:
    assert made({"train.parquet": ROWS.slice(0, 0)}).dataset("train").count().execute() == 0


def test_a_column_of_nulls_alone_stays_one(made: Made) -> None:
    table = ROWS.set_column(3, "distance", pa.nulls(3, pa.float64()))
    assert made({"train.parquet": table}).dataset("train").to_pyarrow()["distance"].null_count == 3


def test_raw_tables_go_by_the_keys_that_name_them(made: Made) -> None:
    data = made({"train.parquet": ROWS, "labels.csv": "id,delay\na,1\n"}, labels="labels.csv")
    assert set(data.raw()) == {"training", "labels"}
    assert data.raw()["labels"].to_pyarrow().to_pylist() == [{"id": "a", "delay": 1}]


def test_a_window_takes_its_first_instant_and_leaves_its_last(made: Made) -> None:
    data = made({"train.parquet": ROWS}, time="at")
    window = (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
    assert data.raw(window)["training"].to_pyarrow()["id"].to_pylist() == ["b"]


def test_a_window_takes_instants_without_a_zone_for_utc(made: Made) -> None:
    naive = ROWS.set_column(1, "at", ROWS["at"].cast(pa.timestamp("us")))
    data = made({"train.parquet": naive}, time="at")
    window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert data.raw(window)["training"].to_pyarrow()["id"].to_pylist() == ["a"]


@pytest.mark.parametrize(("keys", "said"), [({}, "name its column as data.time"), ({"time": "region"}, "is string")])
def test_a_window_needs_a_column_of_time(made: Made, keys: dict[str, object], said: str) -> None:
    window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(PartFailure, match=said):
        made({"train.parquet": ROWS}, **keys).raw(window)


def test_a_pattern_names_all_files_together(made: Made) -> None:
    data = made({"log-1.parquet": ROWS, "log-2.parquet": ROWS}, training="log-*.parquet")
    assert data.dataset("train").count().execute() == 6


def test_a_csv_keeps_what_looks_like_a_null_or_a_number(made: Made) -> None:
    data = made({"train.csv": "tail,gate,delay\n007,NA,1\n5E3,nan,2\nN1,,3\n"})
    rows = data.dataset("train").to_pyarrow().to_pylist()
    assert [row["tail"] for row in rows] == ["007", "5E3", "N1"]
    assert [row["gate"] for row in rows] == ["NA", "nan", None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_may_use_any_of_four_delimiters_and_quotes(made: Made, delimiter: str) -> None:
    text = delimiter.join(["name", "delay"]) + "\n" + delimiter.join([f'"a{delimiter}b"', "1"]) + "\n"
    rows = made({"train.csv": text}).dataset("train").to_pyarrow().to_pylist()
    assert rows == [{"name": f"a{delimiter}b", "delay": 1}]


def test_a_packed_csv_and_a_byte_order_mark_are_read(made: Made) -> None:
    packed = gzip.compress("\ufeffname,delay\na,1\n".encode())
    assert made({"train.csv.gz": packed}).dataset("train").to_pyarrow().to_pylist() == [{"name": "a", "delay": 1}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,delay\n1,2\n3,4,5\n", "train.csv, line 3: 3 fields, the header has 2"),
        ("a,delay\n1,2\n3\n", "train.csv, line 3: 1 fields, the header has 2"),
        ('a,delay\n1,2\n3,"4\n', "train.csv, line 3: unexpected end of data"),
        (b"a,delay\n1,\xff\n", "not UTF-8 text"),
        ("a,A,delay\n1,2,3\n", "the column name 'a' occurs twice (case does not count)"),
        ("a,,delay\n1,2,3\n", "a column has no name"),
        ("", "has no header line"),
        ("\x00\x01\x02", "has no header line"),
    ],
)
def test_a_csv_that_is_not_one_is_told_with_its_line(made: Made, content: str | bytes, said: str) -> None:
    data = made({"train.csv": content})
    with pytest.raises(PartFailure) as caught:
        data.dataset("train")
    assert said in one_line(caught)


def test_no_row_of_a_long_csv_is_skipped(made: Made) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(50_000))
    with pytest.raises(PartFailure, match=r"line 50002: 3 fields"):
        made({"train.csv": f"a,delay\n{rows}1,2,3\n"}).dataset("train")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("train.parquet", b"a,b\n1,2\n", "is not a parquet file, whatever its name says"),
        ("train.parquet", b"PAR1" + b"\0" * 100, "is a broken parquet file"),
        ("train.pkl", b"\x80\x05cos\nsystem\n", "tables are read from parquet or .csv"),
        ("train.xlsx", b"PK\x03\x04", "tables are read from parquet or .csv"),
    ],
)
def test_content_decides_and_not_the_name(made: Made, name: str, content: bytes, said: str) -> None:
    with pytest.raises(PartFailure) as caught:
        made({name: content}).dataset("train")
    assert said in one_line(caught)


def test_a_file_that_vanished_is_one_line(made: Made) -> None:
    data = made({"train.parquet": ROWS})
    (data.root / "train.parquet").unlink()
    with pytest.raises(PartFailure, match=r"data\.training: there is no file"):
        data.dataset("train")


def test_a_text_far_down_does_not_slip_into_a_column_of_numbers(made: Made) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(50_000))
    table = made({"train.csv": f"a,delay\n{rows}x,1\n"}).dataset("train").to_pyarrow()
    assert table["a"].type == pa.string()
    assert table["a"].to_pylist()[-1] == "x"


HOSTILE = ['"; DROP TABLE x; --', "a'b", "{{7*7}}", "=1+1", "../x", "__class__", "<script>", "a\u202eb", "Größe"]


def test_names_of_columns_are_opaque(made: Made) -> None:
    table = pa.table({**{name: [1] for name in HOSTILE}, "delay": [1]})
    data = made({"train.parquet": table})
    assert data.roles.inputs == tuple(HOSTILE)
    assert data.dataset("train").to_pyarrow().column_names == [*HOSTILE, "delay"]


def test_the_engine_reads_nothing_outside_of_the_folder(made: Made, tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("token\nhunter2\n")
    connection = duckdb_files.connect(made({"train.parquet": ROWS}).root, tmp_path / "work")
    for statement in (
        f"SELECT * FROM read_csv('{outside}')",
        f"COPY (SELECT 1) TO '{tmp_path / 'written.csv'}'",
        f"ATTACH '{tmp_path / 'other.duckdb'}'",
        "SET enable_external_access = true",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
    ):
        with pytest.raises(Exception, match=r"Permission|Cannot|disabled|locked"):
            connection.raw_sql(statement)
    assert not (tmp_path / "written.csv").exists()
