"""What came back from trainings in separate processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from mltest.probes.row_digests import Digests
from mltest.probes.surroundings import Surroundings

FEWEST_ROWS = 200
"""Labelled training rows below which two models may agree because there is nothing to learn."""


@dataclass(frozen=True)
class Trained:
    """One training: `answers` are its predictions of the judged rows, shape (rows,) or (rows, classes).

    `given_back` are files outside its folders that hold the model that it gave, and whether they are older than it.
    """

    seed: int
    answers: npt.NDArray[Any]
    digest: str
    metrics: Mapping[str, float]
    seconds: float
    given_back: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class ProcessResult:
    """What one process saw: a digest of every training row in the order of reading, and its trainings.

    `learned` rows were handed to training, of which `labelled` have a target; below `FEWEST_ROWS` of them nothing is
    trained. `seen` is the share of the judged rows that are training rows. `raised` is what the system raised, if it
    did; there are no trainings then, and no digests if it could not even be read. `written` are files that its
    trainings wrote outside its folders.
    """

    surroundings: Surroundings
    row_digests: Digests
    learned: int
    labelled: int
    seen: float
    trainings: tuple[Trained, ...]
    raised: str | None = None
    written: frozenset[str] = frozenset()

    def of_seed(self, seed: int) -> Trained:
        """The training with that seed."""
        return next(trained for trained in self.trainings if trained.seed == seed)


@dataclass(frozen=True)
class Retraining:
    """All trainings of one probe, the first seed in each of the three processes."""

    usual: ProcessResult
    elsewhere: ProcessResult
    threaded: ProcessResult
    seed: int
    shortened: Mapping[str, Any]

    @property
    def processes(self) -> tuple[ProcessResult, ...]:
        return (self.usual, self.elsewhere, self.threaded)

    @property
    def read_back(self) -> tuple[str, ...]:
        """Files by which the other process and the two others hand a model to each other, or an earlier run to it."""
        there, here = self.elsewhere, (self.usual, self.threaded)
        handed = {path for process in here for path in process.written}
        got = [p for t in there.trainings for p, older in t.given_back.items() if older or p in handed]
        back = [p for process in here for t in process.trainings for p in t.given_back if p in there.written]
        return tuple(sorted({*got, *back}))

    @property
    def other_seeds(self) -> tuple[Trained, ...]:
        """Trainings with other seeds, all in usual surroundings or in those with other threads."""
        return tuple(t for process in self.processes for t in process.trainings if t.seed != self.seed)

    def table(self) -> str:
        """Every training with where it ran and how long it took, as JSON for the report."""
        return json.dumps(
            [
                {
                    "process": process.surroundings.name,
                    "threads": process.surroundings.threads,
                    "differs in": process.surroundings.differences,
                    "seed": trained.seed,
                    "rows": process.learned,
                    "seconds": round(trained.seconds, 2),
                    "shortened": ", ".join(f"{key}={value}" for key, value in self.shortened.items()) or "no",
                    "artifact": trained.digest[:12],
                }
                for process in self.processes
                for trained in process.trainings
            ]
        )
