"""Counters and gauges of a server, for Prometheus; every label has a fixed, small set of values."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reference_system.catalogue import FEATURES
from reference_system.runtime import ModelInfo
from reference_system.service import Answer

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class ServerMetrics:
    """The metrics of one server process."""

    def __init__(self, model: ModelInfo) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("eta_requests", "Requests by status class", ["status"], registry=self._registry)
        self._answers = Counter("eta_answers", "Answers by what gave them", ["source"], registry=self._registry)
        self._degraded = Counter(
            "eta_degraded",
            "Answers that lacked a feature or knew no such category",
            ["feature"],
            registry=self._registry,
        )
        self._events = Counter("eta_events", "Rows taken in from feeds", ["table"], registry=self._registry)
        self._seconds = Histogram(
            "eta_answer_seconds", "Time to answer a request", buckets=LATENCY_BUCKETS, registry=self._registry
        )
        self._latest = Gauge("eta_latest_as_of_seconds", "Latest moment answered for", registry=self._registry)
        trained = Gauge("eta_trained_until_seconds", "Last moment of the training data", registry=self._registry)
        if model.trained_until is not None:
            trained.set(model.trained_until.timestamp())
        named = Gauge("eta_model", "The model that serves", ["version"], registry=self._registry)
        named.labels(model.version).set(1)
        for source in ("model", "carry_over"):
            self._answers.labels(source)
        for feature in FEATURES:
            self._degraded.labels(feature.name)

    def answered(self, answers: Sequence[Answer], seconds: float) -> None:
        """Counts a request that was answered."""
        self._requests.labels("2xx").inc()
        self._seconds.observe(seconds)
        for answer in answers:
            self._answers.labels(answer.source).inc()
            for feature in answer.degraded:
                self._degraded.labels(feature).inc()
        self._latest.set(max(answer.as_of.timestamp() for answer in answers))

    def refused(self) -> None:
        """Counts a request that the client has to change."""
        self._requests.labels("4xx").inc()

    def failed(self) -> None:
        """Counts a request that broke the server."""
        self._requests.labels("5xx").inc()

    def observed(self, table: str, rows: int) -> None:
        """Counts rows of a feed."""
        self._events.labels(table).inc(rows)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
