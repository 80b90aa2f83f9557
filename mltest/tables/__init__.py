"""Questions to a team's tables, as Ibis expressions that run where the data is.

Only aggregates and bounded samples leave the engine, so memory does not grow with the rows. Every function takes an
Ibis table or a pyarrow table.
"""

from mltest.tables.coverage import Coverage, coverage
from mltest.tables.outcome import ColumnViolations
from mltest.tables.profiles import ColumnProfile, profile
from mltest.tables.rows import TooLarge, as_ibis, row_count, to_arrow
from mltest.tables.violations import violations

__all__ = [
    "ColumnProfile",
    "ColumnViolations",
    "Coverage",
    "TooLarge",
    "as_ibis",
    "coverage",
    "profile",
    "row_count",
    "to_arrow",
    "violations",
]
