"""The rows that features are judged by: what the model reads, and what has to be known before anything is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from mltest import tables
from mltest.evidence import ReasonCode, Withheld
from mltest.probes import feature_ties, feature_units, learnable, model_inputs, time_folds
from mltest.probes.feature_ties import Tie
from mltest.probes.feature_units import Associations
from mltest.probes.outcomes import Outcome, outcome_of
from mltest.stats.clusters import ENOUGH_CLUSTERS
from mltest.system import Effort, Roles, Split, System, SystemRef

FEWEST_ROWS = 500
ROWS: Mapping[Effort, int] = {"quick": 110_000, "standard": 400_000, "thorough": 2_000_000}
HELD_BACK = 0.2


@dataclass(frozen=True)
class Material:
    """Rows to learn from and rows held back, with known targets, and what is known about their features.

    `features` are the inputs that can be screened: `dead` ones and later ones of `duplicates` (pairs) are left out.
    """

    learn: pa.Table = field(repr=False)
    held_back: pa.Table = field(repr=False)
    held_back_as: str
    roles: Roles
    outcome: Outcome
    inputs: tuple[str, ...]
    features: tuple[str, ...]
    dead: Mapping[str, str]
    duplicates: tuple[tuple[str, str], ...]
    groups: Mapping[str, tuple[str, ...]]
    associations: Associations
    ties: Mapping[str, Tie]


def material(system: System, ref: SystemRef) -> Material:
    """Reads the rows. Raises Withheld when inputs are unknown or absent, or when there are too few rows or days."""
    data = _required(system.data)
    roles, inputs = data.roles, model_inputs.of_system(system)
    if not inputs:
        raise Withheld("nobody says what the model reads: name the inputs in the roles", ReasonCode.PART_MISSING)
    learn = _rows(data, "train", inputs, roles, ref)
    dead = feature_units.dead(learn, inputs)
    learn, held_back, name = _held_back(data, learn, inputs, roles, ref)
    for split, later in ((name, held_back), *_newest(data, name, inputs, roles, ref)):
        dead = {**_dead_later(learn, later, split, inputs, roles), **dead}
    alive = tuple(feature for feature in inputs if feature not in dead)
    known = feature_units.associations(learn, alive)
    groups = feature_units.declared_groups(system.features.catalogue, inputs) if system.features is not None else {}
    pairs = tuple(pair for pair in feature_units.duplicates(learn, known) if not _in_one_group(pair, groups))
    again = {second for _, second in pairs}
    return Material(
        learn=learn,
        held_back=held_back,
        held_back_as=name,
        roles=roles,
        outcome=outcome_of(system.task, learnable.targets(learn, roles), roles.positive),
        inputs=inputs,
        features=tuple(feature for feature in alive if feature not in again),
        dead=dead,
        duplicates=pairs,
        groups=groups,
        associations=known,
        ties=feature_ties.ties(learn, groups, known),
    )


def _rows(data: Any, split: Split, inputs: tuple[str, ...], roles: Roles, ref: SystemRef) -> pa.Table:
    """The rows of a split with a known target, thinned evenly to what the effort allows, so that every day stays."""
    table = tables.to_arrow(data.dataset(split))
    absent = [name for name in (*inputs, roles.target) if name not in table.column_names]
    if absent:
        raise Withheld(
            f"the {split} split lacks {', '.join(absent[:5])}, which the model reads or predicts: add the column",
            ReasonCode.PART_MISSING,
        )
    known = learnable.with_known_target(table, roles) if table.num_rows else table
    if known.num_rows < FEWEST_ROWS:
        raise Withheld(
            f"the {split} split has {known.num_rows} rows with a target: {FEWEST_ROWS} are needed to compare features",
            ReasonCode.TOO_LITTLE_DATA,
        )
    blocks = time_folds.blocks(known, roles)
    if blocks.count < ENOUGH_CLUSTERS:
        raise Withheld(
            f"the {split} split has {blocks.count} days: {ENOUGH_CLUSTERS} are needed for an interval over days",
            ReasonCode.TOO_LITTLE_DATA,
        )
    chosen = time_folds.thinned(np.arange(known.num_rows), ROWS[ref.effort])
    return known if len(chosen) == known.num_rows else known.take(pa.array(chosen))


def _held_back(
    data: Any, learn: pa.Table, inputs: tuple[str, ...], roles: Roles, ref: SystemRef
) -> tuple[pa.Table, pa.Table, str]:
    """Rows to learn from, rows to ask again on, and what these are called."""
    others: tuple[Split, ...] = ("validation", "holdout")
    for split in others:
        try:
            return learn, _rows(data, split, inputs, roles, replace(ref, effort="quick")), split
        except KeyError:
            continue
        except Withheld as reason:
            if reason.code not in (ReasonCode.PART_MISSING, ReasonCode.TOO_LITTLE_DATA):
                raise
    blocks = time_folds.blocks(learn, roles)
    later = blocks.of_row >= round((1.0 - HELD_BACK) * blocks.count)
    return learn.filter(pa.array(~later)), learn.filter(pa.array(later)), "last training"


def _newest(
    data: Any, held_back_as: str, inputs: tuple[str, ...], roles: Roles, ref: SystemRef
) -> tuple[tuple[str, pa.Table], ...]:
    """The holdout, where other rows were held back: what died in it died after them."""
    if held_back_as != "validation":
        return ()
    try:
        return (("holdout", _rows(data, "holdout", inputs, roles, replace(ref, effort="quick"))),)
    except (KeyError, Withheld):
        return ()


def _dead_later(learn: pa.Table, later: pa.Table, name: str, inputs: tuple[str, ...], roles: Roles) -> dict[str, str]:
    """Inputs that are missing in every later row, or stand still through 30 days and more, as they never did before."""
    found = {}
    days = time_folds.blocks(later, roles).count
    for feature, what in feature_units.dead(later, inputs).items():
        if what == "missing in every row":
            found[feature] = f"{what} of the {name} rows"
        elif days >= ENOUGH_CLUSTERS and 2 * _longest_rest(learn, feature, roles) < days:
            found[feature] = f"{what} of the {name} rows, {days} days, and in training it varied"
    return found


def _longest_rest(rows: pa.Table, feature: str, roles: Roles) -> int:
    """For how many days in a row a feature held one value at most: snow rests in summer, and is not dead."""
    blocks, codes = time_folds.blocks(rows, roles), feature_units.levels(rows.column(feature))
    lowest, highest = np.full(blocks.count, np.iinfo(np.intp).max), np.full(blocks.count, -1)
    np.minimum.at(lowest, blocks.of_row, codes)
    np.maximum.at(highest, blocks.of_row, codes)
    longest = run = 0
    for day in range(blocks.count):
        rests = lowest[day] == highest[day]
        run = 0 if not rests else run + 1 if run and lowest[day] == lowest[day - 1] else 1
        longest = max(longest, run)
    return longest


def _in_one_group(pair: tuple[str, str], groups: Mapping[str, tuple[str, ...]]) -> bool:
    return any(pair[0] in members and pair[1] in members for members in groups.values())


def _required(data: Any) -> Any:
    if data is None:
        raise Withheld("the system offers no data", ReasonCode.PART_MISSING)
    return data
