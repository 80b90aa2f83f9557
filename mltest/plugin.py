"""The pytest edge: options, marker, hooks and fixtures. Everything else is loaded only with --ml-score."""

from __future__ import annotations

import pytest

from mltest import fixtures, hookspec

_OPTIONS: tuple[tuple[str, str, str, tuple[str, ...] | None], ...] = (
    ("manifest", "PATH", "manifest of the system under test (default: the nearest one upwards)", None),
    ("system", "MODULE:NAME", "system under test, or the name of an installed entry point", None),
    ("min", "N", "gate: fail below this readiness", None),
    ("require", "ITEM,...", "gate: fail unless these items have points", None),
    ("baseline", "FILE", "gate: fail when an item has fewer points than in this report.json", None),
    ("effort", "LEVEL", "how much to spend: quick (default), standard or thorough", ("quick", "standard", "thorough")),
    ("basis", "BASIS", "auto (default), manual, or automated for a scheduled job", ("auto", "manual", "automated")),
    ("ledger", "FILE", "where scorecards are kept over time (default: .ml-score/ledger.sqlite)", None),
    ("timeout", "SECONDS", "time limit of one probe (default: 300, 900 or 3600 by effort)", None),
    ("seed", "N", "seed of everything random (default: 0)", None),
)
_FLAGS: tuple[tuple[str, str], ...] = (
    ("trust", "let a system in Python load pickle and joblib files, which run the code inside them"),
    ("with-tests", "run unmarked tests too"),
    ("report-only", "exit 0 for failed items and gates"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ml-score", "ML Test Score")
    text = "score the readiness of an ML system"
    group.addoption("--ml-score", action="store_true", default=False, help=text)
    parser.addini("ml_score", text, type="bool", default=False)
    group.addoption("--ml-score-list", action="store_true", default=False, help="list items and probes, then stop")
    for name, metavar, text, choices in _OPTIONS:
        group.addoption(f"--ml-score-{name}", metavar=metavar, default=None, help=text, choices=choices)
        parser.addini(f"ml_score_{name}", text)
    for name, text in _FLAGS:
        group.addoption(f"--ml-score-{name}", action="store_true", default=None, help=text)
        parser.addini(f"ml_score_{name.replace('-', '_')}", text, type="bool", default=False)
    text = "write a report; repeatable (default: terminal, html and json under .ml-score/)"
    group.addoption("--ml-score-report", action="append", default=[], metavar="FORMAT[:PATH]", help=text)
    parser.addini("ml_score_report", text, type="linelist")
    group.addoption(
        "--ml-score-fault",
        action="append",
        default=[],
        metavar="ID[=DOSE][@MODULE]",
        help="inject a fault of the catalogue into the system under test; such a run is never kept in the ledger",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspec)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "ml_score(item, *, required=True, experiment=False): evidence for one item of the rubric, e.g. data.schema",
    )
    # Before any conftest's fixtures are read, so that those can override ours for a team's own tests.
    config.pluginmanager.register(fixtures, "ml-score-fixtures")
    if config.getoption("ml_score") or config.getini("ml_score") or config.getoption("ml_score_list"):
        from mltest.run import session

        session.start(config)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if config.getoption("ml_score_list"):
        from mltest.run import session

        return session.print_list(config)
    return None
