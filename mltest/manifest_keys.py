"""The tables of a manifest: which keys there are, and what may stand in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Task = Literal["binary", "multiclass", "regression", "forecast", "anomaly", "routing", "document"]
WaiverReason = Literal["accepted-risk", "not-applicable", "planned", "external-dependency", "false-alarm"]


def no_repeats(given: Any) -> Any:
    """TOML knows lists and no tuples; a name that occurs twice is a slip."""
    if not isinstance(given, list):
        return given
    repeated = [entry for entry in given if given.count(entry) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]!r} occurs twice; name it once")
    return tuple(given)


def _flat_limits(given: Any) -> Any:
    """Nested tables or quoted keys, as `item -> measurement -> limit`. An item's id has two parts."""
    if not isinstance(given, Mapping):
        return given
    limits: dict[str, dict[str, float]] = {}
    for key, value in _leaves(given):
        parts = key.split(".")
        if len(parts) < 3:
            raise ValueError(f"{key!r} names no measurement; write it as section.item.measurement")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{key!r} is {value!r}; a limit is a finite number")
        item, measurement = ".".join(parts[:2]), ".".join(parts[2:])
        if measurement in limits.setdefault(item, {}):
            raise ValueError(f"{key!r} is set twice; keep one of them")
        limits[item][measurement] = float(value)
    return limits


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _aware(given: Any) -> Any:
    if isinstance(given, datetime) and given.tzinfo is None:
        raise ValueError(f"{given} has no time zone; write a day, or an instant that ends in Z")
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime.combine(given, time(), UTC)
    return given


Name = Annotated[str, Field(min_length=1, max_length=200)]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
Names = Annotated[tuple[Name, ...], BeforeValidator(no_repeats)]
Instant = Annotated[datetime, BeforeValidator(_aware)]
Limits = Annotated[dict[str, dict[str, float]], BeforeValidator(_flat_limits)]


class Table(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class DataKeys(Table):
    """The table `[data]`: files, and what their columns mean."""

    training: Name
    target: Name
    validation: Name | None = None
    holdout: Name | None = None
    inputs: Names = ()
    time: Name | None = None
    block: Name | None = None
    keys: Names = ()
    groups: Names = ()
    slices: Names = ()
    positive: str | int | float | bool | None = None
    schema_files: Name | dict[str, Name] | None = Field(default=None, alias="schema")
    catalogue: Name | None = None
    request_log: Name | None = None
    labels: Name | None = None

    @property
    def schemas(self) -> Mapping[str, str]:
        """Schema files by table; a single one is about the rows that the model reads, `dataset`."""
        if isinstance(self.schema_files, str):
            return {"dataset": self.schema_files}
        return self.schema_files or {}


class ModelKeys(Table):
    """The table `[model]`. `inputs` maps tensors to a column or a list of columns."""

    onnx: Name
    inputs: dict[str, Name | Names] = {}
    output: Name | None = None
    version: Version | None = None
    trained_until: Instant | None = None


class AttestationKeys(Table):
    """One of `[[attestations]]`."""

    item: Name
    by: Name
    on: date
    expires: date
    evidence: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class WaiverKeys(Table):
    """One of `[[waivers]]`."""

    item: Name
    owner: Name
    expires: date
    reason: WaiverReason
