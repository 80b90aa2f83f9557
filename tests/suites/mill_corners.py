"""The mill with chains that look whole and are not, and with sound ones that look odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mltest import Review, Specification, System, SystemRef
from tests.suites.mill import (
    ADA,
    AT,
    BEA,
    BOT,
    FILES,
    SETTINGS,
    Mill,
    MillRegistry,
    allowed,
    begun,
    finished,
    public_key,
    signed,
)


def dirty_tree(ref: SystemRef) -> System:
    """Trained with an edit that nobody checked in; the commit was reviewed."""
    mill = begun(ref)
    review = signed(mill.digest())
    (mill.root / "train" / "net.py").write_text("LAYERS = 30\n")
    return finished(mill, [review, signed(mill.digest())])


def notebook_beside(ref: SystemRef) -> System:
    """An untracked notebook and an edited README decide nothing."""
    mill = begun(ref)
    review = signed(mill.digest())
    (mill.root / "explore.ipynb").write_text("{}")
    (mill.root / "README.md").write_text("A mill, edited.\n")
    return finished(mill, [review])


def phantom_commit(ref: SystemRef) -> System:
    mill = begun(ref)
    review = signed(mill.digest())
    mill.git("checkout", "-q", "-b", "side")
    mill.commit({"train/net.py": "LAYERS = 4\n"})
    return finished(mill, [review, signed(mill.digest())])


def forgotten_commit(ref: SystemRef) -> System:
    """A commit that no repository has, and content that no branch has."""
    mill = begun(ref)
    files = {**mill.files(), "train/net.py": "0" * 64}
    return finished(mill, [signed(mill.digest())], commit="a" * 40, files=files)


def no_commit(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], commit="HEAD", files={"train/net.py": "0" * 64})


def squashed(ref: SystemRef) -> System:
    """Trained and approved on a side branch that was squashed: another commit, the same content."""
    mill = begun(ref)
    mill.git("checkout", "-q", "-b", "side")
    mill.commit({"train/net.py": "LAYERS = 4\n"})
    trained = mill.commit({"train.toml": FILES["train.toml"].replace("5", "6")})
    review, files = signed(mill.digest()), mill.files()
    mill.git("checkout", "-q", "main")
    mill.git("merge", "-q", "--squash", "side")
    mill.git("commit", "-q", "-m", "Squashed")
    mill.git("branch", "-q", "-D", "side")
    return finished(mill, [review], commit=trained, files=files, config={**SETTINGS, "epochs": 6})


def documented_later(ref: SystemRef) -> System:
    mill = begun(ref)
    review = signed(mill.digest())
    mill.commit({"README.md": "A mill with a wheel.\n"})
    return finished(mill, [review])


def changed_later(ref: SystemRef) -> System:
    """One more change after the approval."""
    mill = begun(ref)
    review = signed(mill.digest())
    mill.commit({"train/net.py": "LAYERS = 5\n"})
    return finished(mill, [review])


def approved_by_its_author(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest(), ADA)])


def approved_under_a_second_name(ref: SystemRef) -> System:
    """Ada has a second address with a second key, and it is known whose it is."""
    alias = "ada+review@example.org"
    mill = begun(ref, names=(ADA, BEA, alias))
    return finished(mill, [signed(mill.digest(), alias)])


def approved_with_the_same_key(ref: SystemRef) -> System:
    """Two names, one key."""
    mill = begun(ref)
    line = f"carol@example.org {public_key(ADA)}"
    mill.commit({"allowed_signers": allowed(ADA, BEA) + line})
    return finished(mill, [signed(mill.digest(), "carol@example.org", key=ADA)])


def approved_by_a_mapped_name(ref: SystemRef) -> System:
    mill = begun(ref, names=(ADA, BEA, "a.lovelace@example.org"))
    mill.commit({".mailmap": "Ada <ada@example.org> <a.lovelace@example.org>\n"})
    return finished(mill, [signed(mill.digest(), "a.lovelace@example.org")])


def in_somebody_elses_name(ref: SystemRef) -> System:
    """Ada signs a review that says it is Bea's."""
    mill = begun(ref)
    return finished(mill, [signed(mill.digest(), BEA, key=ADA)])


def key_added_on_the_disk(ref: SystemRef) -> System:
    """A key that is in the working tree's list alone, and not in the branch's."""
    mill = begun(ref, names=(ADA, BEA))
    (mill.root / "allowed_signers").write_text(allowed(ADA, BEA, "dora@example.org"))
    return finished(mill, [signed(mill.digest(), "dora@example.org")])


def reviewed_by_word(ref: SystemRef) -> System:
    """A record that somebody typed."""
    mill = begun(ref)
    return finished(mill, [Review(mill.digest(), BEA, ADA, AT)])


