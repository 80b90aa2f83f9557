"""Models that are worse on purpose, so that two metrics have something to disagree about.

Each is trained by the system's own training on some of the training rows: fewer or older days, labels permuted or off
to one side, inputs left out, fewer rounds where the configuration counts them. One that the training refuses is left
out; two that are the same model count once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import design_matrix, row_sample
from mltest.probes.kept_trainings import KeptTrainings
from mltest.probes.outcomes import Outcome
from mltest.probes.row_digests import row_digests
from mltest.system import Effort, Model, Roles

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST = 8
"""Variants below which no rank correlation says enough."""
AS_SHIPPED = "as shipped"

_ROWS: dict[Effort, int] = {"quick": 20_000, "standard": 60_000, "thorough": 1_000_000}
_FEWEST_ROWS = 200
_ROUNDS = ("epochs", "max_epochs", "num_epochs", "trees", "n_estimators", "max_iter", "iterations", "num_boost_round")
_OFF = 0.5


@dataclass(frozen=True, eq=False)
class Plan:
    """How one variant is made: from which rows, and with which keys of the configuration changed."""

    name: str
    rows: Callable[[pa.Table], pa.Table]
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Variant:
    """A trained variant, its digest, the metrics that the training gave it, and how long it took."""

    name: str
    model: Model
    digest: str
    metrics: Mapping[str, float]
    rows: int
    seconds: float
    kept: bool


def plans(config: Mapping[str, Any], roles: Roles, outcome: Outcome) -> tuple[Plan, ...]:
    """The shipped model first, then from a dozen ways on to be worse."""
    made = [
        Plan(AS_SHIPPED, lambda rows: rows),
        Plan("half of the days", lambda rows: _days(rows, roles, 2)),
        Plan("a tenth of the days", lambda rows: _days(rows, roles, 10)),
        Plan("a fortieth of the days", lambda rows: _days(rows, roles, 40)),
        Plan("the oldest eighth", lambda rows: rows.slice(0, max(_FEWEST_ROWS, rows.num_rows // 8))),
        *(Plan(f"{percent} % of the labels permuted", _permuting(roles, percent / 100.0)) for percent in (30, 60, 100)),
    ]
    if outcome.is_number:
        made.append(Plan("labels half a deviation high", _moving(roles, lambda y: y + _OFF * np.nanstd(y))))
        made.append(Plan("labels half a deviation low", _moving(roles, lambda y: y - _OFF * np.nanstd(y))))
        made.append(Plan("labels halfway to their median", _moving(roles, lambda y: (y + np.nanmedian(y)) / 2.0)))
    else:
        made += [
            Plan(f"{percent} % of the labels permuted", _permuting(roles, percent / 100.0)) for percent in (15, 45, 80)
        ]
    inputs = list(config.get("inputs") or roles.inputs)
    for step, share in ((2, "half"), (5, "a fifth")):
        if len(inputs) >= 2 * step or (step == 2 and len(inputs) > 1):
            made.append(Plan(f"{share} of the inputs", lambda rows: rows, {"inputs": inputs[::step]}))
    for key in _ROUNDS:
        if isinstance(config.get(key), int) and config[key] > 1:
            made.append(Plan(f"{key} = 1", lambda rows: rows, {key: 1}))
    return tuple(made)


def train(
    trainings: KeptTrainings,
    table: pa.Table,
    config: Mapping[str, Any],
    roles: Roles,
    outcome: Outcome,
    *,
    seed: int,
    effort: Effort,
) -> tuple[tuple[Variant, ...], dict[str, str]]:
    """Distinct variants, and what the training said to those that it refused, by name.

    Raises what the training raises when it is the shipped model that it refuses, and Withheld below 200 training rows
    and when fewer than eight distinct variants remain.
    """
    rows = _in_order(row_sample.whole_days(table, roles, _ROWS[effort]), roles)
    if rows.num_rows < _FEWEST_ROWS:
        raise Withheld(
            f"{rows.num_rows} training rows to make variants of, {_FEWEST_ROWS} are needed",
            ReasonCode.TOO_LITTLE_DATA,
        )
    found: dict[str, Variant] = {}
    refused: dict[str, str] = {}
    everything = plans(config, roles, outcome)
    for plan in everything:
        try:
            made = _trained(trainings, plan, rows, seed)
        except Exception as error:
            if plan.name == AS_SHIPPED:
                raise
            refused[plan.name] = str(error)
            continue
        found.setdefault(made.digest, made)
    if len(found) < FEWEST:
        raise Withheld(
            f"{len(everything)} variants were asked for and {len(found)} different ones came ({len(refused)} were "
            f"refused), {FEWEST} are needed: let the training follow its rows and its configuration, and give each "
            "artifact the digest of its content",
            ReasonCode.TOO_LITTLE_DATA,
        )
    return tuple(found.values()), refused


def _trained(trainings: KeptTrainings, plan: Plan, rows: pa.Table, seed: int) -> Variant:
    given = plan.rows(rows)
    done = trainings.train(given, seed=seed, config=plan.config)
    model, artifact = trainings.model(done), done.artifact
    return Variant(plan.name, model, artifact.digest, artifact.metrics, given.num_rows, done.seconds, done.kept)


def _in_order(table: pa.Table, roles: Roles) -> pa.Table:
    return table if roles.time is None else table.sort_by([(roles.time, "ascending")])


def _days(rows: pa.Table, roles: Roles, part: int) -> pa.Table:
    return row_sample.whole_days(rows, roles, max(_FEWEST_ROWS, rows.num_rows // part))


def _permuting(roles: Roles, share: float) -> Callable[[pa.Table], pa.Table]:
    """Labels of a share of the rows, chosen by their keys, handed round among themselves."""

    def change(rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        names = [name for name in roles.keys if name in rows.column_names] or [roles.target]
        draws = row_digests(rows, names).astype(np.float64) / 2.0**64
        chosen = np.flatnonzero(draws < share)
        order = np.arange(rows.num_rows)
        order[chosen] = np.random.default_rng(0).permutation(chosen)
        return _with_target(rows, roles, rows.column(roles.target).take(pa.array(order)))

    return change


def _moving(roles: Roles, change: Callable[[Any], Any]) -> Callable[[pa.Table], pa.Table]:
    def moved(rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        values = np.asarray(change(design_matrix.numbers_of(rows.column(roles.target))), dtype=np.float64)
        return _with_target(rows, roles, pa.array(values, mask=np.isnan(values)))

    return moved


def _with_target(rows: pa.Table, roles: Roles, values: Any) -> pa.Table:
    return rows.set_column(rows.column_names.index(roles.target), roles.target, values)


def records(variants: Sequence[Variant]) -> Iterator[dict[str, object]]:
    """One flat record a variant, for the report."""
    for one in variants:
        yield {
            "variant": one.name,
            "training rows": one.rows,
            "seconds": round(one.seconds, 2),
            "kept from an earlier run": one.kept,
            "artifact": one.digest[:12],
        }
