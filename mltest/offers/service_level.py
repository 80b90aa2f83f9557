"""How well each request is served, beside how right its answer is: a fallback is an answer, and a lesser one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from mltest.stats.arrays import BoolArray


@dataclass(frozen=True, eq=False)
class ServiceLevel:
    """Which requests got the service that the system means to give, shape (rows,).

    `means` says in a few words what that is, such as `answered by the model, with every category known`.
    """

    full: BoolArray
    means: str


class ReportsServiceLevel(Protocol):
    """A `serving` part that tells for requests whether it would serve them in full; no server has to be started."""

    def service_level(self, rows: pa.Table) -> ServiceLevel:
        """The level of service for rows with the model's inputs, in their order, by the code that serves."""
        ...
