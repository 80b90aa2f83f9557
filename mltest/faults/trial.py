"""One trial: inject a fault, run one item's probes through real pytest, and say what they made of it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mltest import construction, resources
from mltest.evidence import Finding, Verdict
from mltest.faults.fault import Fault, FaultError, Kind, NotApplicable
from mltest.faults.registry import dose_of, resolve
from mltest.scorecard import ItemResult, from_json
from mltest.system import FaultRef, SystemRef

Outcome = Literal["caught", "withheld", "fooled", "error", "quiet", "false_alarm", "lost_evidence", "discarded"]

SECONDS = 300.0
"""Time limit of one trial."""


@dataclass(frozen=True)
class Trial:
    """What became of one fault, or of none, under the probes of one item.

    A fault is *caught* (failed), *withheld* (not demonstrated), answered by an *error*, or it *fooled* the item. A
    twin, a dose of 0 and a healthy system leave it *quiet*, raise a *false_alarm* or have *lost_evidence*. *Discarded*
    trials say nothing: the fault does not apply to this system, or it changed nothing.
    """

    item: str
    fault: FaultRef | None
    kind: Kind | Literal["healthy"]
    outcome: Outcome
    verdict: Verdict | None
    message: str
    findings: tuple[Finding, ...] = ()
    alive: str = ""
    seconds: float = 0.0
    evidence_removal: bool = False

    @property
    def right(self) -> bool | None:
        """Whether the item did what it should; None for a trial that says nothing."""
        if self.outcome == "discarded":
            return None
        right = {"caught", "quiet"} | ({"withheld", "error"} if self.evidence_removal else set())
        return self.outcome in right


def run(
    ref: SystemRef,
    item: str,
    fault: FaultRef | None = None,
    *,
    tests: Sequence[str] | None = None,
    baseline: Verdict = Verdict.PASSED,
    prove_alive: bool = True,
    in_process: bool = False,
    seconds: float = SECONDS,
) -> Trial:
    """Runs the probes of `item` against the system of `ref` with `fault` injected (or none) and judges the outcome.

    `tests` are pytest's arguments (default: the item's own suite), `baseline` is the healthy verdict. In this process
    the time limit does not hold, and modules stay imported. Raises FaultError for a fault that cannot be found.
    """
    started = time.perf_counter()
    known = None if fault is None else resolve(fault)
    trial = Trial(item, fault, _kind(known, fault), "discarded", None, "", evidence_removal=_removes(known))
    if known is not None and fault is not None and prove_alive and dose_of(known, fault):
        alive, problem = _proof_of_life(ref, known, fault)
        if problem:
            return replace(trial, message=problem, seconds=time.perf_counter() - started)
        trial = replace(trial, alive=alive)
    with tempfile.TemporaryDirectory(prefix="mltest-trial-") as folder:
        report = Path(folder) / "report.json"
        arguments = _arguments(ref, item, known, fault, report, tests)
        said = _in_process(arguments, ref.root) if in_process else _subprocess(arguments, ref.root, seconds)
        result = _item_result(report, item)
    spent = time.perf_counter() - started
    if result is None:
        return replace(trial, outcome=_outcome(trial.kind, Verdict.ERROR, baseline), message=said, seconds=spent)
    return replace(
        trial,
        outcome=_outcome(trial.kind, result.verdict, baseline),
        verdict=result.verdict,
        message=result.reason,
        findings=result.findings,
        seconds=spent,
    )


def proof_of_life(ref: SystemRef, fault: FaultRef) -> str:
    """The sentence of what the fault changes in the system of `ref`, or an empty text.

    Raises NotApplicable when the system lacks what the fault changes, and whatever building the system raises.
    """
    bare = replace(ref, faults=())
    healthy = construction.build(replace(bare, workdir=_folder(ref.workdir / "alive-healthy")))
    faulted = construction.build(replace(bare, workdir=_folder(ref.workdir / "alive-faulted"), faults=(fault,)))
    return resolve(fault).alive(healthy, faulted)


def _proof_of_life(ref: SystemRef, known: Fault, fault: FaultRef) -> tuple[str, str]:
    """What the fault changes, or why the trial says nothing."""
    try:
        alive = proof_of_life(ref, fault)
    except NotApplicable as error:
        return "", f"does not apply: {error}"
    except FaultError:
        raise
    except Exception as error:
        return "", f"no proof of life ({type(error).__name__}: {error})"
    return alive, "" if alive else f"changed nothing that shows: {known.summary}"


def _arguments(
    ref: SystemRef, item: str, known: Fault | None, fault: FaultRef | None, report: Path, tests: Sequence[str] | None
) -> list[str]:
    source = "--ml-score-manifest" if ref.source.endswith(".toml") else "--ml-score-system"
    arguments = [
        "--ml-score",
        *(source, ref.source),
        *("--ml-score-seed", str(ref.seed)),
        *("--ml-score-effort", ref.effort),
        *("--ml-score-report", f"json:{report}"),
        *("--ml-score-ledger", str(report.with_name("ledger.sqlite"))),
        *("--rootdir", str(ref.root)),
        *("-p", "no:cacheprovider"),
        *("-p", "mltest.faults.one_item"),
        *("--ml-score-only", item),
        "-q",
    ]
    if ref.trust:
        arguments.append("--ml-score-trust")
    if known is not None and fault is not None:
        arguments += ["--ml-score-fault", f"{fault.fault}={dose_of(known, fault)!r}@{fault.module or known.module}"]
    return [*arguments, *(tests if tests is not None else [str(suite_of(item))])]


def suite_of(item: str) -> Path:
    """The file of our own probes for an item. Raises FaultError when there is none: then `tests` must be given."""
    section, _, name = item.partition(".")
    try:
        return resources.path(f"suites/{section}/test_mlscore_{section}_{name}.py")
    except FileNotFoundError:
        raise FaultError(f"there is no suite for {item!r}: name the tests that probe it") from None


def _subprocess(arguments: Sequence[str], root: Path, seconds: float) -> str:
    """Runs pytest in a process of its own and returns the end of what it said."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"pytest did not end within {seconds:g} s: give the trial more time or the probe less to do"
    return _end(said)


