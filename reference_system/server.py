"""The HTTP face of the service: one flight or many in, arrival times out.

Handlers are coroutines that never wait while they compute, so that one worker of one thread needs no lock and no
queue of threads. Every refusal names its field; nothing that a client sends is echoed.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from reference_system import flight_events, flight_request
from reference_system.body_limit import BodyLimit
from reference_system.encoding import InputError
from reference_system.flight_request import FlightRequest, RequestError
from reference_system.server_metrics import ServerMetrics
from reference_system.service import EtaService

UNPROCESSABLE = 422


def create_app(service: EtaService) -> FastAPI:
    """The application around a service: /predict, /events, /erasures, /health, /ready and /metrics."""
    app = FastAPI(title="Arrival times at push-back", docs_url=None, redoc_url=None)
    metrics = ServerMetrics(service.metadata)
    app.add_middleware(BodyLimit)
    _add_predict(app, service, metrics)
    _add_events(app, service, metrics)
    _add_erasures(app, service, metrics)
    _add_state(app, service, metrics)

    @app.exception_handler(RequestError)
    async def refuse(_request: Request, error: RequestError) -> JSONResponse:
        metrics.refused()
        return JSONResponse({"field": error.field, "message": error.message}, status_code=UNPROCESSABLE)

    @app.exception_handler(Exception)
    async def fail(_request: Request, _error: Exception) -> JSONResponse:
        metrics.failed()
        return JSONResponse({"field": None, "message": "the server failed on this request"}, status_code=500)

    return app


def _add_predict(app: FastAPI, service: EtaService, metrics: ServerMetrics) -> None:
    body = {"content": {"application/json": {"schema": FlightRequest.model_json_schema()}}, "required": True}

    @app.post("/predict", openapi_extra={"requestBody": body})
    async def predict(request: Request) -> Response:
        """One flight, or {"flights": [...]}: arrival instant, minutes p10/p50/p90, version, digest and source."""
        started = time.perf_counter()
        asked, many = flight_request.parse(await request.body())
        try:
            answers = service.predict([flight.model_dump() for flight in asked])
        except InputError as error:
            raise RequestError("body", str(error)) from error
        metrics.answered(answers, time.perf_counter() - started)
        plain = [answer.as_mapping() for answer in answers]
        return JSONResponse({"answers": plain} if many else plain[0])


def _add_events(app: FastAPI, service: EtaService, metrics: ServerMetrics) -> None:
    @app.post("/events")
    async def events(request: Request) -> Response:
        """Raw rows of flights and weather as they become known; accepted from this machine only."""
        if not _is_local(request):
            metrics.refused()
            return JSONResponse({"field": None, "message": "events are taken from this machine only"}, status_code=403)
        taken: dict[str, int] = {}
        for table, rows in flight_events.parse(await request.body()).rows().items():
            service.observe(table, rows)
            metrics.observed(table, len(rows))
            taken[table] = len(rows)
        return JSONResponse(taken)


def _add_erasures(app: FastAPI, service: EtaService, metrics: ServerMetrics) -> None:
    @app.post("/erasures")
    async def erasures(request: Request) -> Response:
        """Takes the requests for the plane {"tailnum": ...} out of the log; accepted from this machine only."""
        if not _is_local(request):
            metrics.refused()
            return JSONResponse({"field": None, "message": "erasures are taken from this machine only"}, 403)
        plain = flight_request.plain_json(await request.body())
        tailnum = plain.get("tailnum") if isinstance(plain, dict) and len(plain) == 1 else None
        if not isinstance(tailnum, str):
            raise RequestError("tailnum", "expected one tail number as text, and nothing beside it")
        return JSONResponse({"erased": service.erase(tailnum)})


def _add_state(app: FastAPI, service: EtaService, metrics: ServerMetrics) -> None:
    info = service.metadata
    until = None if info.trained_until is None else info.trained_until.isoformat()
    state: dict[str, Any] = {"version": info.version, "digest": info.digest, "trained_until": until}

    @app.get("/health")
    async def health() -> Response:
        """Whether the process is alive."""
        return JSONResponse({"status": "alive"})

    @app.get("/ready")
    async def ready() -> Response:
        """Which model answers; the server listens only once model and store are loaded."""
        return JSONResponse({"status": "ready", **state})

    @app.get("/metrics")
    async def exposed() -> Response:
        """Counters and gauges for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _is_local(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
