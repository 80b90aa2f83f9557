"""pandera's built-in checks as Ibis expressions, and whether one can reject anything at all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_HUGE = 1e300
_LONG = 255
_ANYTHING = re.compile(r"\^?\(?((\.|\[\\s\\S\])[*+]\??)?\)?\$?")


def name_of(check: Any) -> str | None:
    """The built-in check that this is; None for one that somebody wrote, also under the name of a built-in one."""
    from pandera.api.function_dispatch import Dispatcher

    plain = isinstance(check._check_fn, Dispatcher) and check.groupby is None and not check.element_wise
    return str(check.name) if plain and check.name in _PREDICATES else None


def compiled(check: Any, values: Any) -> Any | None:
    """A boolean expression that holds where the check does; None where it has to be left to pandera.

    Raises TypeError where the check cannot hold for any value, because values of this type do not compare with its
    bounds.
    """
    name = name_of(check)
    if name is None:
        return None
    if name.startswith("str_") and not values.type().is_string():
        raise TypeError(f"{name} looks at text, the column is {values.type()}")
    return _PREDICATES[name](values, check.statistics)


def label(check: Any) -> str:
    """How a check is called in a report."""
    if name_of(check) is None:
        return str(check.name or check.error or "custom check")
    given = ", ".join(f"{_shown(value)}" for value in check.statistics.values() if not isinstance(value, bool))
    return f"{check.name}({given})"


def is_vacuous(check: Any) -> bool:
    """Whether a built-in check accepts every value that is not empty. A custom one is taken at its word."""
    name, stats = name_of(check), check.statistics or {}
    if name is None:
        return False
    if name == "in_range":
        return _no_bound(stats.get("min_value"), -1) and _no_bound(stats.get("max_value"), 1)
    if name in ("greater_than", "greater_than_or_equal_to"):
        return _no_bound(stats.get("min_value"), -1)
    if name in ("less_than", "less_than_or_equal_to"):
        return _no_bound(stats.get("max_value"), 1)
    if name == "notin":
        return not list(stats["forbidden_values"])
    if name == "str_length":
        shortest, longest = stats.get("min_value") or 0, stats.get("max_value")
        return stats.get("exact_value") is None and shortest <= 1 and (longest is None or longest >= _LONG)
    if name in ("str_matches", "str_contains"):
        return _ANYTHING.fullmatch(_pattern(stats["pattern"])) is not None
    return name in ("str_startswith", "str_endswith") and not stats["string"]


def _no_bound(bound: Any, sign: int) -> bool:
    if bound is None:
        return True
    return isinstance(bound, int | float) and (math.isnan(bound) or bound * sign >= _HUGE)


def _pattern(pattern: Any) -> str:
    return str(pattern.pattern if isinstance(pattern, re.Pattern) else pattern)


def _searched(values: Any, pattern: str) -> Any | None:
    """A search by the engine's regular expressions, RE2 in DuckDB; None for a pattern that RE2 does not know."""
    import pyarrow as pa
    import pyarrow.compute as compute

    try:
        compute.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid:
        return None
    return values.re_search(pattern)


def _matches(values: Any, stats: Mapping[str, Any]) -> Any | None:
    pattern = stats["pattern"]
    if isinstance(pattern, re.Pattern) and pattern.flags & ~re.UNICODE:
        return None
    text = _pattern(pattern)
    return _searched(values, text if text.startswith("^") else f"^(?:{text})")


def _contains(values: Any, stats: Mapping[str, Any]) -> Any | None:
    pattern = stats["pattern"]
    if isinstance(pattern, re.Pattern) and pattern.flags & ~re.UNICODE:
        return None
    return _searched(values, _pattern(pattern))


def _in_range(values: Any, stats: Mapping[str, Any]) -> Any:
    low, high = stats["min_value"], stats["max_value"]
    above = values >= low if stats.get("include_min", True) else values > low
    below = values <= high if stats.get("include_max", True) else values < high
    return above & below


def _length(values: Any, stats: Mapping[str, Any]) -> Any | None:
    length, exact = values.length(), stats.get("exact_value")
    low, high = stats.get("min_value"), stats.get("max_value")
    if exact is not None:
        return length == exact
    if low is None and high is None:
        return None
    return (length >= (0 if low is None else low)) & (length <= (2**62 if high is None else high))


_PREDICATES: Mapping[str, Callable[[Any, Mapping[str, Any]], Any | None]] = {
    "equal_to": lambda values, stats: values == stats["value"],
    "not_equal_to": lambda values, stats: values != stats["value"],
    "greater_than": lambda values, stats: values > stats["min_value"],
    "greater_than_or_equal_to": lambda values, stats: values >= stats["min_value"],
    "less_than": lambda values, stats: values < stats["max_value"],
    "less_than_or_equal_to": lambda values, stats: values <= stats["max_value"],
    "in_range": _in_range,
    "isin": lambda values, stats: values.isin(list(stats["allowed_values"])),
    "notin": lambda values, stats: ~values.isin(list(stats["forbidden_values"])),
    "str_matches": _matches,
    "str_contains": _contains,
    "str_startswith": lambda values, stats: values.startswith(stats["string"]),
    "str_endswith": lambda values, stats: values.endswith(stats["string"]),
    "str_length": _length,
}


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        members = sorted(map(str, value))
        return f"[{', '.join(members[:5])}{', ...' if len(members) > 5 else ''}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