def reviewed_in_the_future(ref: SystemRef) -> System:
    mill = begun(ref)
    review = signed(mill.digest())
    return finished(mill, [replace(review, at=datetime(2100, 1, 1, tzinfo=UTC))])


def one_person_alone(ref: SystemRef) -> System:
    mill = begun(ref, names=(ADA,))
    return finished(mill, [signed(mill.digest(), ADA)])


def nobody_reviewed(ref: SystemRef) -> System:
    return finished(begun(ref), [])


def nobody_reviewed_and_no_checkout(ref: SystemRef) -> System:
    made = nobody_reviewed(ref)
    (ref.workdir / "mill" / ".git").rename(ref.workdir / "mill" / "git-moved-away")
    return made


def unsigned_commits(ref: SystemRef) -> System:
    mill = begun(ref)
    mill.commit({"train/net.py": "LAYERS = 7\n"}, signer=None)
    return finished(mill, [signed(mill.digest())])


def bumped_by_a_bot(ref: SystemRef) -> System:
    mill = begun(ref)
    first = signed(mill.digest())
    mill.commit({"train/net.py": "LAYERS = 9\n"}, signer=BOT)
    return finished(mill, [first, signed(mill.digest(), BEA, author=BOT)])


def written_by_both(ref: SystemRef) -> System:
    """Bea wrote a part of what she approved; nobody else looked."""
    mill = begun(ref)
    mill.commit({"train/net.py": "LAYERS = 9\n"}, signer=BEA)
    return finished(mill, [signed(mill.digest())])


def taking_turns(ref: SystemRef) -> System:
    """Bea's change was approved by Ada, after Ada's by Bea."""
    mill = begun(ref)
    first = signed(mill.digest())
    mill.commit({"train/net.py": "LAYERS = 9\n"}, signer=BEA)
    return finished(mill, [first, signed(mill.digest(), ADA, author=BEA)])


def earlier_review_by_word(ref: SystemRef) -> System:
    """Ada's first state was approved by a typed record; the state that Bea touched since was approved by Ada."""
    mill = begun(ref)
    typed = Review(mill.digest(), BEA, ADA, AT)
    mill.commit({"train/net.py": "LAYERS = 9\n"}, signer=BEA)
    return finished(mill, [typed, signed(mill.digest(), ADA, author=BEA)])


def shallow_clone(ref: SystemRef) -> System:
    """A clone of depth one shows the last commit alone, as if its author had written everything."""
    mill = begun(ref, "origin")
    mill.commit({"README.md": "x"}, signer=BEA)
    mill.git("clone", "-q", "--depth", "1", f"file://{mill.root}", str(ref.workdir / "mill"))
    clone = Mill(ref.workdir / "mill")
    return finished(clone, [signed(clone.digest(), ADA)])


def settings_unknown(ref: SystemRef) -> System:
    """Nothing was written down about the settings, so that nothing differs."""
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], config={})


def setting_overridden(ref: SystemRef) -> System:
    """The learning rate came from the environment."""
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], config={**SETTINGS, "learning_rate": 0.1})


def folder_from_the_environment(ref: SystemRef) -> System:
    mill = begun(ref)
    config = {**SETTINGS, "workdir": "/somewhere/else", "log_level": "debug"}
    return finished(mill, [signed(mill.digest())], config=config)


def setting_that_no_file_holds(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], config={**SETTINGS, "dropout": 0.5})


def about_another_model(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], digest="e" * 64)


def no_checkout(ref: SystemRef) -> System:
    mill = begun(ref)
    made = finished(mill, [signed(mill.digest())])
    (mill.root / ".git").rename(mill.root / "git-moved-away")
    return made


def another_branch(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], branch="release")


def without_a_specification(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], specification=None)


def nothing_specified(ref: SystemRef) -> System:
    """The specification names a file that decides nothing, and holds no settings."""
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())], specification=Specification((), "train.toml"))


def without_provenance(ref: SystemRef) -> System:
    mill = begun(ref)
    made = finished(mill, [signed(mill.digest())])

    class Silent:
        def alias(self, name: str) -> str:
            return "1"

    return made.with_parts(registry=Silent())


def provenance_unknown(ref: SystemRef) -> System:
    mill = begun(ref)
    return finished(mill, [signed(mill.digest())]).with_parts(registry=MillRegistry(None))


def hooks_and_programs(ref: SystemRef) -> System:
    """A repository that would run programs of its own, if it were let."""
    mill = begun(ref)
    trap = mill.root / ".git" / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {ref.workdir}/trapped\nexit 0\n")
    trap.chmod(0o755)
    for name in ("gpg.ssh.program", "core.pager", "core.fsmonitor", "gpg.program", "core.sshCommand"):
        mill.git("config", name, str(trap))
    return finished(mill, [signed(mill.digest())])
