"""Sketches of sets of rows: their order does not matter, and shares are those of the sets themselves."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltest.stats import share_in, sketch


@settings(deadline=None)
@given(st.lists(st.text(max_size=8)), st.randoms())
def test_a_sketch_depends_on_the_set_alone(keys: list[str], random: object) -> None:
    shuffled = [*keys, *keys]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sketch(shuffled) == sketch(keys)
    assert list(sketch(keys)) == sorted(sketch(keys))


def test_a_digest_is_what_anybody_can_compute() -> None:
    assert sketch(["UA1"]) == (hashlib.sha256(b"UA1").hexdigest()[:16],)


def test_a_small_set_is_kept_whole_and_found_again() -> None:
    assert len(sketch(range(100))) == 100
    assert share_in(sketch(range(100)), range(50, 1000)) == 0.5
    assert share_in(sketch(range(100)), []) == 0.0
    assert share_in((), range(10)) == 0.0


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_share_of_a_large_set_is_estimated_without_carrying_it(share: float) -> None:
    rows = 20_000
    found = share_in(sketch(range(rows)), range(int(share * rows)))
    assert found == pytest.approx(share, abs=4 * (share * (1 - share) / 256) ** 0.5 + 1e-12)
