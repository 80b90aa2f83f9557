"""Which slices are judged: the declared ones and their pairs, and those that the inputs suggest by themselves.

Missing is a level of its own in every column, and so is a level that training never saw, so no row falls out. Inputs
are cut into quarters, with the twentieth at either end for itself. Where such a range meets a declared column or
another range there are too many slices to judge each of them, so that they are searched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix
from mltest.probes.judged_rows import JudgedRows, column
from mltest.stats.arrays import BoolArray
from mltest.stats.slice_candidates import Slice, SliceCandidates, find_candidates
from mltest.stats.slice_search import Cut, cut_levels, cut_mask, cut_number, tails

FEWEST_ROWS = 50
"""Rows from which on a slice is judged."""

_MOST_MASKS = 6
_MOST_LEVELS = 200
_YES, _NO = "yes", "no"


@dataclass(frozen=True, eq=False)
class Slicing:
    """Candidate slices over the held-out rows; `declared` are the columns that somebody named.

    `named` are those and the masks of missing and unseen values, `ranged` the other inputs: where one of the latter
    meets one of either, slices are to be searched.
    """

    declared: tuple[str, ...]
    candidates: SliceCandidates
    named: Mapping[str, Cut]
    ranged: Mapping[str, Cut]

    @property
    def foreseen(self) -> frozenset[str]:
        """Names of the slices that somebody declared, their pairs not among them."""
        alone = {(column,) for column in self.declared}
        return frozenset(one.name for one in self.candidates.slices if one.columns in alone)


def slices_of(rows: JudgedRows) -> Slicing:
    """Slices of the held-out rows. Raises Withheld when a declared column is missing."""
    declared = tuple(dict.fromkeys((*rows.roles.slices, *rows.roles.groups)))
    for name in declared:
        for split, table in (("train", rows.train), ("holdout", rows.holdout)):
            if name not in table.column_names:
                raise Withheld(
                    f"the slice column {name!r} is not in the {split} rows: restore it, or correct the roles",
                    ReasonCode.PART_MISSING,
                )
    named: dict[str, npt.NDArray[Any]] = {name: _levels(rows, name) for name in declared}
    masks = _missing(rows) | _unseen(rows)
    parts = []
    if named or masks:
        parts.append(find_candidates({**named, **masks}, pair_rows=FEWEST_ROWS))
    suggested = {name: _levels(rows, name) for name in rows.inputs if name not in named}
    if suggested:
        parts.append(find_candidates(suggested, pairs=False))
    if not parts:
        raise Withheld("there is no column to slice by: name slices in the roles", ReasonCode.PART_MISSING)
    ranged = {name: _cut(rows, name) for name in suggested}
    ends = [one for name, cut in ranged.items() for one in tails(name, cut) if len(one.rows) >= FEWEST_ROWS]
    everything = [*(one for part in parts for one in part.slices), *ends]
    slices = distinct([one for one in everything if _worth_judging(one, rows.holdout.num_rows, masks)])
    left_out = sum(part.pairs_left_out for part in parts)
    varied = tuple(name for name in declared if any(one.columns == (name,) for one in slices))
    cuts = {name: _cut(rows, name) for name in named}
    cuts |= {name: cut_mask(mask == _YES, _YES) for name, mask in masks.items()}
    return Slicing(varied, SliceCandidates(slices, rows.holdout.num_rows, left_out), cuts, ranged)


def _worth_judging(one: Slice, n_rows: int, masks: Mapping[str, Any]) -> bool:
    """Whether a slice is less than everything, and no pair with the many rows where an input is simply there."""
    plenty = any(name in masks and level == _NO for name, level in one.levels)
    return 0 < len(one.rows) < n_rows and not plenty


def distinct(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """Every set of rows once, under the first name it has."""
    first: dict[bytes, Slice] = {}
    for one in slices:
        first.setdefault(hashlib.blake2b(one.rows.tobytes(), digest_size=16).digest(), one)
    return tuple(first.values())


def _levels(rows: JudgedRows, name: str) -> npt.NDArray[Any]:
    """Texts and whole numbers as texts, other numbers as they are (they are cut at their quartiles)."""
    return column(rows.holdout, name) if _is_a_range(rows, name) else _texts(rows.holdout.column(name))


def _cut(rows: JudgedRows, name: str) -> Cut:
    values = rows.holdout.column(name)
    if _is_a_range(rows, name):
        return cut_number(design_matrix.numbers_of(values))
    return cut_levels(*design_matrix.level_codes(values), fewest=FEWEST_ROWS)


def _is_a_range(rows: JudgedRows, name: str) -> bool:
    """Whether a column is cut into ranges of its values, rather than into its values."""
    import pyarrow.types as pt

    values = rows.holdout.column(name)
    if not design_matrix.is_number_like(values) or pt.is_boolean(values.type):
        return False
    declared = pt.is_integer(values.type) and name in rows.roles.slices
    return not (declared and len(np.unique(design_matrix.numbers_of(values))) <= _MOST_LEVELS)


def _texts(values: Any) -> npt.NDArray[Any]:
    names, codes = design_matrix.level_codes(values)
    table = np.array([*names[:-1], None], dtype=object)
    return np.asarray(table[codes])


def _missing(rows: JudgedRows) -> dict[str, npt.NDArray[Any]]:
    """Where inputs are missing; columns that are missing on the same rows count once, most rows first."""
    found: dict[bytes, tuple[str, BoolArray]] = {}
    for name in rows.inputs:
        values = rows.holdout.column(name)
        if values.null_count or design_matrix.is_number_like(values):
            absent = _absent(values)
            if 0 < absent.sum() < len(absent):
                found.setdefault(absent.tobytes(), (name, absent))
    largest = sorted(found.values(), key=lambda pair: (-int(pair[1].sum()), pair[0]))[:_MOST_MASKS]
    return {f"{name} is missing": np.where(absent, _YES, _NO) for name, absent in largest}


def _absent(values: Any) -> BoolArray:
    if design_matrix.is_number_like(values):
        return np.isnan(design_matrix.numbers_of(values))
    return np.asarray(values.is_null().to_numpy(), dtype=np.bool_)


def _unseen(rows: JudgedRows) -> dict[str, npt.NDArray[Any]]:
    """Where a category of the inputs has a level that training never had."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name in rows.inputs:
        values = rows.holdout.column(name)
        if design_matrix.is_number_like(values):
            continue
        names, codes = design_matrix.level_codes(values)
        known = set(design_matrix.level_codes(rows.train.column(name))[0])
        unseen = np.array([level not in known for level in names])[codes]
        if 0 < unseen.sum() < len(unseen):
            found[f"{name} is unseen in training"] = np.where(unseen, _YES, _NO)
    return found
