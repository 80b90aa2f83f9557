"""A project in a real git repository with two signing keys: whose model was trained from what, and who approved it?

Ada writes, Bea reviews. Both keys are made once a run; commits and reviews are signed with them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltest import ModelInfo, Provenance, Review, SignedReview, Specification, System, SystemRef
from mltest.adapters.git import GitHistory
from mltest.offers import review as offer

ADA, BEA, BOT = "ada@example.org", "bea@example.org", "bot@example.org"
AT = datetime(2024, 5, 6, 12, tzinfo=UTC)
SPECIFICATION = Specification(("train", "train.toml"), "train.toml#training", not_decisive=("workdir", "log_level"))
SETTINGS: Mapping[str, Any] = {"learning_rate": 0.01, "epochs": 5, "layers": (8, 4)}
FILES: Mapping[str, str] = {
    "train/net.py": "LAYERS = 2\n",
    "train.toml": "[training]\nlearning_rate = 0.01\nepochs = 5\nlayers = [8, 4]\n",
    "README.md": "A mill.\n",
}


@cache
def key_of(name: str) -> Path:
    """A signing key of its own for everybody."""
    file = Path(tempfile.mkdtemp(prefix="mill-keys-")) / name.partition("@")[0]
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return file


def public_key(name: str) -> str:
    file = key_of(name)
    return file.with_name(f"{file.name}.pub").read_text()


def allowed(*names: str) -> str:
    return "".join(f"{name} {public_key(name)}" for name in names)


def signed(digest: str, reviewer: str = BEA, *, key: str | None = None, author: str = ADA) -> SignedReview:
    """A review as `ssh-keygen -Y sign` makes it."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "review"
        text.write_bytes(offer.signed_text(digest, reviewer, AT))
        command = [
            "ssh-keygen",
            "-q",
            "-Y",
            "sign",
            "-f",
            str(key_of(key or reviewer)),
            "-n",
            offer.NAMESPACE,
            str(text),
        ]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        return SignedReview(digest, reviewer, author, AT, text.with_suffix(".sig").read_text())


@dataclass
class Mill:
    """The repository in a folder, with what is needed to work in it."""

    root: Path

    def git(self, *words: str, signer: str | None = ADA) -> str:
        """Runs git as somebody whose commits are signed; None signs nothing."""
        person = signer or "nobody@example.org"
        settings = ["-c", "init.defaultBranch=main", "-c", f"user.email={person}", "-c", "user.name=N"]
        if signer is not None:
            settings += ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key_of(signer)}", "-c", "commit.gpgsign=true"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *settings, *words], cwd=self.root, env=clean, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], *, signer: str | None = ADA) -> str:
        """Checks in files with these texts; returns the commit."""
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "A change", signer=signer)
        return self.git("rev-parse", "HEAD")

    def files(self) -> dict[str, str]:
        return offer.files_on_disk(self.root, SPECIFICATION)

    def digest(self) -> str:
        return offer.digest_of(self.files())


@dataclass(frozen=True)
class MillRepository:
    root: Path
    reviewed: Sequence[Review]
    specification: Specification | None = SPECIFICATION
    signers: str = "allowed_signers"
    branch: str = "main"
    persons: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    test_command: Sequence[str] = ()
    lock_files: Sequence[Path] = ()

    @property
    def history(self) -> GitHistory:
        return GitHistory(self.root, branch=self.branch, allowed_signers=self.signers, people=self.persons)

    def reviews(self) -> Sequence[Review]:
        return self.reviewed


@dataclass(frozen=True)
class MillRegistry:
    told: Provenance | None

    def versions(self) -> Sequence[str]:
        return ("1",)

    def alias(self, name: str) -> str | None:
        return "1"

    def provenance(self, version: str) -> Provenance | None:
        if version != "1":
            raise KeyError(f"no version {version!r}")
        return self.told


@dataclass(frozen=True)
class Miller:
    metadata: ModelInfo = field(default_factory=lambda: ModelInfo(version="1", digest="d" * 64))

    def predict(self, batch: pa.Table) -> np.ndarray:
        return np.zeros(batch.num_rows)


def begun(ref: SystemRef, name: str = "mill", *, names: Sequence[str] = (ADA, BEA, BOT)) -> Mill:
    """A repository with one signed commit by Ada."""
    root = ref.workdir / name
    root.mkdir(parents=True)
    mill = Mill(root)
    mill.git("init", "-q")
    mill.commit({**FILES, "allowed_signers": allowed(*names)})
    return mill


def finished(
    mill: Mill,
    reviews: Sequence[Review],
    *,
    commit: str | None = None,
    files: Mapping[str, str] | None = None,
    config: Mapping[str, Any] = SETTINGS,
    digest: str | None = "d" * 64,
    **aspects: Any,
) -> System:
    """The system whose model was trained from what now lies on the disk, unless something else is said."""
    head = mill.git("rev-parse", "HEAD")
    told = Provenance(head if commit is None else commit, mill.files() if files is None else files, config, digest)
    repository = MillRepository(mill.root, tuple(reviews), **aspects)
    return System(
        name="mill",
        task="regression",
        model=Miller(),
        registry=MillRegistry(told),
        repository=repository,  # type: ignore[arg-type]
    )


def system(ref: SystemRef) -> System:
    """Ada changed the net time and again, and Bea approved every state."""
    mill = begun(ref)
    reviews = [signed(mill.digest())]
    for layers in (3, 4, 5):
        mill.commit({"train/net.py": f"LAYERS = {layers}\n"})
        reviews.append(signed(mill.digest()))
    return finished(mill, reviews)
