"""What a feature may be made from here, and what none may follow, whatever it is called."""

from __future__ import annotations

from mltest.offers.governance import FeaturePolicy
from mltest.system import RawColumn
from reference_system import catalogue

POLICY = FeaturePolicy(
    sources={
        "flights": catalogue.BTS,
        "weather": catalogue.METAR,
        "planes": catalogue.FAA,
        "destinations": catalogue.OPENFLIGHTS,
    },
    licences=(catalogue.BTS, catalogue.METAR, catalogue.FAA, catalogue.OPENFLIGHTS),
    sensitivities=("public", "pseudonymous"),
    owners=(catalogue.OWNER,),
    forbidden=(
        # A clock without a date, in the zone of another city: which day it means cannot be told of late arrivals.
        RawColumn("flights", "arr_time"),
        # Fahrenheit with single Celsius readings in between (`raw.QUARANTINE`): no one scale, no feature.
        RawColumn("weather", "temp"),
        RawColumn("weather", "dewp"),
    ),
)
