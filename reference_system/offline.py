"""Window features of many flights at once: the declarations become as-of queries in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from reference_system import window_sql
from reference_system.declarations import BASELINES, WINDOW_FEATURES, WindowFeature

if TYPE_CHECKING:
    from reference_system.flights import Floats


def window_values(
    flights: pa.Table, weather: pa.Table, moments: pa.Table, known: Mapping[str, Floats] | None = None
) -> dict[str, Floats]:
    """Every declared window feature at each row of ``moments``, NaN where it is null.

    Baselines are left out: only events are measured against them, and no model reads them.

    Args:
        flights: ``events.flight_events`` of the whole history.
        weather: ``events.weather_events`` of the whole history.
        moments: rows of ``flights`` to compute for; their ``pushed_back_at`` is the moment of prediction.
        known: values of features that were computed before, for the same rows in the same order.
    """
    found = dict(known or {})
    asked = [feature for feature in WINDOW_FEATURES if feature not in BASELINES and feature.name not in found]
    if asked:
        measured = any(feature.value_minus for feature in asked)
        found |= values_of(asked, with_baselines(flights) if measured else flights, weather, moments)
    return found


def with_baselines(flights: pa.Table) -> pa.Table:
    """``flights`` with a column for each ``value_minus``: value less the baseline known at that flight's push-back."""
    departed = flights.filter(flights["pushed_back_at"].is_valid())
    baselines = values_of(BASELINES, departed, None, departed)
    for feature in WINDOW_FEATURES:
        if feature.value is None or feature.value_minus is None or feature.event_value in departed.column_names:
            continue
        less = departed[feature.value].to_numpy() - baselines[feature.value_minus]
        departed = departed.append_column(str(feature.event_value), pa.array(less, from_pandas=True))
    waiting = flights.filter(flights["pushed_back_at"].is_null())
    return pa.concat_tables([departed, waiting], promote_options="default")


def values_of(
    features: Sequence[WindowFeature], flights: pa.Table, weather: pa.Table | None, moments: pa.Table
) -> dict[str, Floats]:
    keys = sorted({key for feature in features for key in feature.keys})
    asked = moments.select(keys).append_column("moment", moments["pushed_back_at"])
    asked = asked.append_column("row", pa.array(np.arange(moments.num_rows)))
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        connection.register("flights", flights)
        if weather is not None:
            connection.register("weather", weather)
        connection.register("moments", asked)
        computed = {
            name: np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
            for group in window_sql.shared(features)
            for name, values in connection.execute(window_sql.query(group)).fetchnumpy().items()
        }
        return {feature.name: computed[feature.name] for feature in features}
