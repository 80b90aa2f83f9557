"""Times calls side by side, in rounds of random order, so that whatever slows the machine slows all of them.

Wall time decides, since a call that sleeps or waits for a host uses no processor. What is taken off it is the time in
which the call was ready and the processor was given to others, as Linux counts it; where nobody counts it, a call that
was interrupted is made again. The garbage collector rests meanwhile.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

Call = Callable[[], object]

clock_ns: Callable[[], int] = time.perf_counter_ns
"""The clock that times are taken from, in nanoseconds."""

_WHO = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
MOST_ATTEMPTS = 3
"""How often an interrupted call is tried again before its time is taken as it is."""


def times(
    makers: Mapping[str, Callable[[], Call]],
    repetitions: Mapping[str, int],
    rounds: int,
    seed: int,
    seconds: float = float("inf"),
    fewest: int = 3,
) -> dict[str, list[float]]:
    """Microseconds of every call of every arm: in each round an arm is called as often as `repetitions` says (once).

    A maker prepares a call, untimed, on records that no earlier one had. After `seconds` no further round begins, once
    there are `fewest`.
    """
    random = np.random.default_rng((seed, 0x74696D65))
    slots = [name for name in makers for _ in range(repetitions.get(name, 1))]
    taken: dict[str, list[float]] = {name: [] for name in makers}
    until = time.monotonic() + seconds
    with _undisturbed(), _queue() as waited_ns:
        for number in range(rounds):
            if number >= fewest and time.monotonic() > until:
                break
            for position in random.permutation(len(slots)).tolist():
                taken[slots[position]].append(_microseconds(makers[slots[position]], waited_ns))
    return taken


def halves(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Every other value, and the rest: the same against the same, over the same time."""
    return values[::2], values[1::2]


def difference_of_same(values: Sequence[float], least: float = 0.0) -> float:
    """By how much the medians of both halves differ, as a share of the smaller, or of `least` if that is more."""
    first, second = (float(np.median(half)) for half in halves(values))
    scale = max(min(first, second), least)
    return abs(first - second) / scale if scale > 0 else float("inf")


def _microseconds(maker: Callable[[], Call], waited_ns: Callable[[], int] | None) -> float:
    spent = 0.0
    for _ in range(MOST_ATTEMPTS):
        call = maker()
        interrupted = resource.getrusage(_WHO).ru_nivcsw
        waited = 0 if waited_ns is None else waited_ns()
        started = clock_ns()
        call()
        spent = (clock_ns() - started) / 1e3
        if waited_ns is not None:
            return max(0.0, spent - (waited_ns() - waited) / 1e3)
        if resource.getrusage(_WHO).ru_nivcsw == interrupted:
            break
    return spent


@contextmanager
def _queue() -> Iterator[Callable[[], int] | None]:
    """A count of the nanoseconds for which this thread was ready to run and others ran; None where there is none."""
    try:
        descriptor = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        yield lambda: int(os.pread(descriptor, 96, 0).split()[1])
    finally:
        os.close(descriptor)


@contextmanager
def _undisturbed() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
