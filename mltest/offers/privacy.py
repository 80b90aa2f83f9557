"""What a team decided about personal data: which raw columns are sensitive, whose they are, and who asked to be erased.

@property
def privacy(self) -> mltest.PrivacyPolicy:
    return mltest.PrivacyPolicy(
        sensitive=(mltest.RawColumn("trips", "driver"), mltest.RawColumn("trips", "phone")),
        subject=mltest.RawColumn("trips", "driver"),
        erasures=mltest.RawColumn("erasures", "driver"),
    )

def training_rows(self, raw):
    ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mltest.system import RawColumn

if TYPE_CHECKING:
    import pyarrow as pa

HOW_TO_STATE = (
    "let the data part offer `privacy`, an mltest.PrivacyPolicy: the sensitive raw columns, the column that leads to a "
    "person, and the raw table that lists who is to be erased"
)
HOW_TO_LEARN = (
    "let the data part offer training_rows(raw): the rows that training would learn from, were these the raw tables"
)
HOW_TO_ERASE = (
    "let the server's handle offer erase(subject), which takes one subject's requests out of everything that was logged"
)


@dataclass(frozen=True)
class Permission:
    """Where the values of one sensitive column may stand all the same, and why.

    Places are patterns over `features`, `training rows`, `model`, `answers`, `request log`, `metrics`, `messages`, and
    `file:<path>` with the path below the folder that the system writes to.
    """

    column: RawColumn
    places: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class PrivacyPolicy:
    """What is sensitive, and what is not.

    `subject` is who a raw row is about, or what leads to that person; `erasures` lists subjects whose rows nobody may
    learn from. `public` are columns that are published anyway, and `public_files` patterns of paths, below the folder
    that the system writes to, of files that anybody may read.
    """

    sensitive: tuple[RawColumn, ...]
    subject: RawColumn
    erasures: RawColumn
    public: tuple[RawColumn, ...] = ()
    public_files: tuple[str, ...] = ()
    permitted: tuple[Permission, ...] = ()


class PrivateData(Protocol):
    """Data with a policy, whose path from raw tables to training rows can be walked."""

    @property
    def privacy(self) -> PrivacyPolicy: ...

    def training_rows(self, raw: Mapping[str, Any]) -> pa.Table:
        """Rows that training would learn from, were these the raw tables: columns as of the split `train`."""
        ...


class ErasingHandle(Protocol):
    """A running server that can forget, and that shows its metrics."""

    def erase(self, subject: Any) -> None:
        """Takes every request of the subject out of all logs."""
        ...

    def metrics(self) -> str:
        """The metrics as text, in whatever format they are scraped; optional."""
        ...
