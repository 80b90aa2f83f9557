"""The project's own tests, run again and again: `python -m mltest.run.mutation_process TASK`.

One process loads pytest and the libraries once; each run is a fork of it, in a copy of the tree, with one file mutated
or none, and ends at the first failure. Requests and answers are lines of JSON on the standard streams. What a fork
leaves running is killed with its process group.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.005


def main() -> int:
    """Answers requests until the input ends."""
    task: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tree, scratch = Path(task["tree"]), Path(task["scratch"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    log = os.open(scratch / "output.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.path[:] = task["sys_path"]
    os.chdir(tree)
    import pytest  # noqa: F401 - loaded once for all forks

    from mltest.run import mutated_tests  # noqa: F401

    _remember_distributions()
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        if "load" in request:
            _load(request["load"])
            answer: dict[str, Any] = {}
        else:
            answer = _answer(request, task, tree, scratch)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return 0


def _load(names: list[str]) -> None:
    """Libraries that the tests turned out to need; one that does not load alone is loaded by the tests themselves.

    Plugins of pytest are among them; that their own assertions are not rewritten then is no matter for a warning.
    """
    from _pytest.assertion.rewrite import AssertionRewritingHook

    if hasattr(AssertionRewritingHook, "_warn_already_imported"):
        AssertionRewritingHook._warn_already_imported = lambda *_: None  # type: ignore[method-assign]
    for name in names:
        with suppress(BaseException):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _remember_distributions() -> None:
    """What is installed is looked up once: pytest reads hundreds of files for it each time that it starts."""
    there = tuple(metadata.distributions())
    every, entry_points = metadata.distributions, metadata.Distribution.entry_points.fget  # type: ignore[attr-defined]

    def distributions(**asked: Any) -> Iterable[metadata.Distribution]:
        return every(**asked) if asked else iter(there)

    module: Any = metadata
    module.distributions = distributions
    module.Distribution.entry_points = property(cache(entry_points))
    for each in there:
        _ = each.entry_points


def _answer(request: Mapping[str, Any], task: Mapping[str, Any], tree: Path, scratch: Path) -> dict[str, Any]:
    result = scratch / "result.json"
    result.unlink(missing_ok=True)
    before = _put(tree, request.get("file"), request.get("text"))
    started, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        child = os.fork()
        if child == 0:
            _child(request, task, result)
        ended = _waited(child, started + request["seconds"])
    finally:
        _put_back(before)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return {
        "timed_out": not ended,
        "died": ended and not result.exists(),
        "seconds": time.perf_counter() - started,
        "cpu": spent.ru_utime + spent.ru_stime - used.ru_utime - used.ru_stime,
        **found,
    }


def _child(request: Mapping[str, Any], task: Mapping[str, Any], result: Path) -> None:
    """Runs the tests in the fork and never returns."""
    with suppress(BaseException):
        os.setsid()
        # A cached file of the mutant would be taken for the original, which has the same age and may have its length.
        sys.dont_write_bytecode = request.get("file") is not None
        from mltest.run import mutated_tests

        mutated_tests.run(request, task, result)
    os._exit(1)


def _waited(child: int, until: float) -> bool:
    """Whether the fork ended in time; whatever is left of its group is killed."""
    ended = False
    while not ended and time.perf_counter() < until:
        ended = os.waitpid(child, os.WNOHANG)[0] == child
        if not ended:
            time.sleep(POLL_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return ended


def _put(tree: Path, file: str | None, text: str | None) -> tuple[Path, bytes, os.stat_result] | None:
    """Writes a mutated file into the copy; what was there comes back for `_put_back`.

    Its time of change differs from that of the original by a minute, so that no cached bytecode passes for it.
    """
    if file is None or text is None:
        return None
    path = tree / file
    kept = path, path.read_bytes(), path.stat()
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(kept[2].st_atime_ns, kept[2].st_mtime_ns + 60_000_000_000))
    return kept


def _put_back(kept: tuple[Path, bytes, os.stat_result] | None) -> None:
    if kept is not None:
        path, content, before = kept
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


if __name__ == "__main__":
    sys.exit(main())
