"""What a probe saw: measurements, and the finding that follows from them.

A finding cannot be built without saying what it rests on: `passed` and `failed` follow from measurements, or from
a plain assertion that failed; `not_demonstrated` always carries a reason.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal, NoReturn

Better = Literal["lower", "higher"]

_BEYOND_REACH = 1e6
"""How many times narrower an interval would have to be that no number of rows is worth naming."""


class Verdict(StrEnum):
    """How an item or a probe stands. Only `passed` scores."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_DEMONSTRATED = "not_demonstrated"
    ERROR = "error"


class ReasonCode(StrEnum):
    """Why something is not demonstrated."""

    PART_MISSING = "part_missing"
    TOO_LITTLE_DATA = "too_little_data"
    STALE = "stale"
    CIRCULAR = "circular"
    WITHHELD = "withheld"
    NO_CONSENT = "no_consent"
    NOT_RUN = "not_run"


class Withheld(Exception):  # noqa: N818 - it is an outcome, like pytest's Skipped, and no error
    """Ends a probe as not demonstrated."""

    def __init__(self, reason: str, code: ReasonCode = ReasonCode.WITHHELD) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class PartFailure(Exception):  # noqa: N818 - named after what happened
    """A part of the system under test raised: the probe cannot judge, which is an error and not a failure."""


class EvidenceMisuse(Exception):  # noqa: N818 - named after what happened
    """A probe recorded something that has no meaning."""


@dataclass(frozen=True)
class Measurement:
    """One number against one limit.

    `value` and `limit` carry `unit`; `ci` is an interval for the value, whose end is None where it is unbounded; `n`
    counts the rows, days or trials behind it. Without a limit a measurement informs and decides nothing. Unknown
    numbers are None, never NaN.
    """

    name: str
    value: float | None
    limit: float | None = None
    better: Better = "lower"
    unit: str = ""
    ci: tuple[float | None, float | None] | None = None
    n: int | None = None
    default_limit: float | None = None

    @property
    def decides(self) -> bool:
        return self.limit is not None

    @property
    def failed(self) -> bool:
        """Whether it decides, and against the system."""
        return self.decides and self.verdict() is Verdict.FAILED

    @property
    def relaxed(self) -> bool:
        """Whether a configuration set a limit that lets more through than the default one."""
        if self.limit is None or self.default_limit is None:
            return False
        slack = self.limit - self.default_limit
        return slack > 0 if self.better == "lower" else slack < 0

    def verdict(self) -> Verdict:
        """With an interval all of it must lie on one side of the limit; without one the value decides."""
        if self.limit is None:
            raise EvidenceMisuse(f"measurement {self.name!r} has no limit and decides nothing")
        if self.value is None:
            return Verdict.NOT_DEMONSTRATED
        low, high = self._extent(self.value)
        if self.better == "higher":
            low, high = -high, -low
        limit = self.limit if self.better == "lower" else -self.limit
        if high <= limit:
            return Verdict.PASSED
        return Verdict.FAILED if low > limit else Verdict.NOT_DEMONSTRATED

    def _extent(self, value: float) -> tuple[float, float]:
        if self.ci is None:
            return value, value
        low, high = self.ci
        return (-math.inf if low is None else low), (math.inf if high is None else high)

    def needed(self) -> int | None:
        """How many n would decide, if the value stays and its interval shrinks with the root of n."""
        if self.ci is None or self.n is None or self.value is None or self.limit is None:
            return None
        low, high = self._extent(self.value)
        side = high - self.value if self.value <= self.limit else self.value - low
        distance = abs(self.value - self.limit)
        if distance <= 0 or side <= 0 or side / distance > _BEYOND_REACH:
            return None
        return math.ceil(self.n * (side / distance) ** 2)

    def sentence(self) -> str:
        """What was seen and what was allowed."""
        unit = f" {self.unit}" if self.unit else ""
        seen = "nothing that is a number" if self.value is None else f"{_short(self.value)}{unit}"
        if self.ci is not None:
            seen += f" [{_short(self.ci[0])}, {_short(self.ci[1])}]"
        if self.limit is None:
            return f"{self.name} is {seen}"
        bound = "at most" if self.better == "lower" else "at least"
        return f"{self.name} is {seen}, allowed is {bound} {_short(self.limit)}{unit}"


@dataclass(frozen=True)
class Attachment:
    """A figure or table of the run, kept in a file of its own and referred to by digest."""

    name: str
    kind: Literal["svg", "table"]
    sha256: str


