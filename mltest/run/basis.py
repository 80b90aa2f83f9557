"""Decides whether a run is automated or manual, from the environment and the ledger; pure.

Breck et al. 2017, section VI: the full point is for a system that runs a test on a repeated basis. That something
could be scheduled is no proof that it is, so an automated basis always carries one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mltest.scorecard import Basis, Proof

Requested = Literal["auto", "manual", "automated"]

_BY_HAND = "somebody started this run by hand"


@dataclass(frozen=True)
class _Provider:
    """Names of the environment variables in which a CI service says who runs, where and why."""

    kind: str
    present: str
    run_id: str
    url: tuple[str, ...]
    trigger: str
    by_hand: frozenset[str] = frozenset()


_PROVIDERS = (
    _Provider(
        "github-actions",
        "GITHUB_ACTIONS",
        "GITHUB_RUN_ID",
        ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
        "GITHUB_EVENT_NAME",
        frozenset({"workflow_dispatch"}),
    ),
    _Provider("gitlab-ci", "GITLAB_CI", "CI_JOB_ID", ("CI_JOB_URL",), "CI_PIPELINE_SOURCE", frozenset({"web"})),
    _Provider(
        "buildkite",
        "BUILDKITE",
        "BUILDKITE_BUILD_ID",
        ("BUILDKITE_BUILD_URL",),
        "BUILDKITE_SOURCE",
        frozenset({"ui"}),
    ),
    _Provider(
        "azure-pipelines", "TF_BUILD", "BUILD_BUILDID", ("BUILD_BUILDURI",), "BUILD_REASON", frozenset({"Manual"})
    ),
    _Provider(
        "jenkins", "JENKINS_URL", "BUILD_ID", ("BUILD_URL",), "BUILD_CAUSE", frozenset({"MANUALTRIGGER", "USERIDCAUSE"})
    ),
    _Provider("circleci", "CIRCLECI", "CIRCLE_WORKFLOW_ID", ("CIRCLE_BUILD_URL",), "CIRCLE_PIPELINE_TRIGGER_SOURCE"),
)


def decide(requested: Requested, environ: Mapping[str, str], earlier_runs: int, recency_days: int) -> Basis:
    """The basis of this run.

    `earlier_runs` counts runs of the same system and rubric in the ledger within the last `recency_days` days.
    """
    if requested == "manual":
        return Basis("manual", "manual was asked for")
    proof, gap = _ci_proof(environ)
    if proof is not None:
        return Basis("automated", f"run {proof.run_id} of {proof.kind}, triggered by {proof.trigger}", proof)
    if requested == "auto" or (gap is not None and _BY_HAND in gap):
        return Basis("manual", gap or "no CI service was recognised, so somebody ran this by hand")
    if earlier_runs < 1:
        why = f"automated was asked for, but the ledger holds no run of this system in the last {recency_days} days"
        return Basis("manual", why)
    why = f"scheduled: {earlier_runs} earlier run{'s' if earlier_runs > 1 else ''} in the last {recency_days} days"
    return Basis("automated", why, Proof("schedule", trigger=why))


def _ci_proof(environ: Mapping[str, str]) -> tuple[Proof | None, str | None]:
    for provider in _PROVIDERS:
        if not environ.get(provider.present):
            continue
        values = {name: environ.get(name, "") for name in (provider.run_id, provider.trigger, *provider.url)}
        missing = sorted(name for name, value in values.items() if not value)
        if missing:
            return None, f"{provider.kind} was recognised, but {', '.join(missing)} is missing: no proof, no full point"
        trigger = values[provider.trigger]
        if trigger in provider.by_hand:
            return None, f"{provider.kind} says that {_BY_HAND} ({trigger})"
        return Proof(provider.kind, values[provider.run_id], _url(provider, values), trigger), None
    return None, None


def _url(provider: _Provider, values: Mapping[str, str]) -> str:
    parts = [values[name] for name in provider.url]
    if provider.kind == "github-actions":
        server, repository, run_id = parts
        return f"{server}/{repository}/actions/runs/{run_id}"
    return parts[0]
