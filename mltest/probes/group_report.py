"""What a reader is shown of the groups: sentences, one table and one figure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from mltest import figures
from mltest.probes.group_errors import GroupError
from mltest.probes.group_representation import Representation
from mltest.probes.group_rows import GroupedRows
from mltest.probes.group_service import GroupService, Service
from mltest.probes.group_swap import Exchange

_DRAWN_AS: dict[str, figures.Status] = {"failed": "failed", "holds": "passed"}


def error_sentence(found: Sequence[GroupError], limit: float) -> str:
    """A failure by signed error: the worst group, what was allowed, what to do, and how many more there are."""
    failed = [one for one in found if one.status == "failed"]
    worst = failed[0]
    more = f", {len(failed) - 1} more failed likewise" if len(failed) > 1 else ""
    side = "too high" if worst.gap > 0 else "too low"
    allowed = limit * worst.loss / 100.0
    return (
        f"{worst.name} ({worst.n} rows) is predicted {side} by {abs(worst.gap):.3g} [{worst.interval.low:+.3g}, "
        f"{worst.interval.high:+.3g}] beside everybody else ({worst.view}){more}, allowed is {allowed:.3g} "
        "either way: look at the training labels and inputs of this group, and correct it where they are right"
    )


def service_sentence(worst: GroupService, service: Service, limit: float) -> str:
    """A failure by service: the group, its share of full answers, what was allowed, what is missing."""
    return (
        f"{worst.name} ({worst.n} requests) gets {service.means} in {worst.share:.1%} of them, {worst.ratio:.3g} "
        f"[{worst.interval.low:.3g}, {worst.interval.high:.3g}] times as often as everybody else, allowed is at least "
        f"{limit:.3g}: most of the others lack it through {worst.lacks}, so give this group what an answer takes"
    )


def representation_sentence(worst: Representation, limit: float) -> str:
    """A failure by absence: the group, its training rows, what was allowed, what to do."""
    return (
        f"{worst.name} has {worst.found} of {worst.n_train} training rows, {worst.ratio:.2g} of what its "
        f"{worst.share:.2%} of the rows in {worst.source} ask for, allowed is at least {limit:.2g}: look for the join, "
        "filter or sample that leaves its rows out"
    )


def exchange_sentence(found: Exchange, limit: float) -> str:
    """A failure by policy: the group that must not matter, how much it does, what to do."""
    return (
        f"exchanging {found.column} (through {', '.join(found.inputs)}) changes answers by {found.size:.3g} % of the "
        f"model's mean absolute error, allowed is at most {limit:.3g} % where the policy says that it must not matter: "
        "train without the inputs that carry it"
    )


def table(
    rows: GroupedRows, errors: Sequence[GroupError], service: Service | None, exchanges: Sequence[Exchange]
) -> str:
    """Every group with its errors and its service, then every exchange, as JSON rows."""
    served = {} if service is None else {one.name: one for one in service.groups}
    effects = {one.column: one for one in exchanges}
    return json.dumps([_record(one, served.get(one.name), effects.get(one.column), rows) for one in errors])


def figure(errors: Sequence[GroupError], limit: float) -> str | None:
    """The signed error of every group beside everybody else, worst first; None without the extra `figures`."""
    known = [one for one in errors if math.isfinite(one.interval.low)]
    drawn = [
        figures.Interval(
            f"{one.name} (n {one.n})",
            one.gap,
            one.interval.low,
            one.interval.high,
            math.copysign(limit * one.loss / 100.0, one.gap),
            _DRAWN_AS.get(one.status, "open"),
        )
        for one in known
    ]
    return figures.intervals("Signed error of groups beside everybody else", drawn, "unit of the target")


def representations(found: Sequence[Representation]) -> str:
    """Every group's share of the training rows beside its share of the traffic, as JSON rows."""
    return json.dumps(
        [
            {
                "group": one.name,
                "training rows": one.found,
                "share of training": round(one.found / one.n_train, 5),
                "share of traffic": round(one.share, 5),
                "traffic": one.source,
                "ratio": round(one.ratio, 4),
                "low": round(one.interval.low, 4),
                "high": round(one.interval.high, 4),
            }
            for one in found
        ]
    )


def _record(
    one: GroupError, served: GroupService | None, effect: Exchange | None, rows: GroupedRows
) -> dict[str, object]:
    return {
        "group": one.name,
        "status": one.status,
        "rows": one.n,
        rows.judged.unit: one.n_blocks,
        "signed_error": _number(one.signed),
        "beside_others": _number(one.gap),
        "low": _number(one.interval.low),
        "high": _number(one.interval.high),
        "loss_over_others": _number(one.relative_loss),
        "served_in_full": None if served is None else _number(served.share),
        "service_over_others": None if served is None else _number(served.ratio),
        "exchange_effect_percent": None if effect is None or not effect.inputs else _number(effect.size),
        "carried_by": "no input" if effect is None else ", ".join(effect.inputs) or "no input",
    }


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
