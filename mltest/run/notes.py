"""What a reader has to know before believing a score, and that no measurement says; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mltest.evidence import Finding
from mltest.rubric_yaml import nearest


def partial(missing: Sequence[str]) -> list[str]:
    """Built-in probes that have no final report."""
    if not missing:
        return []
    names = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    return [f"partial: no final report of {names}"]


def set_aside(count: int) -> list[str]:
    """Marked tests of the user's own that were deselected."""
    return [f"{count} marked test{'s' if count > 1 else ''} of your own did not run: deselected"] if count else []


def idle_limits(limits: Mapping[str, Mapping[str, float]], findings: Sequence[Finding]) -> list[str]:
    """Limits that nothing was compared with, though the item was probed: a misspelt name would never be noticed."""
    measured: dict[str, set[str]] = {}
    for finding in findings:
        if finding.measurements:
            measured.setdefault(finding.item, set()).update(m.name for m in finding.measurements)
    return [
        f"the manifest limits {item}.{name}, and nothing of that name was measured{nearest(name, measured[item])}"
        for item, named in limits.items()
        for name in named
        if item in measured and name not in measured[item]
    ]
