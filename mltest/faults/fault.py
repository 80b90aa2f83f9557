"""What a fault is: a change of a system that one item must notice, and the proof that it really changed something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from mltest.system import FaultRef, System

Seam = Literal["raw", "feat", "spec", "train", "art", "gate", "serve", "roll", "mon", "label", "repo", "note"]
SEAMS: tuple[str, ...] = get_args(Seam)
"""Where a fault attaches: raw tables, feature code, specification, training, artifact, gate, serving, rollout,
monitor, labels, repository, notifier."""

Kind = Literal["fault", "twin", "vacuity"]

ANY_ITEM = "*"
"""The item of a fault that every item must survive."""

Apply = Callable[[System, float, Path], System]
Alive = Callable[[System, System], str]


class FaultError(Exception):
    """A fault is declared wrongly or cannot be found."""


class NotApplicable(FaultError):  # noqa: N818 - named after what it says about a system
    """The system does not offer what this fault changes; such a trial says nothing and is discarded."""


@dataclass(frozen=True)
class Fault:
    """A change of a system, with its severity ladder and its proof of life.

    `apply(system, dose, workdir)` returns a changed copy: it wraps parts, or works on copies inside `workdir`. Dose 0
    runs the same machinery and changes nothing. `alive(healthy, faulted)` looks at both systems independently of any
    probe and returns the sentence of what differs, or an empty text if nothing does: such a trial is discarded.

    `doses` rise, `must_catch` is the one from which on the item has to fail (for a twin: the one that it must bear).
    `evidence_removal` says that *not demonstrated* is as right an answer as *failed*. `module` is what another
    process imports to find this fault again: a dotted name, or the path of the file that registers it.
    """

    id: str
    item: str
    seam: str
    doses: tuple[float, ...]
    must_catch: float
    summary: str
    why: str
    apply: Apply
    alive: Alive
    module: str
    kind: Kind = "fault"
    twin_of: str | None = None
    evidence_removal: bool = False
    parts: tuple[str, ...] = ()

    def ref(self, dose: float | None = None) -> FaultRef:
        """Plain data from which any process finds this fault again, at `dose` or at the one to be caught."""
        return FaultRef(fault=self.id, dose=self.must_catch if dose is None else dose, module=self.module)

    def missing(self, system: System) -> tuple[str, ...]:
        """The parts that this fault needs and that `system` does not offer."""
        return tuple(part for part in self.parts if getattr(system, part) is None)
