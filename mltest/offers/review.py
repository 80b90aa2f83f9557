"""Model 1: what a registered model was made from, what decides it, and who looked at that.

    class MyRegistry:
        def provenance(self, version):
            return mltest.Provenance(commit, files, config, digest)     # written down when the model was trained

    class MyRepository:
        specification = mltest.Specification(("train", "train.toml"), configuration="train.toml")
        history = GitHistory(root, branch="main", allowed_signers="allowed_signers")     # of mltest.adapters.git

        def reviews(self):
            return [mltest.SignedReview(digest, "bea@example.org", "ada@example.org", at, signature)]

The reviewer signs `signed_text(digest, reviewer, at)`:
`ssh-keygen -Y sign -f KEY -n mltest-review FILE`. A name that somebody typed, as in git's author field, is no identity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mltest.system import Review

NAMESPACE = "mltest-review"
HOW_TO_TELL = (
    "give the `registry` part provenance(version): an mltest.Provenance with the commit, the files and the "
    "configuration that the model was trained from"
)
HOW_TO_SPECIFY = (
    "give the `repository` part a specification: an mltest.Specification that names the files that decide a model"
)
HOW_TO_LOOK_BACK = (
    "give the `repository` part a history: GitHistory(root, branch=..., allowed_signers=...) of mltest.adapters.git"
)


@dataclass(frozen=True)
class Provenance:
    """What was written down when a model was trained.

    `files` holds the sha256 of every file of the specification as it lay on the disk, by path below the root; `config`
    the settings that were really in effect; `digest` that of the shipped model, None where nobody knows.
    """

    commit: str
    files: Mapping[str, str]
    config: Mapping[str, Any]
    digest: str | None = None


@dataclass(frozen=True)
class Specification:
    """What decides a model: files and folders below the root, and the one that settings are read from.

    `configuration` is a TOML, JSON or YAML file among them, with `#table.of.it` where it is not the whole file.
    `not_decisive` names settings that decide where things lie and how much is told, and nothing about the model.
    """

    paths: tuple[str, ...]
    configuration: str | None = None
    not_decisive: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignedReview(Review):
    """A review with the armoured SSH signature of its reviewer over `signed_text`."""

    signature: str = ""


@dataclass(frozen=True)
class Signer:
    """Somebody whose signature was verified: the name that the list of allowed signers gives, and the key's
    fingerprint."""

    name: str
    key: str


class History(Protocol):
    """The past of a repository, as `mltest.adapters.git.GitHistory` tells it."""

    def holds(self, commit: str) -> bool:
        """Whether there is such a commit."""
        ...

    def is_on_branch(self, commit: str) -> bool:
        """Whether the protected branch contains the commit."""
        ...

    def files(self, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Content by path of everything at or below the paths in a commit."""
        ...

    def changes(self, paths: Sequence[str]) -> Sequence[str]:
        """Commits of the protected branch that changed anything at or below the paths, the newest first."""
        ...

    def signers(self, commits: Sequence[str]) -> Mapping[str, Signer | None]:
        """Who signed each commit with a key that is allowed; None where nobody did."""
        ...

    def verified(self, review: SignedReview, text: bytes) -> Signer | None:
        """Who signed the text of a review, if it is the reviewer by an allowed key; else None."""
        ...

    def people(self) -> Mapping[str, str]:
        """Everybody who may sign, with the person that is behind the name: aliases have one person."""
        ...


def signed_text(digest: str, reviewer: str, at: datetime) -> bytes:
    """What a reviewer signs."""
    return f"I reviewed the model specification {digest}\nreviewer: {reviewer}\nat: {at.isoformat()}\n".encode()


def digest_of(files: Mapping[str, str]) -> str:
    """The digest of a specification, from the sha256 of its files by path; the order does not matter."""
    lines = "".join(f"{path}\0{sha256}\n" for path, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def files_on_disk(root: Path, specification: Specification) -> dict[str, str]:
    """The sha256 of every file of the specification below the root, for a training to write down."""
    found: dict[str, str] = {}
    for path in specification.paths:
        place = root / path
        below = sorted(place.rglob("*")) if place.is_dir() else [place]
        kept = [file for file in below if file.is_file() and "__pycache__" not in file.parts]
        found |= {file.relative_to(root).as_posix(): sha256(file.read_bytes()) for file in kept}
    return found


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
