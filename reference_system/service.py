"""Answers to flights that push back: features from the online store, quantiles from the model, and a log of both.

An answer never hides what it lacked: `source` says whether the model or the carry-over rule (no minute gained or
lost) gave it, `degraded` names the features that were unknown to the model or missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import numpy as np

from reference_system import flights, records, row_features, subjects
from reference_system.request_log import RequestLog
from reference_system.runtime import Predictor

FeatureValue = float | str | None
Source = Literal["model", "carry_over"]


class FeatureStore(Protocol):
    """Where features of raw flight records come from."""

    def columns(self, flights: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[FeatureValue]]: ...

    def observe(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None: ...


@dataclass(frozen=True)
class Answer:
    """The answer to one flight.

    `prediction` is the median of the minutes gained (negative) or lost from gate to gate, `p10` and `p90` bound it;
    `eta` is push-back plus scheduled elapsed time plus prediction, None where the destination is unknown.
    """

    flight_id: str
    as_of: datetime
    eta: datetime | None
    prediction: float
    p10: float | None
    p90: float | None
    version: str
    digest: str
    source: Source
    degraded: tuple[str, ...]

    def as_mapping(self) -> dict[str, Any]:
        """Plain JSON data, instants as ISO text in UTC."""
        return {
            "flight_id": self.flight_id,
            "as_of": self.as_of.isoformat(),
            "eta": None if self.eta is None else self.eta.isoformat(),
            "prediction": self.prediction,
            "minutes": {"p10": self.p10, "p50": self.prediction, "p90": self.p90},
            "version": self.version,
            "digest": self.digest,
            "source": self.source,
            "degraded": list(self.degraded),
        }


class EtaService:
    """One model over one store; not for use from several threads at once."""

    def __init__(
        self, predictor: Predictor, store: FeatureStore, log: RequestLog | None = None, key: bytes = b""
    ) -> None:
        """`key` keeps secret which plane a line of the log speaks of; without one no line says it."""
        self._predictor = predictor
        self._store = store
        self._log = log
        self._key = key
        encoding = predictor.encoding
        self._vocabularies = {column.name: frozenset(column.vocabulary) for column in encoding.categories}
        self._required = [column.name for column in encoding.numbers if not column.nullable]
        self._required += [column.name for column in encoding.categories if not column.nullable]
        self.metadata = predictor.metadata

    def predict(self, asked: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answers to raw flight records, in their order, each as of its own push-back."""
        columns = self._store.columns(asked)
        features = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        quantiles = self._predictor.quantiles_of(features)
        known = records.columns_of_records(asked)
        moments = flights.departure_instants(known)["pushed_back_at"].tolist()
        names = row_features.flight_ids(known).tolist()
        answers = [
            self._answer(name, moment, values, row)
            for name, moment, values, row in zip(names, moments, features, quantiles, strict=True)
        ]
        self._write(answers, features, asked)
        return answers

    def observe(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Takes in raw rows of `flights` or `weather` as they become known."""
        self._store.observe(table, rows)

    def erase(self, tailnum: str) -> int:
        """Takes the requests for one plane out of the log, and returns how many there were."""
        subject = subjects.pseudonym(self._key, tailnum) if self._key else None
        return self._log.erase(subject) if self._log is not None and subject is not None else 0

    def _answer(self, name: str, moment: float, features: Mapping[str, FeatureValue], quantiles: np.ndarray) -> Answer:
        answered = bool(np.isfinite(quantiles).all())
        low, middle, high = (float(value) for value in quantiles) if answered else (math.nan, 0.0, math.nan)
        as_of = datetime.fromtimestamp(moment, UTC)
        scheduled = features.get("scheduled_elapsed")
        eta = as_of + timedelta(minutes=float(scheduled) + middle) if scheduled is not None else None
        return Answer(
            flight_id=name,
            as_of=as_of,
            eta=eta,
            prediction=middle,
            p10=low if answered else None,
            p90=high if answered else None,
            version=self.metadata.version,
            digest=str(self.metadata.digest),
            source="model" if answered else "carry_over",
            degraded=self._degraded(features),
        )

    def _degraded(self, features: Mapping[str, FeatureValue]) -> tuple[str, ...]:
        unknown = {name for name, words in self._vocabularies.items() if features[name] not in words}
        missing = {name for name in self._required if features[name] is None}
        return tuple(sorted(unknown | missing))

    def _write(
        self,
        answers: Sequence[Answer],
        features: Sequence[Mapping[str, FeatureValue]],
        asked: Sequence[Mapping[str, Any]],
    ) -> None:
        if self._log is None:
            return
        self._log.write(
            [
                {
                    "flight_id": answer.flight_id,
                    "as_of": answer.as_of,
                    "version": answer.version,
                    "source": answer.source,
                    "prediction": answer.prediction,
                    "p10": answer.p10,
                    "p90": answer.p90,
                    "subject": subjects.pseudonym(self._key, flight.get("tailnum")) if self._key else None,
                    **values,
                }
                for answer, values, flight in zip(answers, features, asked, strict=True)
            ]
        )
