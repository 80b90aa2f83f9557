"""Groups of people whom the model serves, and why each of them is looked at by itself.

None of these columns is read by the model. They are kept beside its inputs so that error, direction of error and
service can be compared between groups (Model 7 of the rubric). A change of a list is a change of policy: review it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from reference_system.records import Values

TERRITORIES: Mapping[str, str] = {
    "BQN": "Aguadilla, Puerto Rico",
    "PSE": "Ponce, Puerto Rico",
    "SJU": "San Juan, Puerto Rico",
    "STT": "Charlotte Amalie, United States Virgin Islands",
}
"""No other way to the mainland, no daylight saving time, and absent from the airport table that upstream publishes:
a join on it, or a clock set for the mainland, hits these travellers and nobody else."""

SMALL_COMMUNITIES = frozenset(
    {"ACK", "ALB", "AVL", "BGR", "BHM", "BTV", "BZN", "CAE", "CAK", "CHO", "CHS", "CRW", "DAY", "DSM", "EGE", "EYW"}
    | {"GRR", "GSO", "GSP", "HDN", "JAC", "LGB", "MHT", "MSN", "MTJ", "MVY", "MYR", "OKC", "ORF", "PSP", "PWM", "RIC"}
    | {"ROC", "SAV", "SBN", "SDF", "SRQ", "SYR", "TUL", "TVC", "TYS", "XNA"}
)
"""Airports no larger than a small hub, below a quarter per cent of the country's boardings: the size up to which
49 U.S.C. 41743 speaks of small communities. Few flights a day mean few training rows and no later flight to take.
Airports at the border of two classes (ABQ, BUR, OMA, PVD) count as large, and so does what is on no list."""

REGIONAL_CARRIERS: Mapping[str, str] = {
    "9E": "Endeavor, for Delta",
    "EV": "ExpressJet, for Delta and United",
    "MQ": "American Eagle",
    "OO": "SkyWest, for several",
    "YV": "Mesa, for US Airways and United",
}
"""They fly small planes under a larger carrier's name; in a ground delay their flights are held or cancelled first, and
who books a ticket to a small place has no choice between them and a mainline."""

COLUMNS = ("community", "carrier_kind")


def columns_of(dest: Values, carrier: Values) -> dict[str, Values]:
    """The group of every row by column, shape (rows,); a place or carrier that is on no list is large or mainline."""
    small, islands, regional = sorted(SMALL_COMMUNITIES), list(TERRITORIES), list(REGIONAL_CARRIERS)
    community = np.where(np.isin(dest.astype(str), small), "small", "large").astype(object)
    community[np.isin(dest.astype(str), islands)] = "territory"
    kind = np.where(np.isin(carrier.astype(str), regional), "regional", "mainline").astype(object)
    return {"community": community, "carrier_kind": kind}
