"""Whose content is it, and who approved it? Told of made-up histories with made-up signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltest.evidence import Withheld
from mltest.offers.review import SignedReview, Signer
from mltest.probes.second_person import Reviewers, Standing

AT = datetime(2024, 1, 1, tzinfo=UTC)
PEOPLE = {"ada": "ada", "ada2": "ada", "bea": "bea", "cyd": "cyd"}


class Past:
    """Commits by name with their signers; a review holds when its signature names its reviewer."""

    def __init__(self, signers: Mapping[str, str | None]) -> None:
        self._signers = signers

    def signers(self, commits: Sequence[str]) -> Mapping[str, Signer | None]:
        return {
            c: None if self._signers[c] is None else Signer(str(self._signers[c]), f"key of {self._signers[c]}")
            for c in commits
        }

    def verified(self, review: SignedReview, text: bytes) -> Signer | None:
        return Signer(review.reviewer, f"key of {review.reviewer}") if review.signature == review.reviewer else None


def approved(content: str, reviewer: str, signature: str | None = None) -> SignedReview:
    return SignedReview(content, reviewer, "somebody", AT, reviewer if signature is None else signature)


def standing(authors: Sequence[str | None], reviews: Sequence[SignedReview]) -> Standing:
    """Of the last of changes 0, 1, 2 ... by these authors; the content after change n has the digest `n`."""
    names = [str(number) for number in range(len(authors))]
    past = Past(dict(zip(names, authors, strict=True)))
    return Reviewers(past, reviews, PEOPLE).standing(names[::-1], lambda change: change)  # type: ignore[arg-type]


def test_somebody_elses_approval_counts_and_ones_own_does_not() -> None:
    assert len(standing(["ada"], [approved("0", "bea")]).approvals) == 1
    own = standing(["ada"], [approved("0", "ada")])
    assert (own.approvals, own.doubts) == ((), ("ada approved what ada wrote, which is the same person",))
    assert standing(["ada"], [approved("0", "ada2")]).approvals == ()


def test_who_changed_it_since_it_was_approved_is_its_author() -> None:
    assert standing(["ada", "bea"], [approved("1", "bea")]).approvals == ()
    assert standing(["ada", "bea"], [approved("1", "ada")]).approvals == ()
    assert len(standing(["ada", "bea"], [approved("1", "cyd")]).approvals) == 1
    settled = standing(["ada", "bea"], [approved("0", "bea"), approved("1", "ada")])
    assert (settled.authors, len(settled.approvals)) == (("bea",), 1)


def test_an_approval_that_does_not_hold_settles_nothing() -> None:
    assert standing(["ada", "bea"], [approved("0", "bea", "forged"), approved("1", "ada")]).approvals == ()
    assert standing(["ada", "bea"], [approved("0", "ada"), approved("1", "ada")]).approvals == ()


def test_what_nobody_signed_takes_two_different_people() -> None:
    with pytest.raises(Withheld, match="has no signature by an allowed key"):
        standing([None], [approved("0", "bea")])
    with pytest.raises(Withheld, match="has no signature"):
        standing([None, "ada"], [approved("0", "bea"), approved("1", "bea")])
    both = [approved("0", "bea"), approved("0", "cyd"), approved("1", "bea")]
    assert len(standing([None, "ada"], both).approvals) == 1
    with pytest.raises(Withheld, match="has no signature"):
        standing([None, "bea"], [approved("0", "ada"), approved("0", "ada2"), approved("1", "ada")])


@given(
    st.lists(st.sampled_from(["ada", "ada2"]), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["ada", "ada2"])), max_size=6),
)
def test_one_person_alone_never_has_an_approval_whatever_the_names(
    authors: list[str], reviews: list[tuple[int, str]]
) -> None:
    assert standing(authors, [approved(str(n), reviewer) for n, reviewer in reviews]).approvals == ()


@given(
    st.lists(st.sampled_from(["ada", "bea"]), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["ada", "bea"])), max_size=6),
)
def test_an_approval_is_never_by_who_made_the_last_change(authors: list[str], reviews: list[tuple[int, str]]) -> None:
    found = standing(authors, [approved(str(n), reviewer) for n, reviewer in reviews])
    assert all(PEOPLE[review.reviewer] != PEOPLE[authors[-1]] for review in found.approvals)
