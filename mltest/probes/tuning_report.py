"""What a search log and a search of the harness's own say together: why they may say nothing, and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from mltest import figures
from mltest.evidence import Measurement, ReasonCode
from mltest.offers.search import SearchLog
from mltest.probes import direction, search_log
from mltest.probes.search_log import LogReading
from mltest.probes.tuning_rows import TuningRows
from mltest.probes.tuning_search import Gain, Search
from mltest.system import Model

SETTINGS, VALUES, EDGE, SHIPPED, HELD_OUT, BETTER, LONGER = (
    "distinct_settings",
    "distinct_values",
    "keys_at_the_edge_of_their_range",
    "keys_not_as_in_the_best_trial",
    "held_out_rows_that_chose",
    "gain_of_another_setting",
    "gain_of_longer_training",
)
MOST_NOISE = 3.0
"""Per cent by which two seeds' noise may blur a gain before nothing can be told."""

Why = tuple[str, ReasonCode]


def obstacle(log: SearchLog, read: LogReading, now: datetime) -> Why | None:
    """Why the log itself is no evidence; None when it is."""
    if read.finished < read.asked:
        return (
            f"the search log has {read.finished} finished trials, {read.asked} are needed: search longer",
            ReasonCode.TOO_LITTLE_DATA,
        )
    if log.at is not None and (log.at if log.at.tzinfo else log.at.replace(tzinfo=UTC)) > now:
        return f"the search log is of {log.at:%Y-%m-%d}, which is in the future: mend its date", ReasonCode.STALE
    return None


def claims_the_future(served: datetime | None, newest: datetime | None) -> Why | None:
    """Why the served model is none of these data's; None when it may be."""
    if served is None or newest is None:
        return None
    until, last = (each if each.tzinfo else each.replace(tzinfo=UTC) for each in (served, newest))
    if until <= last:
        return None
    return (
        f"the served model says it was trained until {until:%Y-%m-%d}, and the newest row is of {last:%Y-%m-%d}: offer "
        "the log, the rows and the model of one system",
        ReasonCode.STALE,
    )


def blindness(found: Search, rows: TuningRows, champion: Model | None) -> Why | None:
    """Why the search of the harness's own can show nothing; None when it can."""
    if found.ignored:
        return (
            "models trained with different settings answer alike on every row, so nothing was compared: make the "
            "training use the configuration that it is given",
            ReasonCode.CIRCULAR,
        )
    if found.renamed is not None:
        return (
            f"an artefact says that {found.renamed!r} was another than it was asked to be: make the training use the "
            "configuration that it is given",
            ReasonCode.WITHHELD,
        )
    if found.best is None:
        return (
            f"the training refused every setting but the shipped one ({found.tried[-1].refused}): let it try others",
            ReasonCode.WITHHELD,
        )
    served = None if champion is None else np.asarray(champion.predict(rows.choose.rows))
    said = direction.contradiction(served, np.asarray(found.answers), found.metrics)
    return None if said is None else (said, ReasonCode.WITHHELD)


def log_failures(measured: Sequence[Measurement], read: LogReading) -> str | None:
    """What is wrong with the log, in one sentence each; None when nothing is."""
    failed = {m.name: m for m in measured if m.failed}
    said = [f"{failed[name].sentence()}: {text}" for name, text in _log_sentences(read).items() if name in failed]
    return "; ".join(said) or None


def search_failures(measured: Sequence[Measurement], found: Search) -> str | None:
    """What is better than the shipped setting, in one sentence each; None when nothing is, or no day confirms it."""
    failed = {m.name: m for m in measured if m.failed}
    said = []
    for name, gain in ((BETTER, found.best), (LONGER, found.longer)):
        if name in failed and gain is not None and gain.low > 0.0:
            said.append(_gain_sentence(name, gain, failed[name]))
    return "; ".join(said) or None


