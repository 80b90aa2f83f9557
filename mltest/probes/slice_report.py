"""What a reader is shown of the slices: one sentence, a figure and a table."""

from __future__ import annotations

import json
import math

from mltest import figures
from mltest.probes.slice_answers import UnansweredSlice
from mltest.probes.slice_coverage import Coverage
from mltest.probes.slice_quality import JudgedSlice, SliceQuality
from mltest.stats.slices import SliceStatus

_MOST_ROWS = 200
_MOST_DRAWN = 25
_DRAWN_AS: dict[SliceStatus, figures.Status] = {SliceStatus.FAILED: "failed", SliceStatus.HOLDS: "passed"}
_REMEDY = {
    "linear": "a linear model on the same training rows does better there, so look at how the model reads these rows",
    "correction": "other held-out days correct it, so look at the training labels and inputs of these rows",
}


def sentence(quality: SliceQuality) -> str:
    """A failure by loss: the worst slice, what was allowed, what to do, and how many more there are."""
    failed = quality.with_status(SliceStatus.FAILED)
    worst = failed[0]
    result = worst.result
    more = f", and {len(failed) - 1} more slices" if len(failed) > 1 else ""
    bias = "" if math.isnan(worst.bias) else f", on average {worst.bias:+.3g} off"
    return (
        f"{result.name} ({result.n} rows, {worst.share:.2%}) has {result.ratio:.3g} [{result.interval.low:.3g}, "
        f"{result.interval.high:.3g}] times the loss of the {worst.yardstick}{bias}{more}, allowed is at most "
        f"{quality.limit:.3g}: {_REMEDY[worst.yardstick]}"
    )


def unanswered_sentence(refused: UnansweredSlice, limit: float | None) -> str:
    """A failure by silence: the slice, how many of its rows get no answer, what was allowed, what to do."""
    return (
        f"{refused.name} ({refused.n} rows) gets no finite answer on {refused.share:.0%} of its rows, allowed is at "
        f"most {limit or 0.0:.3g} %: make the model answer them, a linear model on the same inputs answers all"
    )


def coverage_sentence(coverage: Coverage, measurement: str, limit: float | None) -> str:
    """A failure by absence: the level, how many rows it has, what was allowed, what to do."""
    if measurement.endswith("training"):
        seen = f"{coverage.name} has {coverage.n} held-out rows and {coverage.found} training rows"
    else:
        seen = f"{coverage.name} has {coverage.n} raw rows, of which the data set keeps {coverage.found}"
    return (
        f"{seen}, {coverage.ratio:.2g} of what its frequency asks for, allowed is at least {limit or 0.0:.2g}: look "
        "for the join or filter that loses them"
    )


def figure(quality: SliceQuality) -> str | None:
    """Every judged single slice and every failed one, worst first, with its interval against the limit."""
    shown = [one for one in quality.slices if _is_drawn(one)][:_MOST_DRAWN]
    rows = [
        figures.Interval(
            f"{one.result.name} (n {one.result.n})",
            one.result.ratio,
            one.result.interval.low,
            one.result.interval.high,
            quality.limit,
            _DRAWN_AS.get(one.result.status, "open"),
        )
        for one in shown
    ]
    return figures.intervals("Loss of slices relative to the stricter yardstick", rows, "x")


def table(quality: SliceQuality) -> str:
    """The worst 200 slices as JSON rows, the unknown ones among them."""
    return json.dumps([_record(one) for one in quality.slices[:_MOST_ROWS]])


def _is_drawn(one: JudgedSlice) -> bool:
    judged = one.result.status is not SliceStatus.UNKNOWN and math.isfinite(one.result.interval.low)
    return judged and (len(one.result.columns) == 1 or one.result.status is not SliceStatus.HOLDS)


def _record(one: JudgedSlice) -> dict[str, object]:
    result = one.result
    return {
        "slice": result.name,
        "status": result.status.value,
        "rows": result.n,
        "share": round(one.share, 5),
        "ratio": _number(result.ratio),
        "low": _number(result.interval.low),
        "high": _number(result.interval.high),
        "yardstick": one.yardstick,
        "signed_error": _number(one.bias),
        "rows_needed": result.n_needed,
    }


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
