"""The HTTP face, in this process, over a store that knows one number."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from reference_system import body_limit, records, request_log, server
from reference_system.artifact import Artifact
from reference_system.catalogue import FEATURES
from reference_system.flights import departure_instants
from reference_system.request_log import RequestLog
from reference_system.runtime import Predictor
from reference_system.service import EtaService
from tests.reference_system.test_flight_request import FLIGHT


class FixedStore:
    """Every feature is 1, or what the flight itself says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.broken = False

    def columns(self, flights: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        if self.broken:
            raise RuntimeError("secret: the store broke")
        told = {"carrier", "dest", "origin", "distance"}
        values = {item.name: [1.0 if item.dtype == "float" else "1"] * len(flights) for item in FEATURES}
        values |= {name: [flight[name] for flight in flights] for name in told}
        return {**values, "departure_delay": [flight["dep_delay"] for flight in flights]}

    def observe(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.seen.append((table, len(rows)))


@pytest.fixture
def store() -> FixedStore:
    return FixedStore()


@pytest.fixture
def client(trained: Artifact, store: FixedStore, tmp_path: Path) -> TestClient:
    service = EtaService(Predictor.of(trained), store, RequestLog(tmp_path / "requests"))
    return TestClient(server.create_app(service), client=("127.0.0.1", 4711), raise_server_exceptions=False)


def test_an_answer_names_instant_minutes_version_digest_and_source(client: TestClient, trained: Artifact) -> None:
    answer = client.post("/predict", json={**FLIGHT, "dest": "LAX"}).json()
    assert answer["flight_id"] == "2013-11-05-UA-1128-LGA"
    assert answer["as_of"] == "2013-11-06T00:18:00+00:00"
    assert answer["minutes"]["p10"] <= answer["prediction"] == answer["minutes"]["p50"] <= answer["minutes"]["p90"]
    assert (answer["version"], answer["digest"]) == (trained.version, trained.digest)
    assert (answer["source"], answer["degraded"]) == ("model", [])


def test_the_moment_answered_for_is_the_push_back(client: TestClient) -> None:
    moment = departure_instants(records.columns_of_records([FLIGHT]))["pushed_back_at"][0]
    answer = client.post("/predict", json=FLIGHT).json()
    assert pa.scalar(int(moment), pa.timestamp("s", "UTC")).as_py().isoformat() == answer["as_of"]


def test_many_flights_are_answered_in_their_order_like_one_by_one(client: TestClient) -> None:
    flights = [{**FLIGHT, "flight": number, "dep_delay": number} for number in (3, 1, 2)]
    together = client.post("/predict", json={"flights": flights}).json()["answers"]
    alone = [client.post("/predict", json=flight).json() for flight in flights]
    assert [answer["flight_id"] for answer in together] == [answer["flight_id"] for answer in alone]
    assert [answer["prediction"] for answer in together] == pytest.approx([answer["prediction"] for answer in alone])


def test_an_unknown_category_is_answered_and_said(client: TestClient) -> None:
    answer = client.post("/predict", json={**FLIGHT, "dest": "XYZ"}).json()
    assert (answer["source"], answer["degraded"]) == ("model", ["dest"])
    assert 'eta_degraded_total{feature="dest"} 1.0' in client.get("/metrics").text


def test_a_required_feature_that_is_missing_falls_back_and_says_so(client: TestClient, store: FixedStore) -> None:
    known = store.columns
    store.columns = lambda flights: {**known(flights), "distance": [None] * len(flights)}  # type: ignore[method-assign]
    answer = client.post("/predict", json={**FLIGHT, "dest": "LAX"}).json()
    assert (answer["source"], answer["prediction"], answer["degraded"]) == ("carry_over", 0.0, ["distance"])
    assert answer["minutes"]["p10"] is None
    assert 'eta_answers_total{source="carry_over"} 1.0' in client.get("/metrics").text


def test_a_refusal_names_the_field_and_echoes_nothing(client: TestClient) -> None:
    answer = client.post("/predict", json={**FLIGHT, "carrier": "<script>"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "carrier"
    assert "script" not in answer.text
    assert 'eta_requests_total{status="4xx"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize("content", [b"", b"{", b"NaN", b"[1,", b'{"\\ud800": 1}', b"\x1f\x8b\x08", b"[" * 99_999])
def test_no_body_breaks_the_server(client: TestClient, content: bytes) -> None:
    for path in ("/predict", "/events"):
        assert client.post(path, content=content).status_code == 422
    assert client.get("/health").status_code == 200


def test_a_body_beyond_the_limit_is_refused_whether_announced_or_not(client: TestClient) -> None:
    large = b" " * (body_limit.LARGEST_BODY + 1)
    assert client.post("/predict", content=large).status_code == 413
    pieces = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    assert client.post("/predict", content=pieces).status_code == 413
    fits = json.dumps(FLIGHT).encode()
    assert client.post("/predict", content=fits + b" " * (body_limit.LARGEST_BODY - len(fits))).status_code == 200


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "SECONDS_TO_SEND", 0.05)
    sent: list[Message] = []

    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("an unfinished body reached the application")

    async def drip() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def keep(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    asyncio.run(body_limit.BodyLimit(never)(scope, drip, keep))
    assert sent[0]["status"] == 408


def test_a_failure_of_the_server_keeps_its_details_to_itself(client: TestClient, store: FixedStore) -> None:
    store.broken = True
    answer = client.post("/predict", json=FLIGHT)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert 'eta_requests_total{status="5xx"} 1.0' in client.get("/metrics").text


def test_every_answer_is_logged_with_its_features(client: TestClient, tmp_path: Path) -> None:
    answers = [client.post("/predict", json={**FLIGHT, "dep_delay": delay}).json() for delay in (4, 5)]
    log = request_log.read(tmp_path / "requests")
    assert log.column("departure_delay").to_pylist() == [4.0, 5.0]
    assert log.column("prediction").to_pylist() == [answer["prediction"] for answer in answers]


def test_feeds_are_taken_from_this_machine_only(client: TestClient, store: FixedStore) -> None:
    message = {"flights": [FLIGHT]}
    assert client.post("/events", json=message).json() == {"flights": 1, "weather": 0}
    assert store.seen == [("flights", 1), ("weather", 0)]
    stranger = TestClient(client.app, client=("203.0.113.9", 80))
    assert stranger.post("/events", json=message).status_code == 403
    assert len(store.seen) == 2


def test_ready_tells_which_model_answers(client: TestClient, trained: Artifact) -> None:
    ready = client.get("/ready").json()
    assert (ready["status"], ready["version"], ready["digest"]) == ("ready", trained.version, trained.digest)


def test_labels_of_the_metrics_do_not_grow_with_what_clients_send(client: TestClient) -> None:
    client.post("/predict", json=FLIGHT)
    before = {line.split(" ")[0] for line in client.get("/metrics").text.splitlines()}
    for dest in ("QQQ", "ZZZ", "XXX"):
        client.post("/predict", json={**FLIGHT, "dest": dest, "carrier": "ZZ"})
    assert {line.split(" ")[0] for line in client.get("/metrics").text.splitlines()} == before


def test_requests_for_a_plane_are_erased_from_the_log_and_no_others(
    trained: Artifact, store: FixedStore, tmp_path: Path
) -> None:
    log = RequestLog(tmp_path / "requests")
    app = server.create_app(EtaService(Predictor.of(trained), store, log, b"a key"))
    client = TestClient(app, client=("127.0.0.1", 4711), raise_server_exceptions=False)
    for tailnum in ("N14228", "N24211", None):
        assert client.post("/predict", json={**FLIGHT, "tailnum": tailnum}).status_code == 200
    assert "N14228" not in log.path.read_text()
    assert client.post("/erasures", json={"tailnum": "N14228"}).json() == {"erased": 1}
    assert request_log.read(tmp_path / "requests").num_rows == 2
    refused = client.post("/erasures", json={"tailnum": None})
    assert (refused.status_code, refused.json()["field"]) == (422, "tailnum")


def test_erasures_are_taken_from_this_machine_only(trained: Artifact, store: FixedStore, tmp_path: Path) -> None:
    service = EtaService(Predictor.of(trained), store, RequestLog(tmp_path / "requests"), b"a key")
    client = TestClient(server.create_app(service), client=("203.0.113.5", 4711))
    assert client.post("/erasures", json={"tailnum": "N14228"}).status_code == 403
