"""How far the values of a target lie apart."""

from __future__ import annotations

import numpy as np

from mltest.evidence import ReasonCode, Withheld
from mltest.probes.judged_rows import column
from mltest.probes.outcomes import outcome_of
from mltest.system import System
from mltest.tables.rows import to_arrow


def of(system: System) -> float | None:
    """The standard deviation of the target over the training rows, in its unit; None for classes.

    Raises Withheld when there are no rows, no target, or one value only.
    """
    if system.data is None:
        raise Withheld("the system offers no data", ReasonCode.PART_MISSING)
    roles = system.data.roles
    try:
        values = column(to_arrow(system.data.dataset("train"), [roles.target]), roles.target)
    except KeyError as error:
        raise Withheld(f"the training rows: {error.args[0]}", ReasonCode.PART_MISSING) from error
    if len(values) == 0:
        raise Withheld("there are no training rows: give the split `train` some", ReasonCode.TOO_LITTLE_DATA)
    outcome = outcome_of(system.task, values, roles.positive)
    if not outcome.is_number:
        return None
    spread = float(np.nanstd(outcome.truth(values))) if np.isfinite(outcome.truth(values)).any() else 0.0
    if not spread > 0:
        raise Withheld(
            f"every {roles.target!r} of the training rows is the same or missing", ReasonCode.TOO_LITTLE_DATA
        )
    return spread
