"""Which records to send of all that a window offers, and which batch row each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltest.probes import row_keys, skew_strata
from mltest.probes.skew_strata import Stratum

if TYPE_CHECKING:
    import pyarrow as pa

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """The places of the chosen records, and the key of each of them where keys are known before they are served.

    `offered` says which batch rows have a record at all, None where nobody knows before they are served. With `sent`
    the records name their keys themselves, so that one without a batch row is known too.
    """

    places: tuple[int, ...] = field(repr=False)
    keys: tuple[str, ...] | None = field(repr=False)
    offered: BoolArray | None = field(repr=False)
    sent: bool


def choose(
    records: Sequence[Mapping[str, Any]],
    batch: pa.Table,
    keys: Sequence[str],
    names: Sequence[str],
    strata: Sequence[Stratum],
    most: int,
) -> Chosen:
    """Of each stratum as many as it wants, and others up to `most`.

    Some records that the batch path has no row for are among them: a path that drops rows is no equal one.
    Records without keys are taken to be in the order of the batch rows where there are as many of them. If they are
    not, fewer hard rows are served; which rows were served is read from the log.
    """
    known = row_keys.of_records(records, names, batch)
    if known is not None:
        own, theirs = row_keys.matched(keys, known)
        if own:
            return _by_key(known, keys, own, theirs, strata, most)
    if len(records) == len(keys):
        picked = skew_strata.choose(strata, len(keys), most).tolist()
        everything = np.ones(len(keys), dtype=np.bool_)
        return Chosen(tuple(picked), tuple(keys[row] for row in picked), everything, sent=False)
    return Chosen(tuple(skew_strata.choose((), len(records), most).tolist()), None, None, sent=False)


def _by_key(
    known: Sequence[str],
    keys: Sequence[str],
    own: Sequence[int],
    theirs: Sequence[int],
    strata: Sequence[Stratum],
    most: int,
) -> Chosen:
    offered = np.zeros(len(keys), dtype=np.bool_)
    offered[list(own)] = True
    rows = np.flatnonzero(offered)
    among = [Stratum(each.name, each.rows[rows], each.wanted) for each in strata]
    wished = set(rows[skew_strata.choose(among, len(rows), most)].tolist())
    found = [number for place, number in zip(own, theirs, strict=True) if place in wished]
    unknown = sorted(set(range(len(known))) - set(theirs))
    places = sorted([*found, *skew_strata.spread(unknown, skew_strata.OF_A_HARD_STRATUM).tolist()])
    return Chosen(tuple(places), tuple(known[place] for place in places), offered, sent=True)
