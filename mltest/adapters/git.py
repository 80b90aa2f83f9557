"""The past of a git repository, read by the git command and nothing else.

The repository may be anybody's: no hook, pager, filter or program that it configures is run, nothing is fetched, no
setting of the machine or its user counts, and every command has a time limit. Where git or ssh-keygen is missing, or
where the folder is no checkout, what needs it is not demonstrated.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.review import NAMESPACE, SignedReview, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30.0
MOST_CHANGES = 500
"""Commits of the specification that are looked back at."""
_FIELD, _RECORD = "%x00", "%x01"
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.sshCommand": "false",
    "core.attributesFile": os.devnull,
    "protocol.allow": "never",
    "diff.external": "",
    "log.showSignature": "false",
    "gpg.format": "ssh",
    "gpg.program": "false",
    "gpg.x509.program": "false",
    "gpg.ssh.program": "ssh-keygen",
    "gpg.ssh.defaultKeyCommand": "",
    "gpg.ssh.revocationFile": "",
}
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "true",
    "LC_ALL": "C",
}


class GitHistory:
    """The history of the checkout in `root`, as its `branch` tells it; satisfies `mltest.offers.review.History`.

    `allowed_signers` is a file in the format of ssh-keygen, a path below the root, where the branch's version of it
    counts, or an absolute one. `people` maps names of signers to persons; `.mailmap` is heeded as well.
    """

    def __init__(
        self, root: Path, *, branch: str, allowed_signers: str | Path, people: Mapping[str, str] | None = None
    ) -> None:
        self.root, self.branch = root, branch
        self._allowed_signers, self._people = allowed_signers, dict(people or {})

    def head(self) -> str:
        """The commit that is checked out."""
        return self._text("rev-parse", "--verify", "HEAD")

    def holds(self, commit: str) -> bool:
        return bool(_IS_ID.fullmatch(commit)) and self._asks("cat-file", "-e", f"{commit}^{{commit}}")

    def is_on_branch(self, commit: str) -> bool:
        return self.holds(commit) and self._asks("merge-base", "--is-ancestor", commit, self._tip)

    def files(self, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        listed = self._bytes("ls-tree", "-r", "-z", "--full-tree", commit, "--", *(p.rstrip("/") for p in paths))
        entries = [entry.split(b"\t", 1) for entry in listed.split(b"\0") if entry]
        blobs = {name.decode(): about.split()[2] for about, name in entries if about.split()[1] == b"blob"}
        content = self._contents(list(dict.fromkeys(blobs.values())))
        return {name: content[blob] for name, blob in blobs.items()}

    def changes(self, paths: Sequence[str]) -> Sequence[str]:
        if self._text("rev-parse", "--is-shallow-repository") == "true":
            raise Withheld(
                "the clone is shallow, so that nobody can tell who wrote what: fetch the whole history "
                "(fetch-depth: 0, or git fetch --unshallow)",
                _MISSING,
            )
        return self._text(
            "log", f"--max-count={MOST_CHANGES}", "--format=%H", "--full-history", self._tip, "--", *paths
        ).split()

    def signers(self, commits: Sequence[str]) -> Mapping[str, Signer | None]:
        if not commits:
            return {}
        with self._allowed() as allowed:
            form = f"--format=%H{_FIELD}%G?{_FIELD}%GS{_FIELD}%GF{_RECORD}"
            told = self._text("log", "--no-walk=unsorted", form, *commits, allowed=allowed)
        found: dict[str, Signer | None] = {}
        for record in filter(None, (each.strip() for each in told.split("\x01"))):
            commit, state, name, key = record.split("\x00")
            found[commit] = Signer(name, key) if state == "G" and name and key else None
        return found

    def verified(self, review: SignedReview, text: bytes) -> Signer | None:
        with self._allowed() as allowed, tempfile.TemporaryDirectory(prefix="mltest-review-") as folder:
            signature = Path(folder) / "signature"
            signature.write_text(review.signature, encoding="utf-8")
            asked = ["-f", str(allowed), "-I", review.reviewer, "-n", NAMESPACE, "-s", str(signature)]
            done = _run(["ssh-keygen", "-Y", "verify", *asked], Path(folder), text)
        key = re.search(r"key (SHA256:\S+)", done.stdout.decode(errors="replace"))
        return Signer(review.reviewer, key.group(1)) if done.returncode == 0 and key else None

    def people(self) -> Mapping[str, str]:
        with self._allowed() as allowed:
            lines = allowed.read_text(encoding="utf-8", errors="replace").splitlines()
        stated = [line.split()[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
        names = dict.fromkeys(name for principals in stated for name in principals.strip('"').split(","))
        return {name: self._person(name) for name in names}

    def _person(self, name: str) -> str:
        """The person behind a name: as declared, else as `.mailmap` has it; case and `+tag` are nothing."""
        if name in self._people:
            return self._people[name]
        mapped = self._run("check-mailmap", f"<{name}>").stdout.decode(errors="replace")
        address = re.search(r"<([^>]*)>", mapped)
        found = (address.group(1) if address else name).casefold()
        return self._people.get(found, re.sub(r"\+[^@]*(?=@)", "", found))

    @cached_property
    def _tip(self) -> str:
        done = self._run("rev-parse", "--verify", "--quiet", f"{self.branch}^{{commit}}")
        if done.returncode:
            raise Withheld(
                f"the repository has no branch {self.branch!r}, which is said to be the protected one: name the branch "
                "that reviewed changes end on",
                ReasonCode.PART_MISSING,
            )
        return done.stdout.decode().strip()

    @contextmanager
    def _allowed(self) -> Iterator[Path]:
        """The file of allowed signers: below the root the one of the branch, which nobody edited since."""
        given = Path(self._allowed_signers)
        if given.is_absolute():
            if not given.is_file():
                raise Withheld(f"there is no list of allowed signers at {given.name}: name the file", _MISSING)
            yield given
            return
        done = self._run("show", f"{self._tip}:{given.as_posix()}")
        if done.returncode:
            raise Withheld(
                f"the branch {self.branch} has no {given}, so that no signature can be verified: check in the list of "
                "allowed signers (ssh-keygen calls it that)",
                _MISSING,
            )
        with tempfile.NamedTemporaryFile(prefix="mltest-signers-") as file:
            file.write(done.stdout)
            file.flush()
            yield Path(file.name)

    def _contents(self, blobs: Sequence[bytes]) -> dict[bytes, bytes]:
        told = self._run("cat-file", "--batch", given=b"\n".join(blobs) + b"\n" if blobs else b"").stdout
        found: dict[bytes, bytes] = {}
        place = 0
        for blob in blobs:
            end = told.index(b"\n", place)
            size = int(told[place:end].split()[2])
            found[blob] = told[end + 1 : end + 1 + size]
            place = end + 2 + size
        return found

    def _asks(self, *words: str) -> bool:
        return self._run(*words).returncode == 0

    def _text(self, *words: str, allowed: Path | None = None) -> str:
        return self._bytes(*words, allowed=allowed).decode("utf-8", errors="replace").strip()

    def _bytes(self, *words: str, allowed: Path | None = None) -> bytes:
        done = self._run(*words, allowed=allowed)
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())[:300]
            raise PartFailure(f"git {words[0]} failed in {self.root.name}: {said}")
        return done.stdout

    def _run(self, *words: str, allowed: Path | None = None, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        if not self._is_checkout:
            raise Withheld(
                f"the folder {self.root.name} is no git checkout, so that no model can be followed to a commit: run "
                "from a clone with its history",
                _MISSING,
            )
        return self._git(*words, allowed=allowed, given=given)

    @cached_property
    def _is_checkout(self) -> bool:
        return self.root.is_dir() and self._git("rev-parse", "--git-dir").returncode == 0

    def _git(self, *words: str, allowed: Path | None = None, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        settings = {**_SETTINGS, "safe.directory": str(self.root.resolve())}
        settings["gpg.ssh.allowedSignersFile"] = str(allowed or os.devnull)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return _run(["git", "--no-pager", "--literal-pathspecs", *options, *words], self.root, given)


_IS_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MISSING = ReasonCode.PART_MISSING


def _run(command: Sequence[str], folder: Path, given: bytes) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_"))}
    try:
        return subprocess.run(  # noqa: S603 - the words are ours, and no shell reads them
            command, cwd=folder, env={**kept, **_ENVIRONMENT}, input=given, capture_output=True, timeout=SECONDS
        )
    except FileNotFoundError:
        raise Withheld(f"{command[0]} is not installed on this machine: install it", _MISSING) from None
    except subprocess.TimeoutExpired:
        raise PartFailure(f"{command[0]} did not answer within {SECONDS:g} s") from None
