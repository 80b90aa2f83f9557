"""One contender on one table, in a process of its own: `python -m benchmarks.rule_contenders NAME FILE`.

Prints JSON: CPU and wall seconds from the open file to the counts, the peak of the process's memory in MB, and how many
violations were counted. What is imported is not timed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import rule_tables

Ready = Callable[[], int]


def hand_written(path: Path) -> Ready:
    """One query, in a DuckDB that is configured as ours is."""
    from mltest.adapters import duckdb_files

    connection = duckdb_files.connect(path.parent, Path(tempfile.mkdtemp()))
    return lambda: sum(connection.raw_sql(rule_tables.query(path)).fetchone())


def mltest_tables(path: Path) -> Ready:
    """What the probe of `data.schema` does with a table that is too large to be fetched."""
    import pandera.polars as pandera

    from mltest import tables
    from mltest.adapters import duckdb_files

    connection = duckdb_files.connect(path.parent, Path(tempfile.mkdtemp()))
    schema = rule_tables.schema(pandera)

    def counted() -> int:
        return sum(each.count for each in tables.violations(duckdb_files.table(connection, [path]), schema))

    return counted


def pandera_on_pandas(path: Path) -> Ready:
    """pandera's own engine, with every error collected."""
    import pandas
    import pandera.pandas as pandera

    schema = rule_tables.schema(pandera)

    def counted() -> int:
        try:
            schema.validate(pandas.read_parquet(path), lazy=True)
        except pandera.errors.SchemaErrors as errors:
            return len(errors.failure_cases)
        return 0

    return counted


def great_expectations(path: Path) -> Ready:
    """Great Expectations on pandas, counts only."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas

    context = gx.get_context(mode="ephemeral")
    expected = []
    for rule in rule_tables.rules():
        expected.append(gxe.ExpectColumnValuesToNotBeNull(column=rule.column))
        if rule.kind == "unique":
            expected.append(gxe.ExpectColumnValuesToBeUnique(column=rule.column))
        elif rule.kind == "set":
            expected.append(gxe.ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.allowed)))
        elif rule.kind == "pattern":
            expected.append(gxe.ExpectColumnValuesToMatchRegex(column=rule.column, regex=rule.allowed[0]))
        elif rule.kind == "length":
            expected.append(gxe.ExpectColumnValueLengthsToBeBetween(column=rule.column, max_value=rule.allowed[0]))
        else:
            low, high = rule.allowed
            expected.append(gxe.ExpectColumnValuesToBeBetween(column=rule.column, min_value=low, max_value=high))
    suite = context.suites.add(gx.ExpectationSuite(name="rules", expectations=expected))
    source = context.data_sources.add_pandas("pandas").add_dataframe_asset("table")
    batches = source.add_batch_definition_whole_dataframe("whole")

    def counted() -> int:
        batch = batches.get_batch({"dataframe": pandas.read_parquet(path)})
        results = batch.validate(suite, result_format="BASIC").results
        return sum(int(result.result.get("unexpected_count", 0)) for result in results)

    return counted


CONTENDERS: Mapping[str, Callable[[Path], Ready]] = {
    "hand_written": hand_written,
    "mltest_tables": mltest_tables,
    "pandera_on_pandas": pandera_on_pandas,
    "great_expectations": great_expectations,
}


def main(name: str, path: str) -> None:
    """Runs one contender and prints what it took."""
    ready = CONTENDERS[name](Path(path))
    cpu, wall = time.process_time(), time.perf_counter()
    count = ready()
    taken = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "violations": count}
    print(json.dumps({**taken, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