def unsettled(measured: Sequence[Measurement], found: Search) -> Why | None:
    """Why a gain may not be called one, or called none: too few days or too much noise; None where it may."""
    failed = {m.name for m in measured if m.failed}
    for name, gain in ((BETTER, found.best), (LONGER, found.longer)):
        if gain is not None and name in failed:
            return (
                f"{_told(gain.setting)} saves {gain.value:.3g} % of the loss, but its interval over {gain.days} days "
                f"reaches down to {gain.low:.3g} %: offer more validation days to confirm it",
                ReasonCode.TOO_LITTLE_DATA,
            )
        if gain is not None and 2.0 * gain.error > MOST_NOISE:
            needed = int(np.ceil(gain.seeds * (2.0 * gain.error / MOST_NOISE) ** 2))
            return (
                f"two standard errors over {gain.seeds} seeds are {2.0 * gain.error:.3g} %, allowed are "
                f"{MOST_NOISE:g} %: about {needed} seeds would do, or steadier training",
                ReasonCode.TOO_LITTLE_DATA,
            )
    return None


def _log_sentences(read: LogReading) -> Mapping[str, str]:
    edges = ", ".join(f"{key} = {read.best.params[key]}" for key in read.at_edge)
    differing = ", ".join(f"{key} was {read.best.params[key]} in it" for key in read.not_shipped)
    return {
        SETTINGS: "the trials hardly differ, so nothing was searched: check that the sampler moves and is recorded",
        VALUES: "every setting has the same value, so nothing was compared: check that trials use their settings",
        EDGE: f"every best trial lies there ({edges}), so better ones may lie beyond: widen the range",
        SHIPPED: f"the best trial is not what is shipped ({differing}): ship it, or offer the log that led to this",
        HELD_OUT: "settings were chosen on rows of the holdout, which then judge nothing: choose on validation rows",
    }


def _gain_sentence(name: str, gain: Gain, measured: Measurement) -> str:
    seen = (
        f"{_told(gain.setting)} saves {gain.value:.3g} % [{gain.low:.3g}, {gain.high:.3g}] of the shipped setting's "
        f"loss over {gain.seeds} fresh seeds, allowed is at most {measured.limit:.3g} %"
    )
    if name == LONGER:
        return f"{seen}: the loss is still falling, so train longer, or until it is flat"
    return f"{seen}: search again around it, and ship what is found"


def _told(setting: Mapping[str, Any]) -> str:
    told = ((key, f"{value:.3g}" if isinstance(value, float) else str(value)) for key, value in setting.items())
    return ", ".join(f"{key} = {value}" for key, value in told)


def tried_table(found: Search) -> str:
    """Every setting that was tried, as JSON rows, and at the end how often was trained."""
    shipped = found.tried[0].loss
    records: list[dict[str, object]] = [
        {
            "setting": _told(each.setting),
            "loss": None if each.loss is None else float(f"{each.loss:.5g}"),
            "gain_percent": None if each.loss is None or not shipped else round(100.0 * (1.0 - each.loss / shipped), 3),
            "note": "shipped" if number == 0 else each.refused,
        }
        for number, each in enumerate(found.tried)
    ]
    for what, gain in (("best of these, judged again", found.best), ("trained longer, judged", found.longer)):
        if gain is not None:
            noise = f"{gain.seeds} seeds, standard error {gain.error:.2g} %"
            note = f"{what}: {noise}, days [{gain.low:.3g}, {gain.high:.3g}]"
            records.append({"setting": _told(gain.setting), "gain_percent": round(gain.value, 3), "note": note})
    return json.dumps([*records, {"setting": "", "note": found.tally}])


def figure(log: SearchLog) -> str | None:
    """The value that the best of k recorded trials has on average (Dodge et al. 2019)."""
    drawn = [figures.BandPoint(float(k), value) for k, value in search_log.expected_best(log)]
    return figures.line_with_band("Best of so many recorded trials, on average", drawn, unit=log.objective, at="trials")
