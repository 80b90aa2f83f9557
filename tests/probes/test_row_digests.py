"""Rows recognised by their content."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mltest.probes.row_digests import row_digests, share_repeated, share_seen


def test_measurements_hardly_repeat_and_coarse_rows_do() -> None:
    random = np.random.default_rng(0)
    measured = row_digests(pa.table({"x": random.normal(size=4000), "y": random.normal(size=4000)}), ["x", "y"])
    coarse = row_digests(pa.table({"x": random.integers(0, 30, 4000), "y": random.integers(0, 30, 4000)}), ["x", "y"])
    assert share_repeated(measured, 1000) == 0.0
    assert share_repeated(coarse, 400) > 0.5
    assert share_repeated(measured[:1], 400) == 0.0


def test_training_rows_are_seen_in_any_order() -> None:
    digests = row_digests(pa.table({"x": np.arange(100.0)}), ["x"])
    assert share_seen(digests[::-1], digests) == 1.0
