"""How old a model is by the rows that it learned from, and whether the system knows: the clock of its refresh policy.

An age counted from a registration or a deployment starts anew with every copy of an old model. So models trained here
up to known dates must say these dates, the served one must not claim newer rows than there are, and the age that the
system reports must not be younger than its newest training row is old. A clock that runs ahead errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.refresh import HOW_TO_OFFER, RefreshPolicy
from mltest.system import ModelInfo

DAY = timedelta(days=1)
OF_TRAININGS, BEYOND, REPORTED = (
    "trainings_claim_newer_rows",
    "served_model_claims_newer_rows",
    "reported_age_too_young",
)
_SHARE = 0.1


@dataclass(frozen=True)
class ClockReading:
    """Days by which ages are understated. `of_trainings`: by models trained here, None where they do not say; `beyond`:
    by which the served model claims newer rows than were there to learn from; `reported`: by the age that the system
    reports, against `newest`; None where it reports none."""

    newest: datetime
    of_trainings: float | None
    beyond: float | None
    reported: float | None


def understatements(policy: RefreshPolicy, clock: ClockReading) -> list[tuple[str, float, float]]:
    """Name, days and most allowed days of every reading that there is."""
    most = allowed(policy)
    found = [(OF_TRAININGS, clock.of_trainings, 1.0), (BEYOND, clock.beyond, most), (REPORTED, clock.reported, most)]
    return [(name, days, limit) for name, days, limit in found if days is not None]


def allowed(policy: RefreshPolicy) -> float:
    """Days by which an age may be understated: one, or a tenth of the policy's age."""
    return max(1.0, _SHARE * policy.every / DAY)


def require(policy: RefreshPolicy) -> RefreshPolicy:
    """The policy. Raises Withheld where it names no age, and PartFailure where it is no policy at all."""
    every = getattr(policy, "every", None)
    if every is None:
        raise Withheld(f"the refresh policy names no age: {HOW_TO_OFFER}", ReasonCode.PART_MISSING)
    if not isinstance(every, timedelta):
        raise PartFailure(f"the part `training` offers a refresh policy whose age is {every!r}: give a timedelta")
    if every <= timedelta(0):
        raise Withheld(f"the refresh policy replaces models of age {every}: give an age above zero")
    return policy


def read(
    policy: RefreshPolicy,
    claims: Sequence[tuple[datetime, datetime | None]],
    served: ModelInfo | None,
    newest: Mapping[str, datetime],
    at: datetime,
) -> ClockReading:
    """Compares what is said of ages at the instant `at` with rows.

    `claims` are pairs of the newest row that a training got and what its model says; `newest` is the newest row of
    every split, of which `train` is there. Raises Withheld where nothing tells the age of the served model.
    """
    said = [_days(_aware(claim) - row) for row, claim in claims if claim is not None]
    until = None if served is None else served.trained_until
    truth, beyond = newest["train"], None
    if until is not None:
        truth, beyond = _newest_row(_aware(until), newest)
    return ClockReading(truth, max(said, default=None), beyond, _understated(policy, served, truth, at))


def _newest_row(until: datetime, newest: Mapping[str, datetime]) -> tuple[datetime, float]:
    """The newest row that the served model learned from, and the days by which its claim goes beyond all rows that it
    can have learned from: the training split, or that and the validation split together."""
    if until <= newest["train"] + DAY:
        return until, 0.0
    refit = newest.get("validation")
    if refit is not None and abs(until - refit) <= DAY:
        return refit, 0.0
    return newest["train"], _days(until - newest["train"])


def _understated(policy: RefreshPolicy, served: ModelInfo | None, truth: datetime, at: datetime) -> float | None:
    if policy.reported_age is None:
        if policy.counted_from != "data_end":
            raise Withheld(
                f"the refresh policy counts ages from {policy.counted_from!r}, which no row tells: {HOW_TO_OFFER}",
                ReasonCode.PART_MISSING,
            )
        if served is None or served.trained_until is None:
            raise Withheld(
                f"neither the served model nor the refresh policy tells an age: {HOW_TO_OFFER}",
                ReasonCode.PART_MISSING,
            )
        return None
    if served is None:
        raise Withheld(
            "there is no served model whose age could be asked for: offer the part `model`", ReasonCode.PART_MISSING
        )
    try:
        reported = policy.reported_age(served.version, at)
    except Exception as error:
        raise PartFailure(f"the refresh policy raised {type(error).__name__} for the reported age: {error}") from error
    if not isinstance(reported, timedelta):
        raise PartFailure(f"the refresh policy reports the age {reported!r}: it must be a timedelta")
    return _days(at - truth - reported)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _days(span: timedelta) -> float:
    return span / DAY