def _in_process(arguments: Sequence[str], root: Path) -> str:
    """Runs pytest here, with what it says kept apart, and returns the end of it.

    Tests and conftests are forgotten afterwards: the next run may mean other files by the same names.
    """
    import pytest

    said, path, known = io.StringIO(), list(sys.path), set(sys.modules)
    try:
        with contextlib.chdir(root), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            pytest.main([*arguments, "-s", "-p", "no:faulthandler"])
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - known:
            if name.rpartition(".")[2].startswith(("conftest", "test_")):
                del sys.modules[name]
    return _end(said.getvalue())


def _end(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "no report was written: " + " / ".join(lines[-3:])


def _item_result(report: Path, item: str) -> ItemResult | None:
    if not report.is_file():
        return None
    scorecard = from_json(report.read_text(encoding="utf-8"), str(report))
    return next((result for result in scorecard.items if result.id == item), None)


def _kind(known: Fault | None, fault: FaultRef | None) -> Kind | Literal["healthy"]:
    if known is None or fault is None or dose_of(known, fault) == 0:
        return "healthy"
    return known.kind


def _removes(known: Fault | None) -> bool:
    return known is not None and known.evidence_removal


def _outcome(kind: str, verdict: Verdict, baseline: Verdict) -> Outcome:
    if kind in ("healthy", "twin"):
        if verdict in (baseline, Verdict.PASSED):
            return "quiet"
        return "false_alarm" if verdict is Verdict.FAILED else "lost_evidence"
    answers: dict[Verdict, Outcome] = {
        Verdict.FAILED: "caught",
        Verdict.NOT_DEMONSTRATED: "withheld",
        Verdict.ERROR: "error",
        Verdict.PASSED: "fooled",
    }
    return answers[verdict]


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
