"""Git as it is: what a repository holds, who signed it, and that nothing in it is run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mltest import SystemRef
from mltest.adapters.git import GitHistory
from mltest.evidence import PartFailure, Withheld
from mltest.offers import review
from tests.suites.mill import ADA, BEA, SPECIFICATION, Mill, begun, signed

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("ssh-keygen") is None,
    reason="git and ssh-keygen make the scratch repositories (apt-get install git openssh-client)",
)


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    return begun(SystemRef("", tmp_path, tmp_path))


def history(mill: Mill) -> GitHistory:
    return GitHistory(mill.root, branch="main", allowed_signers="allowed_signers")


def test_files_of_a_commit_are_those_that_were_checked_in(mill: Mill) -> None:
    first = mill.git("rev-parse", "HEAD")
    mill.commit({"train/net.py": "LAYERS = 9\n", "train/new name.py": "é\n"})
    (mill.root / "train" / "net.py").write_text("edited")
    found = history(mill)
    assert found.files(first, ("train",)) == {"train/net.py": b"LAYERS = 2\n"}
    assert found.files(found.head(), ("train/",)) == {
        "train/net.py": b"LAYERS = 9\n",
        "train/new name.py": "é\n".encode(),
    }
    assert list(found.changes(("train",))) == [found.head(), first]
    assert list(found.changes(("train.toml",))) == [first]


def test_commits_are_told_apart_by_where_they_are(mill: Mill) -> None:
    mill.git("checkout", "-q", "-b", "side")
    side = mill.commit({"train/net.py": "LAYERS = 9\n"})
    found = history(mill)
    assert found.holds(side)
    assert not found.is_on_branch(side)
    assert not found.holds("a" * 40)
    assert not found.holds("HEAD")
    assert not found.holds("--all")


def test_signers_are_known_by_their_keys_and_not_by_their_names(mill: Mill) -> None:
    first = mill.git("rev-parse", "HEAD")
    second = mill.commit({"README.md": "x"}, signer=BEA)
    third = mill.commit({"README.md": "y"}, signer=None)
    mill.git("-c", "commit.gpgsign=true", "commit", "-q", "--allow-empty", "-m", "x", "--author", f"Bea <{BEA}>")
    fourth = mill.git("rev-parse", "HEAD")
    found = history(mill).signers([first, second, third, fourth])
    assert [None if found[c] is None else found[c].name for c in (first, second, third, fourth)] == [
        ADA,
        BEA,
        None,
        ADA,
    ]
    assert found[first].key == found[fourth].key != found[second].key


def test_a_review_holds_for_the_very_text_and_reviewer(mill: Mill) -> None:
    made = signed("d" * 64)
    found = history(mill)
    text = review.signed_text(made.digest, BEA, made.at)
    assert found.verified(made, text).name == BEA
    assert found.verified(made, text + b" ") is None
    assert found.verified(signed("d" * 64, key=ADA), text) is None


def test_a_branch_a_list_of_signers_or_a_checkout_that_is_not_there_is_named(mill: Mill, tmp_path: Path) -> None:
    with pytest.raises(Withheld, match="no branch 'release'"):
        GitHistory(mill.root, branch="release", allowed_signers="allowed_signers").changes(("train",))
    with pytest.raises(Withheld, match="has no signers"):
        GitHistory(mill.root, branch="main", allowed_signers="signers").people()
    with pytest.raises(Withheld, match="no git checkout"):
        GitHistory(tmp_path, branch="main", allowed_signers="x").head()
    with pytest.raises(PartFailure, match="git ls-tree failed"):
        history(mill).files("a" * 40, ("train",))


def test_without_git_the_folder_tells_nothing(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Withheld, match="git is not installed"):
        history(mill).head()


def test_what_lies_on_the_disk_has_the_digest_of_what_was_checked_in(mill: Mill) -> None:
    there = history(mill).files(mill.git("rev-parse", "HEAD"), SPECIFICATION.paths)
    assert mill.files() == {path: review.sha256(content) for path, content in there.items()}
    assert review.digest_of(mill.files()) == review.digest_of(dict(reversed([*mill.files().items()])))
    assert review.digest_of({"a": "b"}) != review.digest_of({"a": "c"})
