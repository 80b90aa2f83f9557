"""A declared window feature as an as-of query over the tables ``flights``, ``weather`` and ``moments``.

``moments`` has the key columns, ``moment`` (seconds since 1970) and ``row``; every query yields ``value`` in order of
``row``. Ties in time are broken by ``flight_id``, so that "the last n" are the same n on every run.
"""
# ruff: noqa: S608 - every name in these queries is written in declarations.py, none comes from outside.

from __future__ import annotations

from reference_system.declarations import EVENTS, LastEvents, Span, WindowFeature


def query(feature: WindowFeature) -> str:
    """DuckDB SQL that computes ``feature`` at every row of ``moments``."""
    window = feature.window
    body = _last_events(feature, window) if isinstance(window, LastEvents) else _span(feature, window)
    return f"SELECT CAST(value AS DOUBLE) AS value FROM ({body}) ORDER BY row"


def _source(feature: WindowFeature) -> str:
    """Subquery of the events that the feature may see: keys, time, id and value."""
    event = EVENTS[feature.events]
    conditions = [f"{column} IS NOT NULL" for column in (event.time, *feature.keys)]
    value = feature.event_value
    if value is not None and not feature.keeps_null:
        conditions.append(f"{value} IS NOT NULL")
    columns = [*feature.keys, f"{event.time} AS time", "flight_id", f"{value or 1} AS value"]
    return f"(SELECT {', '.join(columns)} FROM {event.table} WHERE {' AND '.join(conditions)})"


def _last_events(feature: WindowFeature, window: LastEvents) -> str:
    keys = ", ".join(feature.keys)
    aggregate = {"median": "median(value)", "mean": "avg(value)", "last": "last_value(value)", "age": "max(time)"}
    result = "(m.moment - e.time) / 60.0" if feature.statistic == "age" else "e.value"
    within = "TRUE" if window.within is None else f"m.moment - e.time <= {window.within}"
    return f"""
        SELECT m.row, CASE WHEN {within} THEN {result} END AS value
        FROM moments m ASOF LEFT JOIN (
            SELECT {keys}, time, {aggregate[feature.statistic]} OVER (
                PARTITION BY {keys} ORDER BY time, flight_id
                ROWS BETWEEN {window.count - 1} PRECEDING AND CURRENT ROW
            ) AS value
            FROM {_source(feature)}
            QUALIFY row_number() OVER (PARTITION BY {keys}, time ORDER BY flight_id DESC) = 1
        ) e ON {_same_keys(feature, "e")} AND m.moment > e.time"""


def _span(feature: WindowFeature, window: Span) -> str:
    """Running totals per key, read at both edges of the span: their difference is what lies between.

    Exact, since the values summed are whole and half minutes.
    """
    keys = ", ".join(feature.keys)
    events = _pending(feature, window) if feature.pending_until else _source(feature)
    totals = f"""(
        SELECT {keys}, time, sum(sum(CAST(value AS DOUBLE))) OVER running AS total,
            sum(count(value)) OVER running AS number
        FROM {events}
        GROUP BY {keys}, time
        WINDOW running AS (PARTITION BY {keys} ORDER BY time))"""
    start = f"m.moment - {window.before}"
    until = f"m.moment + {window.after}"
    total = "coalesce(until.total, 0) - coalesce(start.total, 0)"
    number = "coalesce(until.number, 0) - coalesce(start.number, 0)"
    value = f"({total}) / nullif({number}, 0)" if feature.statistic == "mean" else total
    if feature.pending_until:
        return f"""
        SELECT m.row, coalesce(until.total, 0) AS value
        FROM moments m ASOF LEFT JOIN {totals} until ON {_same_keys(feature, "until")} AND m.moment > until.time"""
    return f"""
        WITH totals AS {totals}
        SELECT m.row, {value} AS value
        FROM moments m
        ASOF LEFT JOIN totals until ON {_same_keys(feature, "until")} AND {until} > until.time
        ASOF LEFT JOIN totals start ON {_same_keys(feature, "start")} AND {start} > start.time"""


def _pending(feature: WindowFeature, window: Span) -> str:
    """+1 when an event falls due, -1 when it is settled or leaves the window: the running sum counts the pending."""
    event, keys = EVENTS[feature.events], ", ".join(feature.keys)
    source = f"FROM {event.table} WHERE {event.time} IS NOT NULL"
    expiry = f"{event.time} + {window.before}"
    settled = f"least(greatest({event.time}, coalesce({feature.pending_until}, {expiry})), {expiry})"
    return f"""(
        SELECT {keys}, {event.time} AS time, 1 AS value {source}
        UNION ALL SELECT {keys}, {settled}, -1 {source})"""


def _same_keys(feature: WindowFeature, events: str) -> str:
    return " AND ".join(f"m.{key} = {events}.{key}" for key in feature.keys)
