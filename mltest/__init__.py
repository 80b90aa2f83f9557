"""Runs the ML Test Score rubric against an ML system: `pytest --ml-score`.

The names below are all that a system, a probe, a fault or a conftest needs. They load on first use, so that an
installed but unused plugin costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltest.evidence import Evidence as Evidence
    from mltest.evidence import Finding as Finding
    from mltest.evidence import Measurement as Measurement
    from mltest.evidence import PartFailure as PartFailure
    from mltest.evidence import ReasonCode as ReasonCode
    from mltest.evidence import Verdict as Verdict
    from mltest.evidence import Withheld as Withheld
    from mltest.faults import fault as fault
    from mltest.faults import twin as twin
    from mltest.offers.drill import FeatureDrill as FeatureDrill
    from mltest.offers.drill import Insertion as Insertion
    from mltest.offers.feature_code import EquivalentMutant as EquivalentMutant
    from mltest.offers.feature_code import FeatureCode as FeatureCode
    from mltest.offers.governance import FeaturePolicy as FeaturePolicy
    from mltest.offers.impact import OfflineMetric as OfflineMetric
    from mltest.offers.impact import OnlineImpact as OnlineImpact
    from mltest.offers.inclusion import InclusionPolicy as InclusionPolicy
    from mltest.offers.privacy import Permission as Permission
    from mltest.offers.privacy import PrivacyPolicy as PrivacyPolicy
    from mltest.offers.refresh import AgedLoss as AgedLoss
    from mltest.offers.refresh import RefreshPolicy as RefreshPolicy
    from mltest.offers.review import Provenance as Provenance
    from mltest.offers.review import SignedReview as SignedReview
    from mltest.offers.review import Specification as Specification
    from mltest.offers.search import Choices as Choices
    from mltest.offers.search import Range as Range
    from mltest.offers.search import SearchLog as SearchLog
    from mltest.offers.search import SearchTrial as SearchTrial
    from mltest.offers.service_level import ServiceLevel as ServiceLevel
    from mltest.scorecard import Scorecard as Scorecard
    from mltest.system import Alert as Alert
    from mltest.system import Artifact as Artifact
    from mltest.system import FeatureInfo as FeatureInfo
    from mltest.system import Judgement as Judgement
    from mltest.system import ModelInfo as ModelInfo
    from mltest.system import RawColumn as RawColumn
    from mltest.system import Review as Review
    from mltest.system import Roles as Roles
    from mltest.system import System as System
    from mltest.system import SystemRef as SystemRef

_HOMES = {
    "mltest.evidence": ("Evidence", "Finding", "Measurement", "PartFailure", "ReasonCode", "Verdict", "Withheld"),
    "mltest.faults": ("fault", "twin"),
    "mltest.offers.impact": ("OfflineMetric", "OnlineImpact"),
    "mltest.offers.drill": ("FeatureDrill", "Insertion"),
    "mltest.offers.inclusion": ("InclusionPolicy",),
    "mltest.offers.service_level": ("ServiceLevel",),
    "mltest.offers.privacy": ("Permission", "PrivacyPolicy"),
    "mltest.offers.governance": ("FeaturePolicy",),
    "mltest.offers.refresh": ("AgedLoss", "RefreshPolicy"),
    "mltest.offers.feature_code": ("EquivalentMutant", "FeatureCode"),
    "mltest.offers.review": ("Provenance", "SignedReview", "Specification"),
    "mltest.offers.search": ("Choices", "Range", "SearchLog", "SearchTrial"),
    "mltest.scorecard": ("Scorecard",),
    "mltest.system": (
        "Alert",
        "Artifact",
        "FeatureInfo",
        "Judgement",
        "ModelInfo",
        "RawColumn",
        "Review",
        "Roles",
        "System",
        "SystemRef",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'mltest' has no attribute {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
