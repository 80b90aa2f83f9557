"""Faults of what a feature costs when a request comes in: time, files, memory, and sources that nobody declared.

They act on the lookup that a features part opens, and on one feature of it: the last that has a budget.
"""

from __future__ import annotations

import re
import socket
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from mltest.faults.lookup_parts import (
    CostlyLookup,
    Records,
    TwiceLookup,
    chosen_feature,
    costly,
    looked_up_by,
    more_is_done,
)
from mltest.faults.registry import fault, twin
from mltest.system import System

COLD_START = 0.2
"""Seconds that a first call may take, as for an import or a compilation."""

_PARTS = ("data", "features")


def _spin(microseconds: float) -> None:
    """Keeps the processor busy for so long; time in which others have it does not count."""
    until = time.thread_time_ns() + int(microseconds * 1e3)
    while time.thread_time_ns() < until:
        pass


@fault(
    "O-D3-a",
    item="data.cost",
    seam="feat",
    doses=(1, 5, 15),
    must_catch=5,
    parts=_PARTS,
    alive=more_is_done,
    why="a reference table searched from end to end for every request",
)
def slow_lookup(system: System, dose: float, workdir: Path) -> System:
    """One feature takes `dose` milliseconds of computation a record."""
    return costly(system, (lambda _, records: _spin(1e3 * dose * len(records))) if dose else None)


@twin("O-D3-a")
def cold_start(system: System, dose: float, workdir: Path) -> System:
    """The first request for one feature takes 0.2 s, as for an import; no later one does."""

    def once(lookup: CostlyLookup, _: Records) -> None:
        if "warm" not in lookup.kept:
            lookup.kept["warm"] = True
            time.sleep(COLD_START)

    return costly(system, once if dose else None)


@fault(
    "O-D3-a.waiting",
    item="data.cost",
    seam="feat",
    doses=(1, 5, 15),
    must_catch=5,
    parts=_PARTS,
    alive=more_is_done,
    why="a partner is asked over the network, which costs no processor time at all",
)
def waiting_lookup(system: System, dose: float, workdir: Path) -> System:
    """One feature waits for `dose` milliseconds a request."""
    return costly(system, (lambda _, __: time.sleep(dose / 1e3)) if dose else None)


@twin("O-D3-a.waiting")
def twice_the_work(system: System, dose: float, workdir: Path) -> System:
    """Everything that a lookup does, it does twice: a machine that is slower by half."""
    return looked_up_by(system, (lambda lookup, _: TwiceLookup(lookup)) if dose else None)


@fault(
    "O-D3-b",
    item="data.cost",
    seam="feat",
    doses=(1,),
    parts=_PARTS,
    alive=more_is_done,
    why="the cache of a table was removed, and every row reads it again",
)
def file_for_each_row(system: System, dose: float, workdir: Path) -> System:
    """One feature opens a file of its declared table again for each record."""
    path = _declared_file(system, workdir)

    def read(_: CostlyLookup, records: Records) -> None:
        for _record in records:
            path.read_text(encoding="utf-8")

    return costly(system, read if dose else None)


@twin("O-D3-b")
def file_read_once(system: System, dose: float, workdir: Path) -> System:
    """One feature opens a file of its declared table when it is first asked for, and keeps what it read."""
    path = _declared_file(system, workdir)

    def read(lookup: CostlyLookup, _: Records) -> None:
        if "text" not in lookup.kept:
            lookup.kept["text"] = path.read_text(encoding="utf-8")

    return costly(system, read if dose else None)


@fault(
    "O-D3-b.scan",
    item="data.cost",
    seam="feat",
    doses=(0.02, 0.1),
    must_catch=0.1,
    parts=_PARTS,
    alive=more_is_done,
    why="every row looks through all rows of the batch for those of its key",
)
def scan_of_the_batch(system: System, dose: float, workdir: Path) -> System:
    """One feature takes `dose` microseconds for every pair of records in a batch."""
    return costly(system, (lambda _, records: _spin(dose * len(records) ** 2)) if dose else None)


