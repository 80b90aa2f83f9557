"""Statistics for probes and for the reference system: pure functions on arrays, with effects, intervals and reasons.

What cannot be computed says why in `reason` and decides nothing. Wrong use (lengths that differ, a level of 95)
raises ValueError in one line.
"""

from __future__ import annotations

from mltest.stats.agreement import Agreement, compare_values
from mltest.stats.binning import BinnedPair, bin_categories, bin_numbers, quantile_edges
from mltest.stats.bootstrap import Estimate, cluster_bootstrap, paired_difference, relative_gain
from mltest.stats.calibration import Calibration, brier_reliability, expected_calibration_error, interval_coverage
from mltest.stats.comparison import Decision, equivalence, needed, non_inferiority, superiority, within_limit
from mltest.stats.drift import (
    Drift,
    cramers_v,
    jensen_shannon,
    kolmogorov_smirnov,
    missing_rate,
    population_stability,
    stability_rows_needed,
    wasserstein,
)
from mltest.stats.intervals import Interval, clopper_pearson, wilson
from mltest.stats.losses import (
    LogLosses,
    absolute_error,
    binary_log_loss,
    multiclass_log_loss,
    pinball_loss,
    squared_error,
)
from mltest.stats.mmd import MeanDiscrepancy, mean_discrepancy
from mltest.stats.multiplicity import benjamini_hochberg, holm
from mltest.stats.permutation import PermutationTest, block_permutation_test, permutation_p_value
from mltest.stats.rates import Rate, event_rate, kill_ratio, lower_bound, trials_for_none, upper_bound
from mltest.stats.seeds import estimate_over_seeds
from mltest.stats.shrinkage import shrink
from mltest.stats.sketches import share_in, sketch
from mltest.stats.slice_candidates import Slice, SliceCandidates, find_candidates
from mltest.stats.slices import SliceReport, SliceResult, SliceStatus, compare_slices

__all__ = [
    "Agreement",
    "BinnedPair",
    "Calibration",
    "Decision",
    "Drift",
    "Estimate",
    "Interval",
    "LogLosses",
    "MeanDiscrepancy",
    "PermutationTest",
    "Rate",
    "Slice",
    "SliceCandidates",
    "SliceReport",
    "SliceResult",
    "SliceStatus",
    "absolute_error",
    "benjamini_hochberg",
    "bin_categories",
    "bin_numbers",
    "binary_log_loss",
    "block_permutation_test",
    "brier_reliability",
    "clopper_pearson",
    "cluster_bootstrap",
    "compare_slices",
    "compare_values",
    "cramers_v",
    "equivalence",
    "estimate_over_seeds",
    "event_rate",
    "expected_calibration_error",
    "find_candidates",
    "holm",
    "interval_coverage",
    "jensen_shannon",
    "kill_ratio",
    "kolmogorov_smirnov",
    "lower_bound",
    "mean_discrepancy",
    "missing_rate",
    "multiclass_log_loss",
    "needed",
    "non_inferiority",
    "paired_difference",
    "permutation_p_value",
    "pinball_loss",
    "population_stability",
    "quantile_edges",
    "relative_gain",
    "share_in",
    "shrink",
    "sketch",
    "squared_error",
    "stability_rows_needed",
    "superiority",
    "trials_for_none",
    "upper_bound",
    "wasserstein",
    "wilson",
    "within_limit",
]
