"""From a registered model to the commit that it came from, to the files that decide it, to who approved just those.

Each link is held against content and not against names: the files that the training read against those of the commit,
the settings in effect against those in the reviewed file, and a review against the digest that it signs. Who wrote and
who reviewed is told by signatures alone (git's author field is whatever its author typed).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from mltest import offers
from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers import review as review_offer
from mltest.offers.review import History, Provenance, SignedReview, Signer, Specification
from mltest.system import Review

NOBODY = (
    "nobody but the author is on record as having reviewed the model's specification, and one other person has to: let "
    "a second person review it, sign its digest, and offer that by reviews() of the `repository` part"
)
_FEW = 3
_AHEAD = timedelta(days=1)


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
    settings = _settings(specification, content, told, training) if content else ((), 0, ())
    of_this = tuple(review for review in reviews if review.digest == digest)
    authors = _authors(history, specification, reviews, commit, changes) if commit and of_this else {}
    approvals, doubts = _approvals(history, of_this, authors, people)
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
        approvals=approvals,
        authors=tuple(sorted(signer.name for signer in authors.values())),
        doubts=doubts,
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
        return told.commit, changes[same:] if same is not None else changes
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


def _settings(
    specification: Specification, content: Mapping[str, bytes], told: Provenance, training: Any
) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    """Settings that differ from the reviewed file, how many were compared, and those in effect that it lacks."""
    if specification.configuration is None:
        raise Withheld(
            "the specification names no file that settings are read from, so that they cannot be held against what was "
            "reviewed: name it as its configuration",
            ReasonCode.PART_MISSING,
        )
    reviewed = _plain(_reviewed(specification.configuration, content))
    effective = {name: value for name, value in _plain(told.config).items() if name not in specification.not_decisive}
    differing = [_setting(name, effective[name], reviewed) for name in effective if name in reviewed]
    shipped = {} if training is None else _plain(dict(training.config))
    differing += [
        f"{name} is {shipped[name]!r} in the training that is shipped, reviewed is {reviewed[name]!r}"
        for name in shipped
        if name in reviewed and name not in specification.not_decisive and shipped[name] != reviewed[name]
    ]
    wrong = tuple(dict.fromkeys(each for each in differing if each))
    return wrong, len([n for n in effective if n in reviewed]), tuple(n for n in effective if n not in reviewed)


def _setting(name: str, value: Any, reviewed: Mapping[str, Any]) -> str:
    return "" if value == reviewed[name] else f"{name} was {value!r}, reviewed is {reviewed[name]!r}"


def _reviewed(place: str, content: Mapping[str, bytes]) -> Mapping[str, Any]:
    path, _, table = place.partition("#")
    if path not in content:
        raise Withheld(
            f"{path}, which settings are said to be read from, is not among the files of the specification: add it",
            ReasonCode.PART_MISSING,
        )
    text = content[path].decode("utf-8")
    try:
        found: Any = tomllib.loads(text) if path.endswith(".toml") else _parsed(path, text)
        for key in filter(None, table.split(".")):
            found = found[key]
        return dict(found)
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PartFailure(f"{place} cannot be read as settings ({type(error).__name__}: {error})") from error


def _parsed(path: str, text: str) -> Any:
    return json.loads(text) if path.endswith(".json") else yaml.safe_load(text)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them: a tuple is a list, and 1 is 1.0."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(settings), default=str))
    return plain


def _authors(
    history: History,
    specification: Specification,
    reviews: Sequence[Review],
    commit: str,
    changes: Sequence[str],
) -> dict[str, Signer]:
    """Who signed the changes that led to this content, back to content that was reviewed before.

    Raises Withheld when one of them is not signed: then nobody knows who wrote it.
    """
    known = {review.digest for review in reviews}
    new: list[str] = []
    for number, change in enumerate(changes):
        if number and review_offer.digest_of(_content(history, specification, change)) in known:
            break
        new.append(change)
    signed = history.signers(new)
    unsigned = [change for change in new if signed.get(change) is None]
    if unsigned or not new:
        named = unsigned[0][:12] if unsigned else commit[:12]
        raise Withheld(
            f"commit {named} changed the specification and carries no signature by an allowed key, so that nobody "
            "knows who wrote it (git's author field is no identity): sign commits"
        )
    return {change: signer for change, signer in signed.items() if signer is not None}


def _approvals(
    history: History, reviews: Sequence[Review], authors: Mapping[str, Signer], people: Mapping[str, str]
) -> tuple[tuple[SignedReview, ...], tuple[str, ...]]:
    """Reviews that count, and why the others do not. Raises Withheld when none of them is signed at all."""
    signed = [review for review in reviews if isinstance(review, SignedReview) and review.signature.strip()]
    if reviews and not signed:
        raise Withheld(
            f"the review by {reviews[0].reviewer} carries no signature, so that nobody knows who gave it: let the "
            "reviewer sign the digest (mltest.SignedReview)"
        )
    writers = {people.get(signer.name, signer.name) for signer in authors.values()}
    keys = {signer.key for signer in authors.values()}
    counted: list[SignedReview] = []
    doubts: list[str] = []
    for review in signed:
        signer = history.verified(review, review_offer.signed_text(review.digest, review.reviewer, review.at))
        if signer is None:
            doubts.append(f"the signature of the review by {review.reviewer} does not hold")
        elif review.at > datetime.now(UTC) + _AHEAD:
            doubts.append(f"the review by {review.reviewer} is dated {review.at:%Y-%m-%d}, which is still to come")
        elif people.get(signer.name, signer.name) in writers or signer.key in keys:
            doubts.append(
                f"{review.reviewer} approved what {' and '.join(sorted(writers))} wrote, which is the same person"
            )
        else:
            counted.append(review)
    return tuple(counted), tuple(doubts)


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
