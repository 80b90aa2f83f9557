"""What a drill showed: how many places were edited, whether the toy feature arrived everywhere, and what stayed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mltest import figures
from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.figures import Bar
from mltest.probes import direction
from mltest.probes.drill_run import PLAIN, REMOVED, TOY, Drilled
from mltest.probes.row_digests import row_digests
from mltest.probes.skew_values import compared, values_of
from mltest.system import Model

MOST_PLACES = 1
"""Edits by hand: what has to be written down twice is forgotten once."""

MOST_TIMES = 3.0
"""Features and training with the toy feature against a run without any change. One feature more is computed, and the
model has one input more; what takes three times as long computes the others anew as well."""

LEAST_SECONDS = 2.0
"""Seconds more than a plain run that nobody has to explain, whatever their ratio is."""

LEAST_HEEDED = 0.9
"""Share of the toy feature's effect in the trained model that has to show in what the server answers."""

LEAST_EFFECT = 0.05
"""Spread of the effect that the toy feature must have in the trained model, in spreads of its answers."""

FEWEST = 30
"""Requests that the effect is judged on."""


@dataclass(frozen=True)
class Findings:
    """What was seen; counts but for `heeded` (share), `times` and `slower_by` (seconds). None is not known."""

    places: int
    absent_from: tuple[str, ...]
    values_apart: int
    requests: int
    effect: float | None
    heeded: float | None
    golden_apart: int
    golden: int
    left_over: tuple[str, ...]
    features_differ: bool
    answers_differ: bool
    times: float
    slower_by: float
    failure: str | None

    @property
    def too_slow(self) -> bool:
        return self.times > MOST_TIMES and self.slower_by > LEAST_SECONDS


def of(drilled: Drilled) -> Findings:
    """Judges the runs. Raises PartFailure where the system does not even run as it is, Withheld where nothing shows."""
    plain, toy, removed = (drilled.phases[phase] for phase in (PLAIN, TOY, REMOVED))
    if plain.raised is not None:
        raise PartFailure(f"the copy does not run as it is, in its stage {plain.stage}: {plain.raised}")
    if drilled.drill.feature in plain.catalogue or drilled.drill.feature in plain.columns:
        raise Withheld(
            f"the feature {drilled.drill.feature!r} is there before the drill adds it: choose a name that is new",
            ReasonCode.CIRCULAR,
        )
    failure = None
    if toy.raised is not None:
        failure = f"with the feature the system broke in its stage {toy.stage} ({toy.raised})"
    elif removed.raised is not None:
        failure = f"after its removal the system broke in its stage {removed.stage} ({removed.raised})"
    effect, heeded = _heeded(drilled)
    apart, requests = _served(drilled)
    golden, old = plain.answers or {}, toy.answers or {}
    before, after = golden.get("golden", np.zeros(0)), old.get("golden", np.zeros(0))
    comparable = before.shape == after.shape
    slow = toy.raised is None and removed.raised is None
    return Findings(
        places=len(drilled.drill.edits),
        absent_from=_absent(drilled) if toy.raised is None else (),
        values_apart=apart,
        requests=requests,
        effect=effect,
        heeded=heeded,
        golden_apart=int(np.sum(~_equal(before, after))) if comparable else len(before) if toy.raised is None else 0,
        golden=len(before),
        left_over=drilled.left_over,
        features_differ=removed.raised is None and not _same_rows(plain.rows, removed.rows),
        answers_differ=removed.raised is None
        and not _equal(before, (removed.answers or {}).get("golden", np.zeros(0))).all(),
        times=toy.total_seconds / max(removed.total_seconds, 1e-9) if slow else 0.0,
        slower_by=toy.total_seconds - removed.total_seconds if slow else 0.0,
        failure=failure,
    )


def sentence(found: Findings, drilled: Drilled) -> str:
    """What was seen, what was allowed, what to do; empty where nothing is wrong."""
    name, parts = drilled.drill.feature, list[str]()
    if found.places > MOST_PLACES:
        where = ", ".join(dict.fromkeys(edit.path for edit in drilled.drill.edits))
        parts.append(f"adding {name} takes {found.places} edits ({where}), allowed is {MOST_PLACES}")
    if found.failure is not None:
        parts.append(found.failure)
    if found.absent_from:
        parts.append(f"{name} is absent from {', '.join(found.absent_from)}")
    if found.values_apart:
        parts.append(
            f"{found.values_apart} of {found.requests} values of {name} as served differ from those of the batch path"
        )
    if found.heeded is not None and found.heeded < LEAST_HEEDED:
        parts.append(
            f"{max(found.heeded, 0.0):.0%} of the effect of {name} in the trained model shows in what is served, "
            f"{LEAST_HEEDED:.0%} are needed: it is dropped on the way"
        )
    if found.golden_apart:
        parts.append(
            f"{found.golden_apart} of {found.golden} predictions of the model from before changed when {name} was "
            "added, none may: it reads its inputs by position"
        )
    if found.left_over or found.features_differ or (found.answers_differ and not found.features_differ):
        what = ", ".join(found.left_over[:3]) or ("features" if found.features_differ else "predictions")
        parts.append(f"after its removal something is left of it ({what})")
    if found.too_slow:
        parts.append(
            f"features and training take {found.times:.3g} times as long with {name} as without "
            f"({found.slower_by:.3g} s more), allowed are {MOST_TIMES:g}: caches hold all features under one key"
        )
    if drilled.touched:
        parts.append(
            f"the original {', '.join(drilled.touched)} changed meanwhile, which only somebody else can have done"
        )
    advice = "derive every list of features from one declaration, read them by name, and keep them one by one"
    return f"{'; '.join(parts)}: {advice}" if parts else ""


