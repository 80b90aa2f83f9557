"""What a team has agreed about its groups beyond naming them: which of them must not change an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class InclusionPolicy:
    """Group columns that answers must not depend on.

    `largest_effect` is the mean change of an answer, in per cent of the model's mean absolute error, that may still
    come from exchanging such a group.
    """

    must_not_matter: tuple[str, ...] = ()
    largest_effect: float = 1.0


class DeclaresInclusion(Protocol):
    """A `data` part with a policy about its groups. Without one an exchange of groups is shown and decides nothing."""

    @property
    def inclusion(self) -> InclusionPolicy: ...
