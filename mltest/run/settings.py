"""What a run was asked to do: command line before ini file before default, checked before anything runs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from mltest import rubric as rubrics
from mltest.reporters import json as report_json
from mltest.rubric import Rubric, RubricError, UnknownItem
from mltest.run.basis import Requested
from mltest.scorecard import Scorecard, ScorecardError
from mltest.system import Effort, FaultRef, SystemRef

if TYPE_CHECKING:
    from mltest.manifest import Manifest

_PATHS = ("manifest", "baseline", "ledger")
"""Options that name a file: in the ini file they are relative to it, on the command line to the working folder."""

_TIMEOUTS: Mapping[Effort, float] = {"quick": 300.0, "standard": 900.0, "thorough": 3600.0}


@dataclass(frozen=True)
class Report:
    """A report to write: its format and, when the user gave one, its path."""

    format: str
    path: Path | None = None


@dataclass(frozen=True)
class Settings:
    """`folder` takes reports and ledger; `source` is None when no system is named."""

    rubric: Rubric
    folder: Path
    source: str | None
    root: Path
    manifest: Manifest | None
    ledger: Path
    reports: tuple[Report, ...]
    minimum: float | None = None
    require: tuple[str, ...] = ()
    baseline: Scorecard | None = None
    effort: Effort = "quick"
    basis: Requested = "auto"
    timeout: float = 300.0
    seed: int = 0
    trust: bool = False
    with_tests: bool = False
    report_only: bool = False
    faults: tuple[FaultRef, ...] = ()
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def reference(self, workdir: Path, cache: Path) -> SystemRef | None:
        """The reference that the system is built from, here and in other processes."""
        if self.source is None:
            return None
        return SystemRef(
            source=self.source,
            root=self.root,
            workdir=workdir,
            seed=self.seed,
            effort=self.effort,
            trust=self.trust,
            faults=self.faults,
            cache=cache,
        )


def read(config: pytest.Config) -> Settings:
    """Settings of a run. Raises pytest.UsageError with one line that names the option or the file, and the remedy."""
    folder = Path(config.invocation_params.dir) / ".ml-score"
    rubric = _rubric(config)
    source, manifest = _source(config)
    if manifest is not None:
        _check_manifest(manifest, rubric)
    effort = cast(Effort, _option(config, "effort") or "quick")
    return Settings(
        rubric=rubric,
        folder=folder,
        source=source,
        root=manifest.root if manifest is not None else Path(config.invocation_params.dir),
        manifest=manifest,
        ledger=Path(_option(config, "ledger") or folder / "ledger.sqlite"),
        reports=_reports(config),
        minimum=_number(config, "min"),
        require=_require(config, rubric),
        baseline=_baseline(config),
        effort=effort,
        basis=cast(Requested, _option(config, "basis") or "auto"),
        timeout=_timeout(config, effort),
        seed=_seed(config),
        trust=_flag(config, "trust"),
        with_tests=_flag(config, "with_tests"),
        report_only=_flag(config, "report_only"),
        faults=tuple(map(_fault, config.getoption("ml_score_fault"))),
        limits=manifest.limits if manifest is not None else {},
    )


def _option(config: pytest.Config, name: str) -> str | None:
    given: str | None = config.getoption(f"ml_score_{name}")
    if given is None:
        given = config.getini(f"ml_score_{name}") or None
        if given is not None and name in ("effort", "basis"):
            _check_choice(name, given)
        if given is not None and name in _PATHS and config.inipath is not None:
            given = str(config.inipath.parent / given)
    return given


def _check_choice(name: str, given: str) -> None:
    allowed = {"effort": ("quick", "standard", "thorough"), "basis": ("auto", "manual", "automated")}[name]
    if given not in allowed:
        raise pytest.UsageError(f"ml_score_{name} in the ini file is {given!r}: choose one of {', '.join(allowed)}")


def _flag(config: pytest.Config, name: str) -> bool:
    given = config.getoption(f"ml_score_{name}")
    return bool(config.getini(f"ml_score_{name}") if given is None else given)


def _number(config: pytest.Config, name: str) -> float | None:
    text = _option(config, name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise pytest.UsageError(f"--ml-score-{name} is {text!r}: give a number of 0 or more")
    return number


def _timeout(config: pytest.Config, effort: Effort) -> float:
    seconds = _number(config, "timeout")
    if seconds == 0:
        raise pytest.UsageError("--ml-score-timeout is 0: give a number of seconds above 0")
    return _TIMEOUTS[effort] if seconds is None else seconds


def _seed(config: pytest.Config) -> int:
    seed = _number(config, "seed") or 0
    if seed != int(seed):
        raise pytest.UsageError(f"--ml-score-seed is {seed}: give a whole number")
    return int(seed)


def _rubric(config: pytest.Config) -> Rubric:
    path = Path(config.hook.pytest_mltest_rubric(config=config))
    try:
        return rubrics.load(path)
    except (RubricError, OSError) as error:
        raise pytest.UsageError(str(error)) from error


def _require(config: pytest.Config, rubric: Rubric) -> tuple[str, ...]:
    given = _option(config, "require")
    names = tuple(n.strip() for n in (given or "").split(",") if n.strip())
    if given is not None and not names:
        raise pytest.UsageError(f"--ml-score-require {given!r} names no item: give ids, e.g. data.schema")
    for name in names:
        try:
            rubric.item(name)
        except UnknownItem as error:
            raise pytest.UsageError(f"--ml-score-require: {error}") from error
    return names


def _baseline(config: pytest.Config) -> Scorecard | None:
    name = _option(config, "baseline")
    if name is None:
        return None
    try:
        found = report_json.read(Path(name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise pytest.UsageError(f"--ml-score-baseline {name} cannot be read: {reason}") from error
    except ScorecardError as error:
        raise pytest.UsageError(f"--ml-score-baseline: {error}") from error
    if found.score.partial:
        raise pytest.UsageError(f"--ml-score-baseline {name} is of a partial run: give the report of a complete one")
    return found


def _reports(config: pytest.Config) -> tuple[Report, ...]:
    wanted = config.getoption("ml_score_report") or config.getini("ml_score_report") or ["terminal", "html", "json"]
    reports = []
    for text in wanted:
        name, _, path = text.partition(":")
        reports.append(Report(name, Path(config.invocation_params.dir) / path if path else None))
    return tuple(reports)


def _fault(text: str) -> FaultRef:
    from mltest.faults import FaultError, parse

    try:
        return parse(text)
    except FaultError as error:
        raise pytest.UsageError(f"--ml-score-fault: {error}") from error


def _source(config: pytest.Config) -> tuple[str | None, Manifest | None]:
    named = _option(config, "system")
    by_path = _option(config, "manifest")
    if named is not None and by_path is not None:
        raise pytest.UsageError("--ml-score-system and --ml-score-manifest both name a system: give one of them")
    if by_path is not None and not by_path.endswith(".toml"):
        raise pytest.UsageError(f"--ml-score-manifest {by_path}: give an mltest.toml or a pyproject.toml")
    if named is not None:
        source: Any = named if ":" in named else _entry_point(named)
    else:
        source = by_path or config.hook.pytest_mltest_system(config=config)
    if source is None:
        return None, None
    source = str(source)
    if not source.endswith(".toml"):
        _check_module(source, Path(config.invocation_params.dir), "--ml-score-system")
        return source, None
    manifest = _load_manifest(Path(source))
    if manifest.system is not None:
        _check_module(manifest.system, manifest.root, f"{source}: system")
    return str(Path(source).resolve()), manifest


def _load_manifest(path: Path) -> Manifest:
    from mltest import manifest

    try:
        return manifest.load(path)
    except manifest.ManifestError as error:
        raise pytest.UsageError(str(error)) from error


def _check_manifest(loaded: Manifest, rubric: Rubric) -> None:
    from mltest.manifest import ManifestError

    try:
        loaded.check_items(rubric)
    except ManifestError as error:
        raise pytest.UsageError(str(error)) from error


def _entry_point(name: str) -> str:
    found = {e.name: e.value for e in metadata.entry_points(group="mltest.systems")}
    if name not in found:
        known = f" (installed: {', '.join(sorted(found))})" if found else ""
        raise pytest.UsageError(
            f"--ml-score-system {name}: give MODULE:NAME, or an installed mltest.systems name{known}"
        )
    return found[name]


def _check_module(source: str, root: Path, where: str) -> None:
    module, colon, attribute = source.partition(":")
    if not colon or not module or not attribute:
        raise pytest.UsageError(f"{where} is {source!r}: give it as MODULE:NAME")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        spec = find_spec(module)
    except (Exception, SystemExit) as error:  # a package is imported to look into it, and may raise anything
        raise pytest.UsageError(f"{where} is {source!r}: {type(error).__name__}: {error}") from error
    if spec is None:
        raise pytest.UsageError(f"{where} is {source!r}: there is no module {module} in {root} or installed")