@dataclass(frozen=True)
class Finding:
    """What one probe says about one item."""

    item: str
    probe: str
    own: bool
    verdict: Verdict
    message: str
    reason_code: ReasonCode | None = None
    measurements: tuple[Measurement, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    required: bool = True
    seconds: float = 0.0
    attempts: int = 1

    def __post_init__(self) -> None:
        if self.verdict is Verdict.PASSED and not self.measurements:
            raise EvidenceMisuse(f"{self.probe} cannot pass: it recorded no measurement")
        if (self.verdict is Verdict.NOT_DEMONSTRATED) != (self.reason_code is not None):
            raise EvidenceMisuse(f"{self.probe}: a reason code belongs to not_demonstrated and to nothing else")


@dataclass(frozen=True)
class Attestation:
    """A dated, expiring, evidenced statement that a person did an item by hand."""

    item: str
    by: str
    on: date
    expires: date
    evidence: str
    sha256: str
    problem: str | None = None
    """Why it does not count; None when it is valid."""


@dataclass(frozen=True)
class Waiver:
    """A decision, shown beside an item, to live with it for a while. Never changes a number."""

    item: str
    owner: str
    expires: date
    reason: str


@dataclass
class Evidence:
    """The record that a probe writes to: the `evidence` fixture.

    Nothing is asserted while a probe runs, so that later measurements are not lost; the verdict is taken when the
    probe returns. `limits` holds the limits that the manifest sets, by measurement name.
    """

    item: str
    limits: Mapping[str, float] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def measure(
        self,
        name: str,
        value: Any,
        *,
        limit: float | None = None,
        better: Better = "lower",
        ci: tuple[Any, Any] | None = None,
        n: Any = None,
        unit: str = "",
    ) -> Measurement:
        """Records a number. A limit in the manifest under `<item>.<name>` takes the place of `limit`."""
        if better not in ("lower", "higher"):
            raise EvidenceMisuse(f"measurement {name!r}: better is {better!r}, it can be 'lower' or 'higher'")
        if limit is not None and not math.isfinite(limit):
            raise EvidenceMisuse(f"measurement {name!r}: its limit is {limit}, nothing could lie beyond it")
        chosen = self.limits.get(name, limit) if limit is not None else None
        interval = None
        if ci is not None:
            low, high = _number(name, ci[0]), _number(name, ci[1])
            if low is not None and high is not None and low > high:
                raise EvidenceMisuse(f"measurement {name!r}: its interval [{low}, {high}] is upside down")
            interval = (low, high)
        measurement = Measurement(
            name=str(name),
            value=_number(name, value),
            limit=None if chosen is None else float(chosen),
            better=better,
            unit=unit,
            ci=interval,
            n=None if n is None else int(n),
            default_limit=None if limit is None else float(limit),
        )
        self.measurements.append(measurement)
        return measurement

    def withhold(self, reason: str, code: ReasonCode | str = ReasonCode.WITHHELD) -> NoReturn:
        """Ends the probe as not demonstrated, saying why and what to do; measurements stay, and decide nothing."""
        raise Withheld(reason, ReasonCode(code))

    def attach(self, name: str, content: str | bytes) -> None:
        """Adds a figure (SVG text) or a table (JSON text of a list of flat objects) to the report."""
        data = content.encode() if isinstance(content, str) else content
        is_figure = data.lstrip()[:5].startswith((b"<svg", b"<?xml"))
        if not is_figure and not _is_table(data):
            raise EvidenceMisuse(f"attachment {name!r} is neither SVG nor the JSON text of a list of flat objects")
        if is_figure and not _is_text(data):
            raise EvidenceMisuse(f"attachment {name!r} is no UTF-8 text: encode the SVG as UTF-8")
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        self.attachments.append(Attachment(name, "svg" if is_figure else "table", digest))

    def judge(self) -> tuple[Verdict, str, ReasonCode | None]:
        """The verdict of all measurements together, the sentence for it and its reason code."""
        deciding = [m for m in self.measurements if m.decides]
        verdicts = [m.verdict() for m in deciding]
        failed = [m for m, v in zip(deciding, verdicts, strict=True) if v is Verdict.FAILED]
        if failed:
            return Verdict.FAILED, "; ".join(m.sentence() for m in failed), None
        open_ones = [m for m, v in zip(deciding, verdicts, strict=True) if v is Verdict.NOT_DEMONSTRATED]
        if open_ones:
            return Verdict.NOT_DEMONSTRATED, "; ".join(_undecided(m) for m in open_ones), _code_of(open_ones)
        if not self.measurements:
            return Verdict.NOT_DEMONSTRATED, "the probe recorded no measurement", ReasonCode.WITHHELD
        return Verdict.PASSED, "; ".join(m.sentence() for m in deciding or self.measurements), None


def finding_to_json(finding: Finding) -> str:
    """One compact string of plain JSON, fit for crossing process boundaries."""
    return json.dumps(asdict(finding), separators=(",", ":"), allow_nan=False, default=str)


def finding_from_json(text: str) -> Finding:
    """Reads what `finding_to_json` wrote."""
    raw: dict[str, Any] = json.loads(text)
    raw["verdict"] = Verdict(raw["verdict"])
    raw["reason_code"] = None if raw["reason_code"] is None else ReasonCode(raw["reason_code"])
    raw["measurements"] = tuple(measurement_from_dict(m) for m in raw["measurements"])
    raw["attachments"] = tuple(Attachment(**a) for a in raw["attachments"])
    return Finding(**raw)


def measurement_from_dict(raw: Mapping[str, Any]) -> Measurement:
    """A measurement from its plain form."""
    return Measurement(**{**raw, "ci": None if raw["ci"] is None else (raw["ci"][0], raw["ci"][1])})


def _number(name: str, value: Any) -> float | None:
    """A plain finite float; None for None, NaN and infinity, which no limit may judge."""
    if value is None:
        return None
    if isinstance(value, str | bytes):
        raise EvidenceMisuse(f"measurement {name!r}: {value!r} is text, a number is needed")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise EvidenceMisuse(f"measurement {name!r}: {type(value).__name__} is no number") from error
    return number if math.isfinite(number) else None


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_table(data: bytes) -> bool:
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(rows, list) and all(
        isinstance(row, dict) and not any(isinstance(value, dict | list) for value in row.values()) for row in rows
    )


def _undecided(measurement: Measurement) -> str:
    sentence = measurement.sentence()
    if measurement.value is None:
        return f"{sentence}: no number, no verdict"
    needed = measurement.needed()
    if needed is None:
        return f"{sentence}: the interval spans the limit"
    return f"{sentence}: the interval spans the limit, about n = {needed} would decide (n is {measurement.n})"


def _code_of(undecided: list[Measurement]) -> ReasonCode:
    return ReasonCode.WITHHELD if any(m.value is None for m in undecided) else ReasonCode.TOO_LITTLE_DATA


def _short(number: float | None) -> str:
    if number is None:
        return "unknown"
    return f"{number:.4g}" if abs(number) < 1e5 else f"{number:,.0f}"
