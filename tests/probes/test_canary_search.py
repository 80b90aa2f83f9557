"""The search: every form and container that it claims to open, and nothing found where nothing is."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import pickle
import zipfile
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.probes import canary_search, containers, needles
from mltest.probes.canaries import Canary
from mltest.probes.canary_search import CanarySearch
from mltest.system import RawColumn

RIDER = Canary(RawColumn("rides", "rider"), "K48213", "J11234")
PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=20)


def found(data: bytes, canary: Canary = RIDER) -> set[str]:
    search = CanarySearch([canary])
    search.data("file", data)
    return {hit.form for hit in search.hits.values()}


def test_a_search_has_no_blind_spot_among_the_kinds_that_it_tries() -> None:
    assert canary_search.blind_spots(RIDER) == ()


@given(value=PLAIN, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_a_value_is_found_in_base64_at_every_offset(value: str, before: bytes, after: bytes) -> None:
    canary = Canary(RIDER.column, value, "decoy")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert found(encode(before + value.encode() + after), canary)


@given(value=PLAIN, encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be"]), before=PLAIN)
def test_a_value_is_found_in_every_unicode_encoding(value: str, encoding: str, before: str) -> None:
    canary = Canary(RIDER.column, value, "decoy")
    assert found((before + value + "\n").encode(encoding), canary)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_a_hash_without_a_key_is_the_value_and_one_with_a_salt_is_not(name: str) -> None:
    assert found(hashlib.new(name, b"K48213").hexdigest().encode()) == {f"as a {name} hash without a key"}
    assert found(hashlib.new(name, b"salt" + b"K48213").hexdigest().encode()) == set()


def test_a_value_is_found_four_containers_deep_and_the_place_says_where() -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.txt.gz", gzip.compress(b"of K48213"))
    search = CanarySearch([RIDER])
    search.data("file:model", gzip.compress(inner.getvalue()))
    assert {hit.place for hit in search.hits.values()} == {"file:model!gz!deep.txt.gz!gz"}


def test_a_value_is_found_in_a_duckdb_file_whose_texts_are_compressed(tmp_path) -> None:
    path = tmp_path / "log.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE log AS SELECT 'rider K48213 ' || (i % 3) AS said FROM range(100000) t(i)")
        database.execute("CHECKPOINT")
    search = CanarySearch([RIDER])
    search.data("file", path.read_bytes())
    assert any(hit.place.startswith("file!log") for hit in search.hits.values())


def test_a_value_is_found_in_the_metadata_and_the_graph_of_an_onnx_model() -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.helper.make_graph([], "g", [], [])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, {"vocabulary": "A;K48213;B"})
    assert found(model.SerializeToString()) == {"in plain text"}


def test_numbers_are_found_in_tables_as_text_and_in_memory() -> None:
    income = Canary(RawColumn("rides", "income"), 48213.771934, 51234.123456)
    for kind in (pa.float64(), pa.float32()):
        search = CanarySearch([income])
        search.table("features", pa.table({"x": pa.array([1.0, 48213.771934], kind)}))
        assert search.hits, kind
    assert found(b'{"x": 48213.771934}', income)
    assert found(pickle.dumps(np.array([1.0, 48213.771934])), income) == {"as a number in memory"}
    assert not found(pickle.dumps(np.linspace(0, 1e5, 1000)), income)


def test_days_are_found_however_they_are_written() -> None:
    born = Canary(RawColumn("rides", "born"), date(1911, 7, 23), date(1912, 3, 4))
    assert all(found(text, born) for text in (b"1911-07-23T00:00", b"19110723", b"07/23/1911", b"23.07.1911"))


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_the_search_ends_and_finds_no_more_than_is_there(data: bytes) -> None:
    if any(needle in data for needle in needles.forms(RIDER.value)):
        return
    assert found(data) == set()


@pytest.mark.parametrize("magic", [magic for magic, _ in containers._BY_MAGIC])
def test_a_broken_container_is_searched_as_bytes_and_named(magic: bytes) -> None:
    search = CanarySearch([RIDER])
    search.data("file", magic + b"\0 K48213")
    assert search.hits
    assert search.unread


def test_a_bomb_is_not_unpacked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOST_BYTES", 1 << 20)
    opened = containers.opened("bomb", gzip.compress(b"\0" * (4 << 20)))
    assert opened.bytes <= 1 << 20
    assert "more than" in opened.unread[0]


def test_a_decoy_that_turns_up_shows_that_chance_finds_such_values() -> None:
    search = CanarySearch([RIDER])
    search.text("log", "J11234 and K48213")
    assert search.by_chance == {"rides.rider"}
