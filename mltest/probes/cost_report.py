"""The ledger of costs and benefits as a reviewer reads it: a table, a figure, and one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltest import figures
from mltest.evidence import ReasonCode
from mltest.figures import Point, Status
from mltest.probes.cost_ledger import FAR_ABOVE_ONE, MOST_GROWTH, CostLedger, FeatureCost
from mltest.probes.lookup_requests import Requests
from mltest.probes.quantile_intervals import Bounds
from mltest.stats.bootstrap import Estimate


def worst_share_of_budget(ledger: CostLedger) -> tuple[float, float, float]:
    """Cost over budget with its interval, of the feature that is surely furthest over it, else of the nearest to it."""
    over = ledger.over_budget()
    worst = over[0] if over else max(ledger.features, key=lambda f: f.at_most / f.budget)
    views = [view for view in (worst.one, worst.tail if over else None, worst.large) if view is not None]
    view = max(views, key=lambda v: v.low if over else v.high).times(1 / worst.budget)
    return view.value, view.low, view.high


def whole_share_of_budgets(ledger: CostLedger) -> Bounds:
    """A request for everything, shared work included, over all budgets together."""
    return ledger.whole.times(1 / ledger.budgets)


def table(ledger: CostLedger, benefits: Mapping[str, Estimate], asked: Requests) -> str:
    """One line a feature, the dearest first; times in microseconds of the calibrated machine."""
    ages = source_ages(asked.raw, asked.as_of)
    ordered = sorted(ledger.features, key=lambda f: -f.one.value)
    return json.dumps([_line(cost, benefits.get(cost.info.name), ledger, ages) for cost in ordered])


def figure(ledger: CostLedger, benefits: Mapping[str, Estimate]) -> str | None:
    """Cost against benefit, one mark a feature."""
    wrong = {f.info.name for f in (*ledger.over_budget(), *ledger.growing(), *ledger.opening(), *ledger.undeclared())}
    points = [
        Point(
            name=cost.info.name,
            x=max(cost.one.value, 0.0),
            y=100.0 * benefits[cost.info.name].value,
            status=_status(cost, wrong, ledger),
        )
        for cost in ledger.features
        if cost.info.name in benefits
    ]
    return figures.scatter(
        "Cost against benefit of each feature", points, x_unit="µs a request", y_unit="% of the loss saved (ridge)"
    )


def sentence(ledger: CostLedger) -> str:
    """What was seen, what was allowed, what to do; empty where nothing is wrong."""
    parts = [
        *_said(ledger.over_budget(), _too_dear),
        *_said(ledger.growing(), _growing),
        *_said(ledger.opening(), _opening),
        *_said(ledger.undeclared(), _undeclared),
        *_said(ledger.hoarding(), lambda cost: _hoarding(cost, ledger)),
    ]
    if ledger.strangers:
        parts.append(f"{_few(ledger.strangers)} is read for a lookup and no entry of the catalogue declares it")
    if ledger.reopened:
        parts.append(f"{_few(ledger.reopened)} is opened anew for every request")
    if whole_share_of_budgets(ledger).low > 1:
        parts.append(
            f"a request for all features takes {ledger.whole.value:.4g} µs, allowed are {ledger.budgets:.4g} µs, all "
            f"budgets together (what every request pays is {ledger.shared.value:.4g} µs)"
        )
    if ledger.whole_growth > MOST_GROWTH:
        parts.append(f"a row of all features costs {ledger.whole_growth:.3g} times as much in a batch of 256 as in 64")
    advice = "compute it ahead of the request, keep it in memory with a bound, declare its source, or drop it"
    return f"{'; '.join(parts)}: {advice}" if parts else ""


def obstacle(ledger: CostLedger) -> tuple[str, ReasonCode] | None:
    """Why the ledger shows nothing although nothing is wrong in it, or None."""
    if ledger.blind:
        return (
            f"a request without any feature takes {ledger.shared.value:.4g} µs and one with all of them "
            f"{ledger.whole.value:.4g}, so what one feature costs cannot be told: let values(records, names) compute "
            "the named ones and no other",
            ReasonCode.WITHHELD,
        )
    open_ones = ledger.undecided()
    if open_ones:
        cost = open_ones[0]
        return (
            f"{cost.info.name} takes {cost.one.value:.3g} µs, at most {cost.at_most:.3g}, and {cost.budget:.4g} are "
            "allowed: more repetitions would decide, use --ml-score-effort standard or thorough",
            ReasonCode.TOO_LITTLE_DATA,
        )
    return None


def source_ages(raw: Mapping[str, pa.Table], as_of: datetime) -> dict[str, float]:
    """Hours from the newest instant in each raw table to the moment of the request, for tables that have instants."""
    found = {}
    for name, rows in raw.items():
        newest = [_newest(rows.column(column), as_of) for column in rows.column_names]
        known = [moment for moment in newest if moment is not None]
        if known:
            found[name] = (as_of - max(known)).total_seconds() / 3600
    return found


def _newest(column: pa.ChunkedArray, as_of: datetime) -> datetime | None:
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        return None
    past = column.filter(pc.less_equal(column, _bound(column.type, as_of)))
    value: Any = pc.max(past).as_py()
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


def _bound(kind: pa.DataType, as_of: datetime) -> pa.Scalar:
    if pa.types.is_date(kind):
        return pa.scalar(as_of.date(), kind)
    return pa.scalar(as_of if kind.tz else as_of.replace(tzinfo=None), kind)


def _line(
    cost: FeatureCost, benefit: Estimate | None, ledger: CostLedger, ages: Mapping[str, float]
) -> dict[str, object]:
    words = cost.info.source.replace(":", " ").replace(";", " ").split()
    old = [age for name, age in ages.items() if name in words]
    return {
        "feature": cost.info.name,
        "budget": cost.budget,
        "alone": round(cost.one.value, 2),
        "at least": round(cost.one.low, 2),
        "at most": round(cost.one.high, 2),
        "95th percentile": round(cost.tail.value, 2),
        "a row of 256": None if cost.large is None else round(cost.large.value, 3),
        "held kB": round(cost.held_bytes / 1024, 1),
        "opened when new": ", ".join(cost.opened.places[:3]) or "nothing",
        "opened each call": cost.opened.each_call,
        "source": cost.info.source,
        "source is old, hours": round(max(old), 1) if old else None,
        "benefit %": None if benefit is None else round(100 * benefit.value, 3),
        "share of all costs %": round(100 * max(cost.one.value, 0.0) / max(ledger.whole.value, 1e-9), 1),
    }


def _status(cost: FeatureCost, wrong: set[str], ledger: CostLedger) -> Status:
    if cost.info.name in wrong or cost in ledger.hoarding():
        return "failed"
    return "open" if cost in ledger.undecided() else "passed"


def _said(costs: Sequence[FeatureCost], say: Any) -> list[str]:
    more = f", and {len(costs) - 3} more features" if len(costs) > 3 else ""
    return [", ".join(say(cost) for cost in costs[:3]) + more] if costs else []


def _too_dear(cost: FeatureCost) -> str:
    views = (("in the median", cost.one), ("in one of twenty requests", cost.tail), ("a row in a batch", cost.large))
    how, view = max(((how, v) for how, v in views if v is not None), key=lambda pair: pair[1].low)
    return f"{cost.info.name} takes {view.value:.4g} µs {how}, allowed are {cost.budget:.4g}"


def _growing(cost: FeatureCost) -> str:
    if cost.growth > MOST_GROWTH:
        return (
            f"a row of {cost.info.name} costs {cost.growth:.3g} times as much in a batch of 256 as in one of 64, "
            f"allowed are {MOST_GROWTH:g}"
        )
    return (
        f"a row of {cost.info.name} costs {cost.growth_from_one:.3g} times as much in a batch of 256 as alone, allowed "
        f"are {FAR_ABOVE_ONE:g}"
    )


def _opening(cost: FeatureCost) -> str:
    what = f"opens {_few(cost.opened.places)}" if cost.opened.each_call else "reads through native code"
    return f"{cost.info.name} {what} for every request, allowed is nothing"


def _undeclared(cost: FeatureCost) -> str:
    return f"{cost.info.name} reads {_few(cost.opened.undeclared)}, which its source ({cost.info.source}) does not name"


def _hoarding(cost: FeatureCost, ledger: CostLedger) -> str:
    return (
        f"{cost.info.name} holds {cost.held_bytes / 2**20:.3g} MiB of its own, allowed are "
        f"{ledger.most_held / 2**20:.3g}"
    )


def _few(places: Sequence[str]) -> str:
    more = f" and {len(places) - 2} more" if len(places) > 2 else ""
    return f"{', '.join(places[:2])}{more}"
