"""A copy of a tree in which the project's own tests run, as it is or with one file changed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.probes import tree_copy

PROCESS = "mltest.run.mutation_process"
_SHELLS = ("sh", "bash", "dash", "zsh")
_SWALLOWS = ("||", "; true", ";true", "; exit 0", "|| true")


@dataclass(frozen=True)
class RunOfTests:
    """One run of some tests. `outcomes` by id; `muted` says of which tests a failure would not count, and why;
    `crashed` names what any execution would have noticed; `loaded` are files of the project that were imported."""

    outcomes: Mapping[str, str]
    muted: Mapping[str, str]
    failed: bool
    crashed: str | None
    timed_out: bool
    failure: str
    loaded: tuple[str, ...]
    libraries: tuple[str, ...]
    seconds: float
    cpu: float


class CopiedTree:
    """Runs tests in the copy, one at a time."""

    def __init__(self, tree: Path, root: Path, process: subprocess.Popen[str], log: Path) -> None:
        self.tree, self.root = tree, root
        self._process, self._log = process, log

    def load(self, libraries: Sequence[str]) -> None:
        """Imports libraries once for all runs to come."""
        self._ask({"load": list(libraries)})

    def run(self, tests: Sequence[str], *, seconds: float, change: tuple[str, str] | None = None) -> RunOfTests:
        """The tests with these ids, with the file `change[0]` (below the root) holding the text `change[1]`.

        Raises PartFailure when the process is gone.
        """
        paths = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        there = [path for path in paths if (self.tree / path).exists()]
        request: dict[str, Any] = {"tests": list(tests), "paths": there, "seconds": seconds}
        if change is not None:
            request |= {"file": change[0], "text": change[1]}
        if not there:
            return RunOfTests({}, {}, False, None, False, f"there is no {', '.join(paths)}", (), (), 0.0, 0.0)
        said = self._ask(request)
        died = said["died"] or said["timed_out"]
        return RunOfTests(
            outcomes=said.get("outcomes", {}),
            muted=said.get("muted", {}),
            failed=died or said["status"] not in (0, 5),
            crashed=said.get("crashed"),
            timed_out=said["timed_out"],
            failure=said.get("failure") or ("" if not died else "the tests did not end in time or died"),
            loaded=tuple(said.get("loaded", ())),
            libraries=tuple(said.get("libraries", ())),
            seconds=said["seconds"],
            cpu=said["cpu"],
        )

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        requests, answers = self._process.stdin, self._process.stdout
        line = ""
        if requests is not None and answers is not None:
            with suppress(BrokenPipeError):
                requests.write(json.dumps(request) + "\n")
                requests.flush()
                line = answers.readline()
        if not line:
            said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise PartFailure(
                f"the process that runs the project's tests died: {said[-1][:300] if said else 'silently'}"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def copied(root: Path, test_command: Sequence[str], workdir: Path) -> Iterator[CopiedTree]:
    """A copy below `workdir`, and a process that runs its tests; both are gone afterwards.

    Raises Withheld when the tree is too large to copy, or when the test command does not call pytest.
    """
    arguments = pytest_arguments(test_command)
    workdir.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="mutation-", dir=workdir)).resolve()
    root, tree = root.resolve(), scratch / "tree"
    try:
        tree_copy.copy(root, tree)
        task = scratch / "task.json"
        paths = _moved_paths(root, tree)
        said = {
            "tree": str(tree),
            "root": str(root),
            "scratch": str(scratch),
            "arguments": arguments,
            "sys_path": paths,
        }
        task.write_text(json.dumps(said), encoding="utf-8")
        with (scratch / "output.log").open("wb") as output:
            process = _started(task, scratch, paths, output)
        try:
            yield CopiedTree(tree, root, process, scratch / "output.log")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def pytest_arguments(test_command: Sequence[str]) -> list[str]:
    """The options that the project gives to pytest; paths, ids and what only spreads the work are left out.

    Raises Withheld when the command does not call pytest in a way that can be followed.
    """
    words = [str(word) for word in test_command]
    if "-c" in words and Path(words[0]).name in _SHELLS:
        words = [part for word in words for part in shlex.split(word)]
    place = next((place for place, word in enumerate(words) if Path(word).name in ("pytest", "py.test")), None)
    if place is None:
        raise Withheld(
            f"the test command {' '.join(words) or '(none)'!r} does not name pytest: give it as a list of words, such "
            "as ('python', '-m', 'pytest')",
            ReasonCode.PART_MISSING,
        )
    ends = (number for number, word in enumerate(words) if number > place and word in ("||", "&&", ";", "|"))
    given, kept = words[place + 1 : next(ends, len(words))], list[str]()
    takes = ("-k", "-m", "-p", "-c", "-o", "-W", "--deselect", "--ignore")
    waiting = iter(given)
    for word in waiting:
        if word in takes:
            kept += [word, next(waiting, "")]
        elif word in ("-n", "--numprocesses", "--dist", "--maxfail", "--durations", "--cov-report"):
            next(waiting, None)
        elif word.startswith("-") and not word.startswith(("-n", "--cov", "--dist", "--junit", "--ml-score", "-x")):
            kept.append(word)
    return kept


def swallowed(test_command: Sequence[str]) -> str | None:
    """What in the command makes a failure look like success; None when nothing does."""
    text = " ".join(str(word) for word in test_command)
    return next((sign for sign in _SWALLOWS if sign in text), None)


def _started(task: Path, scratch: Path, paths: Sequence[str], output: IO[bytes]) -> subprocess.Popen[str]:
    ours = str(Path(__file__).parents[2])
    hidden = ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"PYTHONPATH": os.pathsep.join([*paths, ours]), "TMPDIR": str(scratch)}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-m", PROCESS, str(task)],
        cwd=scratch,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        text=True,
        start_new_session=True,
    )


def _moved_paths(root: Path, tree: Path) -> list[str]:
    """Where imports are looked for, with the copy in the place of the tree; the copy and its `src` come first."""
    first = [str(tree), *([str(tree / "src")] if (tree / "src").is_dir() else [])]
    for entry in sys.path:
        path = Path(entry or os.getcwd()).resolve()
        inside = path.is_relative_to(root) and "site-packages" not in path.parts
        first.append(str(tree / path.relative_to(root)) if inside else str(path))
    return list(dict.fromkeys(first))
