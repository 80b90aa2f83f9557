"""What a check of a schema found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnViolations:
    """One check of a schema: `count` of `n` values break it. `column` is None for a check of the whole table.

    `examples` are a few of the values that do, as short texts, or the error that a check raised.
    """

    column: str | None
    check: str
    count: int
    n: int
    examples: tuple[str, ...] = ()

    @property
    def looked(self) -> bool:
        """Whether there was anything to look at."""
        return self.n > 0 or self.count > 0
