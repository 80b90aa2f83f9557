"""How often one answer may be given."""

import numpy as np
import pyarrow as pa
import pytest

from mltest.probes import frequent_answers as frequent

RANDOM = np.random.default_rng(0)
MEASURED = pa.chunked_array([RANDOM.normal(size=1000)])
MOSTLY_DRY = pa.chunked_array([np.where(RANDOM.random(1000) < 0.7, 0.0, RANDOM.gamma(2.0, 1.0, 1000))])
BOTH = pa.chunked_array([pa.array(RANDOM.random(1000) < 0.1).cast(pa.int64())])


def answers(share: float, value: float) -> np.ndarray:
    """A share of one value, and everything else distinct."""
    given = RANDOM.normal(5, 1, (1000, 1))
    given[: round(1000 * share)] = value
    return given


def judged(given: np.ndarray, target: pa.ChunkedArray | None) -> bool:
    mode = frequent.mode_of(given)
    return mode.share <= frequent.allowed(mode, target)


def test_the_mode_is_the_most_frequent_answer():
    assert frequent.mode_of(np.zeros((50, 1))).share == 1.0
    assert frequent.mode_of(np.arange(50.0)[:, None]).share == 0.02
    assert frequent.mode_of(answers(0.4, 1.0)).answer[0] == 1.0


@pytest.mark.parametrize("target", [MEASURED, MOSTLY_DRY, BOTH, None])
def test_a_constant_model_is_never_allowed(target: pa.ChunkedArray | None):
    assert not judged(answers(1.0, 0.0), target)


def test_a_frozen_corner_is_more_than_a_smooth_output_explains():
    assert not judged(answers(0.45, 1.0), MEASURED)
    assert judged(answers(0.3, 1.0), MEASURED)


def test_a_target_that_is_mostly_nought_explains_an_answer_that_is():
    assert judged(answers(0.7, 0.0), MOSTLY_DRY)
    assert not judged(answers(0.7, 1.0), MOSTLY_DRY)


def test_a_few_leaves_may_share_the_rows_between_them():
    coarse = np.repeat([[1.0], [2.0], [3.0]], [450, 300, 250], axis=0)
    assert judged(coarse, MEASURED)
    assert not judged(np.repeat([[1.0], [2.0], [3.0]], [600, 300, 100], axis=0), MEASURED)


def test_scores_by_class_are_explained_by_the_most_frequent_class_where_they_are_certain():
    certain = np.tile([[1.0, 0.0]], (1000, 1))
    certain[:150] = RANDOM.random((150, 2))
    assert judged(certain, BOTH)
    assert not judged(np.tile([[0.6, 0.4]], (1000, 1)), BOTH)
