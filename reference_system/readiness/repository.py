"""The checkout that this system lives in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from mltest.adapters.git import GitHistory
from mltest.evidence import Withheld
from mltest.offers.drill import FeatureDrill
from mltest.offers.feature_code import EquivalentMutant, FeatureCode
from mltest.system import Review
from reference_system.readiness import drill, feature_code
from reference_system.readiness.place import CODE

CHECKOUT = CODE.parent


class EtaRepository:
    """Where the code lies, with the tests and the lock file beside it."""

    def __init__(self, root: Path = CHECKOUT) -> None:
        self.root = root
        self.test_command: Sequence[str] = ("python", "-m", "pytest")
        self.lock_files: Sequence[Path] = (root / "requirements.lock",)

    @cached_property
    def commit(self) -> str:
        """What is checked out; empty where nobody knows, as in a folder that is no checkout."""
        with suppress(Withheld):
            return GitHistory(self.root, branch="main", allowed_signers="allowed_signers").head()
        return ""

    def reviews(self) -> Sequence[Review]:
        """None: this system was made without a second person who could have approved anything."""
        return ()

    def feature_code(self) -> Sequence[FeatureCode]:
        return feature_code.feature_code()

    def drill(self) -> FeatureDrill:
        return drill.feature_drill()

    def equivalent_mutants(self) -> Sequence[EquivalentMutant]:
        return feature_code.equivalent_mutants()


def of_checkout() -> EtaRepository | None:
    """None for an installed copy, which has neither tests nor a lock file."""
    return EtaRepository() if (CHECKOUT / "pyproject.toml").is_file() else None