@twin("O-D3-b.scan", doses=(5,))
def as_long_for_each_row(system: System, dose: float, workdir: Path) -> System:
    """One feature takes `dose` microseconds more for each record, however many there are."""
    return costly(system, (lambda _, records: _spin(dose * len(records))) if dose else None)


@fault(
    "O-D3-c",
    item="data.cost",
    seam="feat",
    doses=(1, 3),
    must_catch=1,
    parts=_PARTS,
    alive=more_is_done,
    why="one feature loads the whole history once more for itself, in every worker",
)
def private_copy(system: System, dose: float, workdir: Path) -> System:
    """One feature holds `dose` copies of the raw tables from its first request on."""

    def copied(lookup: CostlyLookup, _: Records) -> None:
        if "copies" not in lookup.kept:
            lookup.kept["copies"] = [_copies(lookup.raw) for _copy in range(int(dose))]

    return costly(system, copied if dose else None)


@twin("O-D3-c")
def cache_with_a_bound(system: System, dose: float, workdir: Path) -> System:
    """One feature goes through a copy that it lets go at once, and remembers its latest 256 records."""

    def remembered(lookup: CostlyLookup, records: Records) -> None:
        if "latest" not in lookup.kept:
            _copies(lookup.raw)
            lookup.kept["latest"] = OrderedDict()
        latest = lookup.kept["latest"]
        for record in records:
            latest[repr(record)] = 0.0
            if len(latest) > 256:
                latest.popitem(last=False)

    return costly(system, remembered if dose else None)


@fault(
    "O-D3-d",
    item="data.cost",
    seam="feat",
    doses=(1,),
    parts=_PARTS,
    alive=more_is_done,
    why="a file that somebody else's job writes, read by one feature and known to nobody",
)
def undeclared_file(system: System, dose: float, workdir: Path) -> System:
    """One feature reads, once, a file that its entry does not declare."""
    path = workdir / "ratings_of_another_team.csv"
    path.write_text("key,rating\na,1\n", encoding="utf-8")

    def read(lookup: CostlyLookup, _: Records) -> None:
        if "ratings" not in lookup.kept:
            lookup.kept["ratings"] = path.read_text(encoding="utf-8")

    return costly(system, read if dose else None)


@twin("O-D3-d")
def declared_table_by_a_new_function(system: System, dose: float, workdir: Path) -> System:
    """One feature reads, once, its declared table by a new function, and numpy is asked for something it keeps."""
    path = _declared_file(system, workdir)

    def read(lookup: CostlyLookup, _: Records) -> None:
        if "table" not in lookup.kept:
            lookup.kept["table"] = np.genfromtxt(path, delimiter=",", dtype=str)

    return costly(system, read if dose else None)


@fault(
    "O-D3-d.host",
    item="data.cost",
    seam="feat",
    doses=(1,),
    parts=_PARTS,
    alive=more_is_done,
    why="a service is asked that is in nobody's list of dependencies",
)
def undeclared_host(system: System, dose: float, workdir: Path) -> System:
    """One feature connects, once, to a host that its entry does not declare; nothing is sent."""

    def connected(lookup: CostlyLookup, _: Records) -> None:
        if "host" not in lookup.kept:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
                connection.connect(("127.0.0.1", 9))
            lookup.kept["host"] = True

    return costly(system, connected if dose else None)


@twin("O-D3-d.host")
def socket_without_a_host(system: System, dose: float, workdir: Path) -> System:
    """One feature makes, once, a pair of sockets that are connected with each other alone."""

    def connected(lookup: CostlyLookup, _: Records) -> None:
        if "pair" not in lookup.kept:
            one, other = socket.socketpair()
            one.close()
            other.close()
            lookup.kept["pair"] = True

    return costly(system, connected if dose else None)


def _declared_file(system: System, workdir: Path) -> Path:
    """A small file by the name of the first table that the source of the chosen feature speaks of."""
    words = re.findall(r"\w+", chosen_feature(system).source)
    path = workdir / f"{words[0] if words else 'table'}.csv"
    path.write_text("key,value\na,1\nb,2\n", encoding="utf-8")
    return path


def _copies(raw: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    return {name: table.take(pa.array(range(table.num_rows), pa.int64())) for name, table in raw.items()}
