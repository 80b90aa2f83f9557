"""A drill: how a toy feature is added to a system, as its documentation says that a feature is added.

    class MyRepository:
        root = Path("/srv/eta")

        def drill(self):
            line = Insertion("eta/declarations.py", after="FEATURES = (\\n", text='    Feature("toy", ...),\\n')
            return FeatureDrill("toy", (line,), source="eta.readiness:system")

It is done in a copy of the tree, in processes of their own; the tree itself is never written to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

HOW_TO_OFFER = (
    "nobody says how a feature is added: give the repository part drill(), which returns a mltest.FeatureDrill with "
    "the edit that adds a toy feature"
)


@dataclass(frozen=True)
class Insertion:
    """`text` that goes into the file `path` (relative to the root) right behind the one place where `after` stands."""

    path: str
    after: str
    text: str


@dataclass(frozen=True)
class FeatureDrill:
    """What adding the number `feature` takes.

    `edits` are all that a person has to write, `generate` is a command, run in the copy after every edit, that writes
    files which nobody edits. `source` (module:name) is the system that is rebuilt in the copy; `config` overrides
    what makes its training small, `libraries` are modules that it imports anyhow, loaded once for all runs.
    """

    feature: str
    edits: tuple[Insertion, ...]
    source: str
    generate: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()


@runtime_checkable
class DrilledRepository(Protocol):
    """A repository in which the addition of a feature can be tried."""

    root: Path

    def drill(self) -> FeatureDrill: ...


def edited_files(edits: Sequence[Insertion]) -> tuple[str, ...]:
    """The files that are edited, each once."""
    return tuple(dict.fromkeys(edit.path for edit in edits))
