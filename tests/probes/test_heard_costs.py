"""What a feature opens and holds: heard where Python tells it, counted where only the system does."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mltest.evidence import Withheld
from mltest.probes import held_memory, machine_lock
from mltest.probes.declared_sources import declares
from mltest.probes.heard_access import listening

MEGABYTE = 2**20


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("planes: year; flights: tailnum", "/data/planes.csv"),
        ("planes: year; flights: tailnum", "/data/planes-2013-01.parquet"),
        ("planes: year", "/data/planes/part-0.parquet"),
        ("weather.api.example.org: temp", "weather.api.example.org"),
        ("http://rates.example.org", "rates.example.org"),
        ("the file /srv/rates.db", "/srv/rates.db"),
    ],
)
def test_a_source_declares_its_tables_files_parts_and_hosts(source: str, place: str) -> None:
    assert declares(source, place)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("planes: year", "/data/planes_private.csv"),
        ("planes: year", "/data/ratings.csv"),
        ("", "/data/ratings.csv"),
        ("planes: year", "10.0.0.7"),
    ],
)
def test_another_file_or_host_is_not_declared(source: str, place: str) -> None:
    assert not declares(source, place)


def test_files_databases_hosts_and_programs_are_heard_while_somebody_listens(tmp_path: Path) -> None:
    data, base = tmp_path / "rates.csv", tmp_path / "rates.db"
    data.write_text("a,1\n", encoding="utf-8")
    with listening() as heard, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        data.read_text(encoding="utf-8")
        sqlite3.connect(base).close()
        connection.connect(("127.0.0.1", 9))
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert heard.files[:2] == [str(data), str(base)]
    assert heard.hosts == ["127.0.0.1"]
    assert sys.executable in heard.programs
    data.read_text(encoding="utf-8")
    assert len(heard.files) == len(set(heard.files))


def test_code_and_the_system_are_no_sources() -> None:
    with listening() as heard:
        Path(__file__).read_bytes()
        Path("/proc/self/status").read_bytes()
        Path(np.__file__).read_bytes()
    assert heard.places == ()
    assert heard.count == 0


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not count reads")
def test_what_native_code_reads_is_counted_and_silence_counts_as_none(tmp_path: Path) -> None:
    data = tmp_path / "rates.arrow"
    data.write_bytes(b"x" * 1000)
    with listening() as heard, pa.OSFile(str(data), "r") as file:
        file.read(100)
    assert heard.native_reads >= 1
    assert heard.count == 0
    with listening() as silent:
        sum(range(100))
    assert silent.native_reads == 0


def test_what_is_kept_counts_and_what_was_let_go_does_not() -> None:
    with held_memory.traced():
        with held_memory.held() as kept:
            array = np.ones(MEGABYTE // 2)
        with held_memory.held() as arrow:
            table = pa.table({"a": pa.array(range(MEGABYTE // 4), pa.int64())})
        with held_memory.held() as gone:
            np.ones(MEGABYTE)
    assert 4 * MEGABYTE <= kept.bytes < 5 * MEGABYTE, array.nbytes
    assert 2 * MEGABYTE <= arrow.bytes < 3 * MEGABYTE, table.nbytes
    assert gone.bytes < MEGABYTE / 4


def test_a_package_that_is_imported_meanwhile_is_no_copy_of_data() -> None:
    for name in [name for name in sys.modules if name.startswith("xml.dom")]:
        del sys.modules[name]
    with held_memory.traced(), held_memory.held() as found:
        import xml.dom.minidom  # noqa: F401
    assert found.bytes < MEGABYTE / 2


def test_whoever_times_is_alone_and_the_others_wait(tmp_path: Path) -> None:
    path = tmp_path / "timing.lock"
    with (
        machine_lock.alone(path),
        pytest.raises(Withheld, match="timing on this machine"),
        machine_lock.alone(path, 0.1),
    ):
        raise AssertionError("two timed at once")
    with machine_lock.alone(path, 0.1):
        other = os.open(path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("keep me", encoding="utf-8")
    (tmp_path / "timing.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), machine_lock.alone(tmp_path / "timing.lock"):
        raise AssertionError("followed")
