"""Declared window features as as-of queries over the tables ``flights``, ``weather`` and ``moments``.

``moments`` has the key columns, ``moment`` (seconds since 1970) and ``row``; every query yields its columns in order of
``row``. Ties in time are broken by ``flight_id``, so that "the last n" are the same n on every run.
"""
# ruff: noqa: S608 - every name in these queries is written in declarations.py, none comes from outside.

from __future__ import annotations

from collections.abc import Sequence

from reference_system.declarations import EVENTS, LastEvents, Span, WindowFeature


def shared(features: Sequence[WindowFeature]) -> tuple[tuple[WindowFeature, ...], ...]:
    """The features in groups that one query can compute: spans over the same events and keys share running totals."""
    groups: dict[object, list[WindowFeature]] = {}
    for number, feature in enumerate(features):
        alone = not isinstance(feature.window, Span) or feature.pending_until
        groups.setdefault(number if alone else (feature.events, feature.keys), []).append(feature)
    return tuple(map(tuple, groups.values()))


def query(features: Sequence[WindowFeature]) -> str:
    """DuckDB SQL that computes the features of one group at every row of ``moments``: one column each, by name."""
    first = features[0]
    if isinstance(first.window, LastEvents):
        return f"SELECT CAST(value AS DOUBLE) AS {first.name} FROM ({_last_events(first, first.window)}) ORDER BY row"
    if first.pending_until:
        return f"SELECT CAST(value AS DOUBLE) AS {first.name} FROM ({_pending(first, first.window)}) ORDER BY row"
    return _spans(features)


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


def _spans(features: Sequence[WindowFeature]) -> str:
    """Running totals per key, read at both edges of each span: their difference is what lies between.

    Exact, since the values summed are whole and half minutes. Events without a value add nothing to a total.
    """
    first = features[0]
    event, keys = EVENTS[first.events], ", ".join(first.keys)
    known = " AND ".join(f"{column} IS NOT NULL" for column in (event.time, *first.keys))
    values = list(dict.fromkeys(str(feature.event_value or 1) for feature in features))
    totals = ", ".join(
        f"sum(sum(CAST({value} AS DOUBLE))) OVER running AS total_{number}, "
        f"sum(count({value})) OVER running AS number_{number}"
        for number, value in enumerate(values)
    )
    edges = list(dict.fromkeys(edge for feature in features for edge in _edges(feature)))
    joins = "\n        ".join(
        f"ASOF LEFT JOIN totals edge_{number} ON {_same_keys(first, f'edge_{number}')} "
        f"AND m.moment + {edge} > edge_{number}.time"
        for number, edge in enumerate(edges)
    )
    columns = ", ".join(
        f"CAST({_between(feature, values.index(str(feature.event_value or 1)), edges)} AS DOUBLE) AS {feature.name}"
        for feature in features
    )
    return f"""
        WITH totals AS (
            SELECT {keys}, {event.time} AS time, {totals}
            FROM {event.table} WHERE {known}
            GROUP BY {keys}, {event.time}
            WINDOW running AS (PARTITION BY {keys} ORDER BY {event.time}))
        SELECT {columns}
        FROM moments m
        {joins}
        ORDER BY m.row"""


def _edges(feature: WindowFeature) -> tuple[int, int]:
    """Where a span starts and ends, in seconds from the moment."""
    return -feature.window.before, feature.window.after


def _between(feature: WindowFeature, value: int, edges: Sequence[int]) -> str:
    start, until = (f"edge_{edges.index(edge)}" for edge in _edges(feature))
    total = f"coalesce({until}.total_{value}, 0) - coalesce({start}.total_{value}, 0)"
    number = f"coalesce({until}.number_{value}, 0) - coalesce({start}.number_{value}, 0)"
    return f"({total}) / nullif({number}, 0)" if feature.statistic == "mean" else total


def _pending(feature: WindowFeature, window: Span) -> str:
    """+1 when an event falls due, -1 when it is settled or leaves the window: the running sum counts the pending."""
    event, keys = EVENTS[feature.events], ", ".join(feature.keys)
    source = f"FROM {event.table} WHERE {event.time} IS NOT NULL"
    expiry = f"{event.time} + {window.before}"
    settled = f"least(greatest({event.time}, coalesce({feature.pending_until}, {expiry})), {expiry})"
    return f"""
        SELECT m.row, coalesce(until.total, 0) AS value
        FROM moments m ASOF LEFT JOIN (
            SELECT {keys}, time, sum(sum(CAST(value AS DOUBLE))) OVER running AS total
            FROM (
                SELECT {keys}, {event.time} AS time, 1 AS value {source}
                UNION ALL SELECT {keys}, {settled}, -1 {source})
            GROUP BY {keys}, time
            WINDOW running AS (PARTITION BY {keys} ORDER BY time)
        ) until ON {_same_keys(feature, "until")} AND m.moment > until.time"""


def _same_keys(feature: WindowFeature, events: str) -> str:
    return " AND ".join(f"m.{key} = {events}.{key}" for key in feature.keys)
