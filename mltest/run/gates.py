"""Gates on a scorecard: pure functions that say what is wrong, in one line each."""

from __future__ import annotations

from collections.abc import Sequence

from mltest.scorecard import Scorecard


def check(
    scorecard: Scorecard,
    *,
    minimum: float | None = None,
    require: Sequence[str] = (),
    baseline: Scorecard | None = None,
) -> tuple[str, ...]:
    """What keeps the gates shut; empty when all are open. No gate opens on a partial run."""
    if minimum is None and not require and baseline is None:
        return ()
    if scorecard.score.partial or scorecard.score.final is None:
        return ("no gate can pass on a partial run: run all built-in probes",)
    problems: list[str] = []
    if minimum is not None and scorecard.score.final < minimum:
        short = minimum - scorecard.score.final
        problems.append(f"readiness {scorecard.score.final:g} is below the minimum {minimum:g} by {short:g}")
    points = {item.id: item for item in scorecard.items}
    for name in require:
        item = points[name]
        if item.points == 0:
            problems.append(f"{name} is required and has no points: {item.verdict.value}, {item.reason}")
    if baseline is not None:
        problems += _losses(scorecard, baseline)
    return tuple(problems)


def _losses(scorecard: Scorecard, baseline: Scorecard) -> list[str]:
    if baseline.rubric.sha256 != scorecard.rubric.sha256:
        old, new = baseline.rubric, scorecard.rubric
        return [
            f"the baseline was scored by another rubric ({old.id} {old.sha256[:12]}, now {new.id} {new.sha256[:12]}): "
            "write a new baseline"
        ]
    if baseline.system.name != scorecard.system.name:
        return [f"the baseline is of {baseline.system.name!r}, this run is of {scorecard.system.name!r}"]
    before = {item.id: item.points for item in baseline.items}
    return [
        f"{item.id} lost points against the baseline: {before[item.id]:g} before, {item.points:g} now ({item.reason})"
        for item in scorecard.items
        if item.points < before[item.id]
    ]
