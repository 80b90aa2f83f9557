"""Data 1: feature expectations are captured in a schema."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import fresh_rows, schema_report


@pytest.mark.ml_score("data.schema")
def test_the_schema_speaks_of_every_input_and_holds_on_fresh_rows(
    evidence: mltest.Evidence, ml_system: mltest.System, ml_data: Any
) -> None:
    """Share of model inputs with an expectation that can fail (all), and violations on held-back rows (none).

    Whole tables are judged: the held-back rows of the data set, and the raw tables of the same time. An expectation
    that its own author's fresh data break is wrong, or the data are (Breck et al. 2017, Data 1).
    """
    fresh = fresh_rows.read(ml_system)
    covered = schema_report.coverage(fresh)
    evidence.measure("input_coverage", covered.share, limit=1.0, better="higher", n=len(fresh.inputs))
    broken = schema_report.violations(fresh)
    evidence.measure("violations", sum(each.count for each in broken), limit=0, n=fresh.holdout.num_rows, unit="values")
    evidence.attach("violations", schema_report.violations_table(broken))
    if evidence.judge()[0] is mltest.Verdict.FAILED:
        pytest.fail(schema_report.sentence(covered, broken), pytrace=False)
    schema_report.require_content(fresh)


@pytest.mark.ml_score("data.schema")
def test_the_schema_refuses_damaged_columns(evidence: mltest.Evidence, ml_system: mltest.System, ml_data: Any) -> None:
    """Share of damages of single columns of a clean batch that the schema refuses: at least nine of ten.

    Nulls, another unit or sign, unknown or misspelt categories, sentinels, another type, a column that is gone,
    repeated rows: one in ten may slip through, since some change nothing that anybody could expect. The tenth must not
    be one input or the types: half of the damages of the values of every input are refused, and half of the types.
    """
    fresh = fresh_rows.read(ml_system)
    schema_report.require_content(fresh)
    power = schema_report.power(fresh)
    limit = schema_report.LEAST_KILLED
    ratio = evidence.measure("kill_ratio", power.rate.value, limit=limit, better="higher", n=power.rate.trials)
    evidence.measure("kill_ratio_proven", power.rate.interval.low, n=power.rate.trials)
    columns, types = power.of_columns(), power.of_types()
    if columns:
        least = schema_report.LEAST_OF_ONE_INPUT
        evidence.measure("least_protected_input", columns[0].share, limit=least, better="higher", n=columns[0].tried)
    if types is not None:
        least = schema_report.LEAST_OF_TYPES
        evidence.measure("types_protected", types.share, limit=least, better="higher", n=types.tried)
    evidence.attach("damages that slipped through", schema_report.survivors_table(power))
    if evidence.judge()[0] is mltest.Verdict.FAILED:
        pytest.fail(schema_report.survivors_sentence(power, ratio.limit or limit), pytrace=False)
