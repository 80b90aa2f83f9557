"""The catalogue of a system of files: a TOML file with a `[policy]` and an entry `[[features]]` for each input.

    [policy]
    sources = { dataset = "CC BY 4.0" }
    licences = ["CC BY 4.0"]
    sensitivities = ["none", "health"]
    forbidden = ["patient_id"]
    known_later = ["diagnosis"]

    [[features]]
    name = "mean_radius"
    source = "dataset: mean_radius"
    owner = "cytology"
    available_at = "when the image is measured"

Columns are those of the training table, which is called `dataset`, as it is where schemas are named.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from mltest import manifest_toml
from mltest.manifest_keys import Name, Names, Table, no_repeats
from mltest.offers.governance import DATASET, FeaturePolicy, Governance
from mltest.system import FeatureInfo, RawColumn


def _named_once(given: Any) -> Any:
    """A list of entries, each of another name."""
    if not isinstance(given, list):
        return given
    counts = Counter(entry.get("name") for entry in given if isinstance(entry, dict))
    for name, count in counts.items():
        if name is not None and count > 1:
            raise ValueError(f"{name!r} has {count} entries; keep one of them")
    return no_repeats(given)


class PolicyKeys(Table):
    """The table `[policy]`. `forbidden` and `known_later` name columns of the training table."""

    sources: Annotated[dict[Name, Name], Field(min_length=1)]
    licences: Annotated[Names, Field(min_length=1)]
    sensitivities: Annotated[Names, Field(min_length=1)] = ("none",)
    owners: Names = ()
    forbidden: Names = ()
    known_later: Names = ()

    def policy(self) -> FeaturePolicy:
        """The same as a policy."""
        return FeaturePolicy(
            sources=dict(self.sources),
            licences=self.licences,
            sensitivities=self.sensitivities,
            owners=self.owners,
            forbidden=tuple(RawColumn(DATASET, name) for name in self.forbidden),
            known_later=tuple(RawColumn(DATASET, name) for name in self.known_later),
        )


class FeatureKeys(Table):
    """One of `[[features]]`. What is left out is empty, which the policy may not permit."""

    name: Name
    dtype: str = ""
    source: str = ""
    owner: str = ""
    available_at: str = ""
    group: str = ""
    nullable: bool = False
    sensitivity: Name = "none"
    deprecated_after: date | None = None

    def entry(self) -> FeatureInfo:
        """The same as an entry of a catalogue."""
        plain = self.model_dump()
        after = self.deprecated_after
        return FeatureInfo(**{**plain, "deprecated_after": None if after is None else after.isoformat()})


class CatalogueKeys(Table):
    """A catalogue file as a whole."""

    policy: PolicyKeys
    features: Annotated[tuple[FeatureKeys, ...], BeforeValidator(_named_once)]


def read(path: Path) -> Governance:
    """The catalogue and the policy in a file. Raises ManifestError, in one line with file and key, for a wrong one."""
    keys, _ = manifest_toml.read(path)
    try:
        found = CatalogueKeys.model_validate(keys)
    except ValidationError as error:
        raise manifest_toml.problem_of(path, CatalogueKeys, error) from None
    return Governance(tuple(entry.entry() for entry in found.features), found.policy.policy())
