"""What the benefit probe shows beside its numbers: a figure, and one row a feature."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from mltest import figures
from mltest.probes.ablation import Screened
from mltest.probes.ablation_retraining import Retrained
from mltest.probes.ablation_rows import Material
from mltest.probes.feature_verdicts import MARGIN, Benefit
from mltest.probes.learnable import NOISE
from mltest.stats.bootstrap import Estimate

_BAD = (Benefit.NONE, Benefit.HARMFUL)
_COUNTS: Mapping[str, Benefit] = {"useless_inputs": Benefit.NONE, "harmful_inputs": Benefit.HARMFUL}


@dataclass(frozen=True)
class Told:
    """A number that informs and decides nothing."""

    name: str
    value: float
    unit: str = ""
    ci: tuple[float, float] | None = None
    n: int | None = None


def certain(rows: Material) -> dict[str, int]:
    """How many inputs are dead or repeat another one, which no screen is needed for."""
    again = {second for _, second in rows.duplicates}
    return {"dead_inputs": len(rows.dead), "redundant_inputs": len(again)}


def certain_sentence(rows: Material) -> str:
    """Which inputs are dead or repeat another one, what is allowed, and what to do about them."""
    parts = [f"{name} is dead ({what}): repair its source or drop it" for name, what in rows.dead.items()]
    parts += [
        f"{again} says what {kept} says: drop one, or declare both as one group" for kept, again in rows.duplicates
    ]
    return "; ".join((*parts, "none may be, and the others are screened once these are settled"))


def counted(verdicts: Mapping[str, Benefit]) -> dict[str, int]:
    """How many inputs stand badly, by the name of the measurement."""
    return {name: sum(found is verdict for found in verdicts.values()) for name, verdict in _COUNTS.items()}


def told(rows: Material, screened: Screened, retrained: Retrained, verdicts: Mapping[str, Benefit]) -> tuple[Told, ...]:
    """What stands beside the counts: the other inputs, the controls, and what was spent on which."""
    standing = tuple(verdicts.values())
    noise = max(NOISE, key=lambda name: screened.screens.boosting[name].value)
    return (
        Told("beneficial_inputs", standing.count(Benefit.BENEFICIAL), "inputs"),
        Told("inputs_carried_by_their_group", standing.count(Benefit.CARRIED), "inputs"),
        Told("underpowered_inputs", standing.count(Benefit.UNDERPOWERED), "inputs"),
        _told(f"screened_benefit_of_{screened.strongest}", screened.screens.boosting[screened.strongest]),
        _told("screened_benefit_of_noise", screened.screens.boosting[noise]),
        _told(f"retrained_benefit_of_{screened.strongest_unit}", retrained.strongest),
        _told("retrained_benefit_of_noise", retrained.noise),
        *([_told("retrained_benefit_of_suspects", retrained.suspects)] if retrained.suspects is not None else []),
        Told("screened_inputs", len(rows.features), "inputs", n=screened.rows),
        Told("trainings", retrained.trainings, f"trainings with {retrained.seeds} seeds ({retrained.shortened})"),
        Told("training_seconds", retrained.seconds, "s"),
    )


def figure(screened: Screened, verdicts: Mapping[str, Benefit]) -> str | None:
    """Benefit of every screened feature in per cent of the loss, as the boosting sees it, the strongest first."""
    names = sorted(
        (name for name in verdicts if name in screened.screens.boosting),
        key=lambda name: -screened.screens.boosting[name].value,
    )
    rows = [_interval(name, screened.screens.boosting[name], verdicts[name]) for name in names]
    return figures.intervals("Benefit of each feature, share of the loss that it saves", rows, unit="%")


def table(screened: Screened) -> str:
    """JSON text of one flat object a unit: what each screen saw, in per cent of the loss, and its verdict."""
    entries: list[dict[str, object]] = []
    for unit, members in screened.units.items():
        verdict = screened.verdicts.get(unit, "control" if unit in NOISE else "together")
        seen = {
            **_columns("ridge", screened.screens.ridge[unit]),
            **_columns("boosting", screened.screens.boosting[unit]),
        }
        remark = "" if members == (unit,) else ", ".join(members)
        entries.append({"unit": unit, "verdict": str(verdict), **seen, "remark": remark})
    return json.dumps(entries)


def sentence(screened: Screened, retrained: Retrained, verdicts: Mapping[str, Benefit]) -> str:
    """What was seen of which input, what is allowed, and what to do about it; empty when all stand well."""
    parts = [
        f"{name} {_claim(screened, name, verdict)} (ridge {_percent(screened.screens.ridge[name])}, boosting "
        f"{_percent(screened.screens.boosting[name])}, confirmed on {screened.held_back_as} rows): "
        f"{_advice(screened, name)}"
        for verdict in _BAD
        for name, found in verdicts.items()
        if found is verdict
    ]
    if retrained.suspects is not None and any(found in (Benefit.NONE, Benefit.HARMFUL) for found in verdicts.values()):
        parts.append(f"with them the real model saves {_percent(retrained.suspects)}")
    return "; ".join(parts)


def _claim(screened: Screened, name: str, verdict: Benefit) -> str:
    if verdict is Benefit.HARMFUL:
        return "does harm"
    beside = screened.beside.get(name)
    return "saves less than 0.1 % of the loss" + (f" beside {beside} and the others" if beside else "")


def _advice(screened: Screened, name: str) -> str:
    return "drop one, or declare both as one group" if name in screened.beside else "drop it"


def _told(name: str, estimate: Estimate) -> Told:
    low, high = estimate.interval.low, estimate.interval.high
    known = math.isfinite(low) and math.isfinite(high)
    interval = (100 * low, 100 * high) if known else None
    return Told(name.replace(" ", "_"), 100 * estimate.value, "% of the loss", interval, estimate.n_clusters)


def _interval(name: str, estimate: Estimate, verdict: Benefit) -> figures.Interval:
    status: figures.Status = "passed" if verdict in (Benefit.BENEFICIAL, Benefit.CARRIED) else "open"
    return figures.Interval(
        name=name,
        value=100 * estimate.value,
        low=_finite(estimate.interval.low),
        high=_finite(estimate.interval.high),
        limit=100 * MARGIN,
        status="failed" if verdict in _BAD else status,
    )


def _columns(screen: str, estimate: Estimate) -> dict[str, float | None]:
    return {
        screen: round(100 * estimate.value, 4),
        f"{screen} low": _finite(estimate.interval.low),
        f"{screen} high": _finite(estimate.interval.high),
    }


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.3f} %"


def _finite(share: float) -> float | None:
    return round(100 * share, 4) if math.isfinite(share) else None
