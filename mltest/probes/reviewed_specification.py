"""From a registered model to the commit that it came from, to the files that decide it, to who approved just those.

Each link is held against content and not against names: the files that the training read against those of the commit,
the settings in effect against those in the reviewed file, and a review against the digest that it signs. Who wrote and
who reviewed is told by signatures alone (git's author field is whatever its author typed).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mltest import offers
from mltest.evidence import ReasonCode, Withheld
from mltest.offers import review as review_offer
from mltest.offers.review import History, Provenance, SignedReview, Specification
from mltest.probes import reviewed_settings
from mltest.probes.second_person import Reviewers, Standing
from mltest.system import Review

NOBODY = (
    "nobody but the author is on record as having reviewed the model's specification, and one other person has to: let "
    "a second person review it, sign its digest, and offer that by reviews() of the `repository` part"
)
_FEW = 3


@dataclass(frozen=True)
class Chain:
    """The links from a model to its review, and what is wrong with each; an empty list is a link that holds."""

    version: str
    commit: str
    digest: str
    n_files: int
    on_branch: str | None
    """The commit of the protected branch that has the same content; None when there is none."""
    differing_files: tuple[str, ...]
    differing_settings: tuple[str, ...]
    n_settings: int
    unreviewed_settings: tuple[str, ...]
    reviews: tuple[Review, ...]
    """Reviews of just this content."""
    approvals: tuple[SignedReview, ...]
    """Those of them that were signed by somebody who wrote none of it."""
    authors: tuple[str, ...]
    doubts: tuple[str, ...]
    """Why a review of this content does not count."""

    def unreviewed(self) -> str:
        """Why nothing is known about settings that took effect and that no file holds."""
        return (
            f"{_few(self.unreviewed_settings)} took effect and the reviewed file does not hold it, so that nobody can "
            "tell whether it is as reviewed: write it into the file, or call it not decisive in the specification"
        )

    def failures(self) -> list[str]:
        """What was seen, what was allowed and what to do, for every link that is broken."""
        found = []
        if self.differing_files:
            found.append(
                f"the model was trained from files that differ from commit {self.commit[:12]} "
                f"({_few(self.differing_files)}), and none may: train from what is checked in"
            )
        elif self.on_branch is None:
            found.append(
                f"commit {self.commit[:12] or '(none)'}, which the model is said to come from, is not on the protected "
                "branch, nor is its content, and it must be: check in what was trained, or train what is checked in"
            )
        if self.differing_settings:
            found.append(
                f"the training ran with settings that differ from the reviewed file ({_few(self.differing_settings)}), "
                "and none may: change the file and have it reviewed"
            )
        if not self.reviews:
            found.append(
                f"the reviews on record are of other content than the {self.digest[:12]} that the model was made from, "
                "and one must be of just that: have the last change reviewed"
            )
        elif not self.approvals and self.doubts:
            found.append(f"{_few(self.doubts)}: let somebody review it who wrote none of it")
        return found


def follow(registry: Any, model: Any, repository: Any, training: Any) -> Chain:
    """Follows the model that serves. Raises Withheld where a link is not offered, or where one person is alone."""
    reviews = tuple(repository.reviews())
    if not reviews:
        raise Withheld(NOBODY)
    specification: Specification = offers.require(repository, "specification", review_offer.HOW_TO_SPECIFY)
    history: History = offers.require(repository, "history", review_offer.HOW_TO_LOOK_BACK)
    version = _version(registry, model)
    told: Provenance | None = offers.require(registry, "provenance", review_offer.HOW_TO_TELL)(version)
    if told is None:
        raise Withheld(
            f"nothing is on record about what version {version} was made from: {review_offer.HOW_TO_TELL}",
            ReasonCode.PART_MISSING,
        )
    _require_same_model(told, version, model)
    people = history.people()
    if len(set(people.values())) < 2:
        raise Withheld(
            f"the list of allowed signers knows one person alone, who cannot approve their own work: {NOBODY}"
        )
    if not specification.paths or not told.files:
        raise Withheld(
            "no file is named that decides the model: name them in the specification", ReasonCode.PART_MISSING
        )
    digest = review_offer.digest_of(told.files)
    commit, changes = _home(history, specification, told)
    content = history.files(commit or told.commit, specification.paths) if commit or history.holds(told.commit) else {}
    settings = reviewed_settings.compared(specification, content, told, training) if content else ((), 0, ())
    of_this = tuple(review for review in reviews if review.digest == digest)
    standing = Standing()
    if commit and of_this:
        reviewers = Reviewers(history, reviews, people)
        standing = reviewers.standing(
            changes, lambda change: review_offer.digest_of(_content(history, specification, change))
        )
    return Chain(
        version=version,
        commit=told.commit,
        digest=digest,
        n_files=len(told.files),
        on_branch=commit,
        differing_files=_differing(history, specification, told) if commit is None else (),
        differing_settings=settings[0],
        n_settings=settings[1],
        unreviewed_settings=settings[2],
        reviews=of_this,
        approvals=standing.approvals,
        authors=standing.authors,
        doubts=standing.doubts,
    )


def _version(registry: Any, model: Any) -> str:
    if model is not None:
        return str(model.metadata.version)
    version = registry.alias("champion")
    if version is None:
        raise Withheld("no model serves: the registry has no alias `champion`, set it", ReasonCode.PART_MISSING)
    return str(version)


def _require_same_model(told: Provenance, version: str, model: Any) -> None:
    serving = None if model is None else model.metadata.digest
    if told.digest is not None and serving is not None and told.digest != serving:
        raise Withheld(
            f"what the registry tells about version {version} is about another model than the one that serves (digest "
            f"{told.digest[:12]}, not {serving[:12]}): register the model that serves",
            ReasonCode.STALE,
        )


def _home(history: History, specification: Specification, told: Provenance) -> tuple[str | None, Sequence[str]]:
    """The commit of the branch with the very files that were read, and the changes up to it, newest first.

    A squash or a rebase gives the same content another name; where the named commit is not on the branch, the newest
    one with the same content takes its place.
    """
    changes = list(history.changes(specification.paths))
    if history.is_on_branch(told.commit) and _content(history, specification, told.commit) == dict(told.files):
        same = next((n for n, c in enumerate(changes) if _content(history, specification, c) == dict(told.files)), None)
        return (None, ()) if same is None else (told.commit, changes[same:])
    if history.is_on_branch(told.commit):
        return None, ()
    for number, change in enumerate(changes):
        if _content(history, specification, change) == dict(told.files):
            return change, changes[number:]
    return None, ()


def _content(history: History, specification: Specification, commit: str) -> dict[str, str]:
    files = history.files(commit, specification.paths)
    return {path: review_offer.sha256(content) for path, content in files.items()}


def _differing(history: History, specification: Specification, told: Provenance) -> tuple[str, ...]:
    if not history.holds(told.commit):
        return ()
    there = _content(history, specification, told.commit)
    return tuple(path for path in sorted({*there, *told.files}) if there.get(path) != told.files.get(path))


def _few(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _FEW} more" if len(texts) > _FEW else ""
    return ", ".join(texts[:_FEW]) + more


def table(chain: Chain) -> str:
    """The chain as JSON rows, link by link."""
    rows = [
        {"link": "version", "seen": chain.version},
        {"link": "commit", "seen": chain.commit},
        {"link": "on the protected branch as", "seen": chain.on_branch or "nothing"},
        {"link": "digest of the specification", "seen": f"{chain.digest} ({chain.n_files} files)"},
        {"link": "settings compared", "seen": str(chain.n_settings)},
        {"link": "written by", "seen": ", ".join(chain.authors) or "nobody knows"},
        *({"link": "approved by", "seen": f"{review.reviewer} on {review.at:%Y-%m-%d}"} for review in chain.approvals),
    ]
    return json.dumps(rows)
