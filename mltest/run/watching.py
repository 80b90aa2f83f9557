"""Watches the parts of a system: notes which ones a probe touched, and keeps their errors apart from verdicts.

Whatever a part raises reaches the probe as `PartFailure` with the cause attached, so that an AssertionError inside
a system can never be read as a probe that failed. A split that does not exist withholds the probe.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from mltest.evidence import PartFailure, ReasonCode, Withheld


class Watched:
    """Stands in for a part and passes every access on."""

    def __init__(self, part: Any, name: str, touched: set[str]) -> None:
        object.__setattr__(self, "_watched", (part, name, touched))

    def __getattr__(self, attribute: str) -> Any:
        part, name, touched = object.__getattribute__(self, "_watched")
        touched.add(name)
        try:
            value = getattr(part, attribute)
        except AttributeError:
            raise
        except Exception as error:
            raise _failure(name, attribute, error) from error
        return _guarded(value, name, attribute) if callable(value) else value

    def __repr__(self) -> str:
        part, name, _ = object.__getattribute__(self, "_watched")
        return f"<watched part {name}: {type(part).__qualname__}>"


def _guarded(function: Callable[..., Any], name: str, attribute: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (Withheld, PartFailure):
            raise
        except KeyError as error:
            if (name, attribute) == ("data", "dataset") and _is_about_the_split(error, *args, **kwargs):
                raise Withheld(str(error.args[0]), ReasonCode.PART_MISSING) from error
            raise _failure(name, attribute, error) from error
        except Exception as error:
            raise _failure(name, attribute, error) from error

    return call


def _is_about_the_split(error: KeyError, split: object = "", **_: object) -> bool:
    """Any other KeyError is a slip in the system's own code, and no word about what the data lack."""
    return bool(error.args) and re.search(rf"\b{re.escape(str(split))}\b", str(error.args[0])) is not None


def _failure(name: str, attribute: str, error: Exception) -> PartFailure:
    text = " ".join(str(error).split())
    return PartFailure(f"the part `{name}` raised {type(error).__name__} in {attribute}: {text[:500]}")