def obstacle(found: Findings, drilled: Drilled) -> tuple[str, ReasonCode] | None:
    """Why the drill shows nothing although nothing went wrong, or None."""
    name = drilled.drill.feature
    if found.requests < FEWEST:
        return f"{found.requests} requests were served and logged, {FEWEST} are needed", ReasonCode.TOO_LITTLE_DATA
    stranger = _other_version(drilled)
    if stranger is not None:
        return (
            f"the request log speaks of version {stranger}, and {drilled.phases[TOY].version} was served: log what "
            "answers",
            ReasonCode.STALE,
        )
    if found.effect is None or found.heeded is None:
        return (
            f"the request log shows no {name} that varies, so nobody can tell whether it moves a prediction: choose a "
            "toy feature that differs from request to request",
            ReasonCode.WITHHELD,
        )
    if found.effect < LEAST_EFFECT:
        return (
            f"{name} moves the new model's answers by {found.effect:.2g} of their spread although outcomes were made "
            "to follow it: train a little longer, or choose a toy feature that varies",
            ReasonCode.WITHHELD,
        )
    return None


def contradiction(drilled: Drilled, model: Model | None) -> str | None:
    """What the champion and the model that the copy trained say against each other, or None."""
    plain = drilled.phases[PLAIN]
    if plain.rows is None or plain.answers is None:
        return None
    champion = None if model is None else np.asarray(model.predict(plain.rows))
    if champion is not None and champion.ndim == 2:
        champion = champion[:, -1]
    return direction.contradiction(champion, plain.answers["golden"], plain.metrics or {})


def table(drilled: Drilled) -> str:
    """One line a run."""
    return json.dumps(
        [
            {
                "run": phase,
                "features": len(run.catalogue),
                "inputs of the model": len(run.inputs),
                "seconds for features": round((run.seconds or {}).get("features", 0.0), 2),
                "seconds for training": round((run.seconds or {}).get("training", 0.0), 2),
                "model": run.digest[:12],
                "broke": "" if run.raised is None else f"{run.stage}: {run.raised}",
            }
            for phase, run in drilled.phases.items()
        ]
    )


def figure(drilled: Drilled) -> str | None:
    """Seconds of features and of training, run by run."""
    bars = [
        Bar(f"{stage}, {phase}", seconds)
        for stage in ("features", "training")
        for phase, run in drilled.phases.items()
        for name, seconds in (run.seconds or {}).items()
        if name == stage
    ]
    return figures.bars("What one feature more takes", bars, unit="s")


def _absent(drilled: Drilled) -> tuple[str, ...]:
    toy, name = drilled.phases[TOY], drilled.drill.feature
    there: Mapping[str, bool] = {
        "the catalogue": name in toy.catalogue,
        "the computed features": name in toy.columns,
        "the inputs of the new model": name in toy.inputs,
        "the request log": toy.log is not None and name in toy.log.column_names,
    }
    return tuple(place for place, found in there.items() if not found)


def _other_version(drilled: Drilled) -> str | None:
    """A version in the log that is not the one that was served."""
    toy = drilled.phases[TOY]
    if toy.log is None or "version" not in toy.log.column_names:
        return None
    return next((str(said) for said in toy.log.column("version").to_pylist() if str(said) != toy.version), None)


def _served(drilled: Drilled) -> tuple[int, int]:
    """Values of the toy feature as served that differ from the batch path's, and the requests compared."""
    toy, name = drilled.phases[TOY], drilled.drill.feature
    if toy.log is None or toy.rows is None or name not in toy.log.column_names or name not in toy.rows.column_names:
        return 0, 0
    keys = [key for key in toy.keys if key in toy.log.column_names and key in toy.rows.column_names]
    if not keys:
        return 0, 0
    batch = {digest: row for row, digest in enumerate(row_digests(toy.rows, keys).tolist())}
    found = [(row, batch[digest]) for row, digest in enumerate(row_digests(toy.log, keys).tolist()) if digest in batch]
    served, computed = (np.array(side, dtype=np.int64) for side in (zip(*found, strict=True) if found else ((), ())))
    one, other = toy.rows.column(name).take(pa.array(computed)), toy.log.column(name).take(pa.array(served))
    return compared(name, values_of(one), values_of(other)).mismatches, len(found)


def _heeded(drilled: Drilled) -> tuple[float | None, float | None]:
    """How much the toy feature moves the model, and which share of that the served answers show."""
    answers = drilled.phases[TOY].answers or {}
    log = drilled.phases[TOY].log
    if "moving" not in answers or log is None or "prediction" not in log.column_names:
        return None, None
    served = np.asarray(log.column("prediction").to_numpy(), dtype=np.float64)
    moving, still = answers["moving"], answers["still"]
    known = np.isfinite(served) & np.isfinite(moving) & np.isfinite(still)
    effect, seen = (moving - still)[known], (served - still)[known]
    if effect.size < 2 or float(np.var(effect)) == 0 or float(np.std(moving[known])) == 0:
        return None, None
    share = float(np.cov(effect, seen)[0, 1] / np.var(effect, ddof=1))
    return float(np.std(effect) / np.std(moving[known])), share


def _same_rows(before: pa.Table | None, after: pa.Table | None) -> bool:
    if before is None or after is None or before.column_names != after.column_names:
        return False
    columns = before.column_names
    return bool(np.array_equal(row_digests(before, columns), row_digests(after, columns)))


def _equal(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    if first.shape != second.shape:
        return np.zeros(1, dtype=bool)
    return np.asarray((first == second) | (np.isnan(first) & np.isnan(second)))
