"""Runs one probe: gives it its evidence and its parts, takes the verdict, and makes the finding.

A finding travels in the `user_properties` of the teardown report, as one string of plain JSON, so that it crosses
process boundaries unaided; teardown is the one phase that every attempt reports.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

from mltest.evidence import Evidence, Finding, PartFailure, ReasonCode, Verdict, Withheld, finding_to_json
from mltest.run import suite_files, timelimit
from mltest.run.runstate import RunState, state_of
from mltest.run.watching import Watched
from mltest.system import HOW_TO_OFFER, PARTS, System, SystemRef

PROPERTY = "ml_score"


@dataclass
class Attempt:
    """One attempt at one probe, from setup to teardown."""

    evidence: Evidence
    own: bool
    required: bool
    experiment: bool
    started: float = field(default_factory=time.perf_counter)
    outcome: tuple[Verdict, str, ReasonCode | None] | None = None
    """Verdict, sentence and reason code, once something decided them."""

    def settle(self, verdict: Verdict, message: str, code: ReasonCode | None = None) -> None:
        """The worse of what was known and this."""
        order = (Verdict.PASSED, Verdict.NOT_DEMONSTRATED, Verdict.FAILED, Verdict.ERROR)
        if self.outcome is None or order.index(verdict) > order.index(self.outcome[0]):
            self.outcome = (verdict, message, code)


_ATTEMPT = pytest.StashKey[Attempt]()


def mark_of(item: pytest.Item) -> pytest.Mark | None:
    """The mark that makes a test a probe."""
    return item.get_closest_marker("ml_score")


def probe_name(item: pytest.Item) -> str:
    """A name that is the same on every machine: the file's name for our probes, the node id for a user's."""
    if suite_files.is_builtin(item.path):
        return f"{item.path.name}::{item.name}"
    return item.nodeid


def evidence_of(item: pytest.Item) -> Evidence:
    """The evidence of the running attempt; made here when the plugin is otherwise off."""
    attempt = item.stash.get(_ATTEMPT, None)
    if attempt is None:
        attempt = _begin(item)
    manager = item.config.pluginmanager
    if not manager.has_plugin("ml-score-judge"):
        manager.register(Judge(), "ml-score-judge")
    return attempt.evidence


def watched_system(item: pytest.Item) -> System:
    """The system under test for one probe; skips it when no system is named."""
    evidence = evidence_of(item)
    system = state_of(item.config).system()
    if system is None:
        reason = "no system is named: write an mltest.toml, or give --ml-score-system MODULE:NAME"
        _skip(item, reason, ReasonCode.PART_MISSING)
    offered = {name: getattr(system, name) for name in PARTS}
    return system.with_parts(**{n: None if p is None else Watched(p, n, evidence.touched) for n, p in offered.items()})


def reference(item: pytest.Item) -> SystemRef:
    """The reference of the system under test."""
    ref = state_of(item.config).ref
    if ref is None:
        _skip(item, "no system is named", ReasonCode.PART_MISSING)
    return ref


def part(item: pytest.Item, system: System, name: str) -> Any:
    """One part of the system; skips the probe when it is not offered."""
    offered = getattr(system, name)
    if offered is None:
        _skip(item, f"the system offers no `{name}`: {HOW_TO_OFFER[name]}", ReasonCode.PART_MISSING)
    return offered


def _skip(item: pytest.Item, reason: str, code: ReasonCode) -> NoReturn:
    item.stash[_ATTEMPT].settle(Verdict.NOT_DEMONSTRATED, reason, code)
    pytest.skip(reason)


def _begin(item: pytest.Item) -> Attempt:
    mark = mark_of(item)
    name = str(mark.args[0]) if mark is not None else item.nodeid
    arguments = mark.kwargs if mark is not None else {}
    attempt = Attempt(
        evidence=Evidence(name, limits=state_of(item.config).settings.limits.get(name, {})),
        own=not suite_files.is_builtin(item.path),
        required=bool(arguments.get("required", True)),
        experiment=bool(arguments.get("experiment", False)),
    )
    item.stash[_ATTEMPT] = attempt
    return attempt


class Judge:
    """The hooks around one probe. Inert for tests without the mark and without evidence."""

    # The innermost wrapper: whatever it raises, those of pytest itself were entered and can tear down what they set.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        if mark_of(item) is None:
            return (yield)
        attempt = _begin(item)
        state = state_of(item.config)
        try:
            with timelimit.limit(state.settings.timeout):
                if not attempt.own:
                    self._guard(item, attempt)
                if attempt.experiment:
                    self._require_consent(item, state)
                return (yield)
        except Withheld as withheld:  # by a fixture
            _skip(item, withheld.reason, withheld.code)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        attempt = item.stash.get(_ATTEMPT, None)
        if attempt is None:
            return (yield)
        try:
            with timelimit.limit(state_of(item.config).settings.timeout):
                result = yield
        except Withheld as withheld:
            _skip(item, withheld.reason, withheld.code)
        except pytest.skip.Exception:
            verdict, message, _ = attempt.evidence.judge()
            if verdict is Verdict.FAILED:
                pytest.fail(message, pytrace=False)
            raise
        verdict, message, code = attempt.evidence.judge()
        if not attempt.own and verdict is Verdict.PASSED:
            verdict, message, code = _looked(attempt.evidence, message)
        attempt.settle(verdict, message, code)
        if verdict is Verdict.FAILED:
            pytest.fail(message, pytrace=False)
        if verdict is Verdict.NOT_DEMONSTRATED and (attempt.evidence.measurements or not attempt.own):
            pytest.skip(message)
        return result

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        seconds = state_of(item.config).settings.timeout if mark_of(item) is not None else 0.0
        with timelimit.limit(seconds):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        # A test may record properties of any name; a finding is what the judge found, and nothing that a test recorded.
        report.user_properties = [(name, value) for name, value in report.user_properties if name != PROPERTY]
        attempt = item.stash.get(_ATTEMPT, None)
        if attempt is None:
            return report
        _settle_phase(attempt, report, call)
        if report.when == "teardown":
            del item.stash[_ATTEMPT]
            if mark_of(item) is not None:
                state_of(item.config).keep_figures(attempt.evidence.blobs)
                report.user_properties.append((PROPERTY, finding_to_json(_finding(item, attempt))))
        return report

    @staticmethod
    def _guard(item: pytest.Item, attempt: Attempt) -> None:
        """Inside our probes, our fixtures are the ones that we wrote."""
        definitions = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009 - no public way to a fixture's origin
        for name in item.fixturenames:  # type: ignore[attr-defined]
            if name != "evidence" and not name.startswith("ml_"):
                continue
            origin = definitions[name][-1].func.__module__ if name in definitions else "nowhere"
            if origin != "mltest.fixtures":
                message = f"the fixture {name!r} comes from {origin}, not from mltest: rename yours"
                attempt.settle(Verdict.ERROR, message)
                pytest.fail(message, pytrace=False)

    @staticmethod
    def _require_consent(item: pytest.Item, state: RunState) -> None:
        system = state.system()
        if system is None:
            return
        if system.environment == "production":
            reason = "experiments never run in production: score a staging system"
        elif not system.experiments:
            reason = "this probe deploys, loads or breaks things: allow it with `experiments = true` in the manifest"
        else:
            return
        _skip(item, reason, ReasonCode.NO_CONSENT)


def _looked(evidence: Evidence, message: str) -> tuple[Verdict, str, ReasonCode | None]:
    """A built-in probe passes only after it touched a part and compared a measurement with a limit."""
    if not evidence.touched:
        return Verdict.NOT_DEMONSTRATED, "the probe touched no part of the system", ReasonCode.WITHHELD
    if not any(m.decides for m in evidence.measurements):
        return Verdict.NOT_DEMONSTRATED, "the probe compared nothing with a limit", ReasonCode.WITHHELD
    return Verdict.PASSED, message, None


def _settle_phase(attempt: Attempt, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """What pytest says about a phase, where it is worse than what the probe said."""
    if hasattr(report, "wasxfail"):
        if report.when == "setup" and "[NOTRUN]" in report.wasxfail:
            attempt.settle(
                Verdict.NOT_DEMONSTRATED, "it is marked as expected to fail and never run", ReasonCode.NOT_RUN
            )
        elif report.skipped:
            attempt.settle(Verdict.FAILED, f"it fails, and is marked as expected to fail: {report.wasxfail or 'xfail'}")
        else:
            attempt.settle(Verdict.ERROR, "it is marked as expected to fail and does not: remove the xfail mark")
        return
    if call.excinfo is None:
        if report.failed:
            attempt.settle(Verdict.ERROR, f"{report.when}: {_first_line(report.longreprtext)}")
        return
    error = call.excinfo.value
    if isinstance(error, pytest.skip.Exception):
        attempt.settle(Verdict.NOT_DEMONSTRATED, str(error) or "skipped", ReasonCode.NOT_RUN)
    elif isinstance(error, timelimit.ProbeTimeout) or _is_of_pytest_timeout(error):
        attempt.settle(Verdict.ERROR, _first_line(str(error)))
    elif report.when == "call" and isinstance(error, AssertionError | pytest.fail.Exception):
        attempt.settle(Verdict.FAILED, _first_line(str(error)) or "an assertion failed")
    elif isinstance(error, Withheld):
        attempt.settle(Verdict.NOT_DEMONSTRATED, error.reason, error.code)
    elif isinstance(error, PartFailure):
        attempt.settle(Verdict.ERROR, str(error))
    else:
        attempt.settle(Verdict.ERROR, f"{report.when} broke: {type(error).__name__}: {_first_line(str(error))}")


def _is_of_pytest_timeout(error: BaseException) -> bool:
    """Whether the plugin pytest-timeout ended the probe, which it reports as a failed test."""
    return isinstance(error, pytest.fail.Exception) and "from pytest-timeout" in str(error)


def _finding(item: pytest.Item, attempt: Attempt) -> Finding:
    verdict, message, code = attempt.outcome or (Verdict.NOT_DEMONSTRATED, "it did not run", ReasonCode.NOT_RUN)
    if verdict is Verdict.PASSED and not attempt.evidence.measurements:
        verdict, code = Verdict.NOT_DEMONSTRATED, ReasonCode.WITHHELD
    if verdict is Verdict.NOT_DEMONSTRATED and code is None:
        code = ReasonCode.WITHHELD
    return Finding(
        item=attempt.evidence.item,
        probe=probe_name(item),
        own=attempt.own,
        verdict=verdict,
        message=message,
        reason_code=code,
        measurements=tuple(attempt.evidence.measurements),
        attachments=tuple(attempt.evidence.attachments),
        required=attempt.required,
        seconds=round(time.perf_counter() - attempt.started, 3),
    )


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:500] if lines else ""
