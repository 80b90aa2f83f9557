"""The online path of single features: what a request pays for each of them.

    class MyFeatures:
        def online(self, raw, as_of):
            return MyLookup(raw, as_of)

A catalogue entry's `cost_budget_us` is meant in microseconds on a machine on which `mltest.probes.calibration.loop`
takes a thousand of them; on a slower one, more is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.system import Window

HOW_TO_OFFER = (
    "nothing tells what a feature costs at serving: give the features part online(raw, as_of), whose lookup has "
    "records(raw, window) and values(records, names)"
)


@runtime_checkable
class Lookup(Protocol):
    """The code that computes features when a request comes in, with what it keeps for that."""

    def records(self, raw: Mapping[str, Any], window: Window) -> Sequence[Mapping[str, Any]]:
        """The requests that a client would have sent in the window, in order of time, made from raw tables."""
        ...

    def values(
        self, records: Sequence[Mapping[str, Any]], names: Sequence[str]
    ) -> pa.Table | Mapping[str, Sequence[Any]]:
        """The named features, one value a record, each as of the record's own moment; no other feature is computed.

        Columns by name, in whatever form the server hands them to the model: turning them into another one for a probe
        would be timed as well. Without names it does what every request needs whatever is asked, and gives no column.
        """
        ...


@runtime_checkable
class OnlineFeatures(Protocol):
    """A features part that can be asked what one feature costs."""

    def online(self, raw: Mapping[str, Any], as_of: datetime) -> Lookup:
        """A lookup that knows what had become known by `as_of`, built as the server builds it."""
        ...
