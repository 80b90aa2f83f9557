"""Runs the built-in probes of one item on a system, pytest inside pytest, and reads what they reported.

The inner run forgets every module that it imports. Compiled ones can be loaded only once in a process, and a second
copy of ours would have other classes than the first: all of them are loaded here, before an inner run starts.
"""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401
import ibis  # noqa: F401
import numpy as np  # noqa: F401
import pandera.polars  # noqa: F401
import polars  # noqa: F401
import pyarrow.compute
import pyarrow.feather  # noqa: F401
import pytest
import scipy.special
import scipy.stats  # noqa: F401
import sklearn.ensemble  # noqa: F401

import mltest
from mltest import faults as catalogue

catalogue.registered()
for _found in pkgutil.walk_packages(mltest.__path__, "mltest."):
    import_module(_found.name)
SUITES = Path(__file__).resolve().parents[2] / "suites"
"""No conftest above it is read: ours would be refused anywhere but at the root of a run."""

VACUITY = (
    "V1-empty",
    "V2-missing",
    "V3-nan",
    "V4-raise",
    "V5-self",
    "V6-direction",
    "V7-tiny-n",
    "V8-stale",
)


@dataclass(frozen=True)
class ItemResult:
    """One item of a report."""

    verdict: str
    message: str
    reason_code: str | None
    measured: dict[str, dict[str, Any]]
    output: str

    def value(self, name: str) -> float:
        return float(self.measured[name]["value"])


def run_item(
    pytester: pytest.Pytester, source: str, item: str, faults: tuple[str, ...] = (), *options: str
) -> ItemResult:
    """Scores `item` (such as `data.schema`) on the system `source` (MODULE:NAME or a manifest's path).

    Faults are given as `ID=DOSE`.
    """
    named = ("--ml-score-manifest", source) if source.endswith(".toml") else ("--ml-score-system", source)
    arguments = [
        "--ml-score",
        *named,
        "-k",
        f"test_mlscore_{item.replace('.', '_')}",
        "-p",
        "no:randomly",
        f"--confcutdir={SUITES}",
    ]
    for fault in faults:
        arguments += ["--ml-score-fault", fault]
    result = pytester.runpytest_inprocess(*arguments, "--ml-score-report", "json", *options)
    output = "\n".join([*result.outlines, *result.errlines])
    report = pytester.path / ".ml-score" / "report.json"
    assert report.exists(), output
    found = next(each for each in json.loads(report.read_text())["items"] if each["id"] == item)
    findings = found["findings"]
    measured = {m["name"]: m for finding in findings for m in finding["measurements"]}
    message = "; ".join(finding["message"] for finding in findings)
    code = next((finding["reason_code"] for finding in findings if finding["reason_code"]), None)
    return ItemResult(found["verdict"], message, code, measured, output)
