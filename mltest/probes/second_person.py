"""Who wrote the content of a specification, and who else approved it: told by signatures, change after change.

What somebody else approved is settled; whoever signed a change since then is an author of what is there now. A change
that nobody signed may be anybody's: only two approvals by different people settle it, since one of them is not its
author.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mltest.evidence import Withheld
from mltest.offers import review as review_offer
from mltest.offers.review import History, SignedReview, Signer
from mltest.system import Review

_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """Names of the authors of a content, the approvals by somebody else, and why other reviews of it do not count."""

    authors: tuple[str, ...] = ()
    approvals: tuple[SignedReview, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass
class _Unsettled:
    """Who signed changes that nobody else approved so far, and the changes that nobody signed."""

    people: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    unsigned: list[str] = field(default_factory=list)


class Reviewers:
    """Tells whose a change is and which reviews of a content count; reviews are verified when they are needed."""

    def __init__(self, history: History, reviews: Sequence[Review], people: Mapping[str, str]) -> None:
        self._history, self._people = history, people
        self._reviews: dict[str, list[Review]] = {}
        for review in reviews:
            self._reviews.setdefault(review.digest, []).append(review)

    def standing(self, changes: Sequence[str], digest_at: Callable[[str], str]) -> Standing:
        """Of the content after the first of the changes, which come newest first.

        Raises Withheld when nobody knows who wrote a part of it, or when none of its reviews is signed at all.
        """
        signers = self._history.signers(changes)
        open_ones = _Unsettled()
        for change in reversed(changes):
            signer = signers.get(change)
            if signer is None:
                open_ones.unsigned.append(change)
            else:
                open_ones.people.add(self._person(signer))
                open_ones.keys.add(signer.key)
            if change != changes[0] and self._settles(digest_at(change), open_ones):
                open_ones = _Unsettled()
        reviews = self._reviews.get(digest_at(changes[0]), [])
        _require_signatures(reviews, open_ones)
        approvals, doubts = self._counted(reviews, open_ones)
        return Standing(tuple(sorted(open_ones.people)), tuple(approvals), tuple(doubts))

    def _settles(self, digest: str, open_ones: _Unsettled) -> bool:
        approvals, _ = self._counted(self._reviews.get(digest, []), open_ones)
        people = {self._people.get(review.reviewer, review.reviewer) for review in approvals}
        return len(people) >= (2 if open_ones.unsigned else 1)

    def _counted(self, reviews: Sequence[Review], open_ones: _Unsettled) -> tuple[list[SignedReview], list[str]]:
        counted: list[SignedReview] = []
        doubts: list[str] = []
        for review in reviews:
            if not isinstance(review, SignedReview):
                continue
            text = review_offer.signed_text(review.digest, review.reviewer, review.at)
            signer = self._history.verified(review, text) if review.signature.strip() else None
            if signer is None:
                doubts.append(f"the signature of the review by {review.reviewer} does not hold")
            elif review.at > datetime.now(UTC) + _AHEAD:
                doubts.append(f"the review by {review.reviewer} is dated {review.at:%Y-%m-%d}, which is still to come")
            elif self._person(signer) in open_ones.people or signer.key in open_ones.keys:
                wrote = " and ".join(sorted(open_ones.people))
                doubts.append(f"{review.reviewer} approved what {wrote} wrote, which is the same person")
            else:
                counted.append(review)
        return counted, doubts

    def _person(self, signer: Signer) -> str:
        return self._people.get(signer.name, signer.name)


def _require_signatures(reviews: Sequence[Review], open_ones: _Unsettled) -> None:
    if open_ones.unsigned:
        raise Withheld(
            f"commit {open_ones.unsigned[0][:12]} changed the specification and has no signature by an allowed key, "
            "and nobody knows who wrote it (git's author field is no identity): sign commits"
        )
    if reviews and not any(isinstance(review, SignedReview) and review.signature.strip() for review in reviews):
        raise Withheld(
            f"the review by {reviews[0].reviewer} carries no signature, so that nobody knows who gave it: let the "
            "reviewer sign the digest (mltest.SignedReview)"
        )
