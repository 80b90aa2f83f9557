"""A server in this process: loads model and store, then listens until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn

from reference_system import raw, registry, subjects
from reference_system.online import OnlineStore
from reference_system.registry import CHAMPION, RegistryError
from reference_system.request_log import RequestLog
from reference_system.server import create_app
from reference_system.service import EtaService

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 512
LOG_FOLDER = "requests"


@dataclass(frozen=True)
class ServerOptions:
    """What a server serves and where.

    The store knows everything before `as_of`; `version` None is the champion; port 0 is any free one, which is then
    written to `port_file`. `until_stdin_closes` ties the life of the server to that of the process that started it.
    """

    home: Path
    as_of: datetime
    version: str | None = None
    data: Path | None = None
    origins: Collection[str] | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    port_file: Path | None = None
    logs: Path | None = None
    until_stdin_closes: bool = False


def load_service(options: ServerOptions) -> EtaService:
    """The service that the options describe. Raises RegistryError without a model, DataError without data."""
    known = registry.of_home(options.home)
    version = options.version or known.alias(CHAMPION)
    if version is None:
        raise RegistryError(f"{options.home} has no champion: train one first (python -m reference_system train)")
    predictor = known.load(version)
    store = OnlineStore(raw.load(options.data, origins=options.origins), options.as_of)
    log = RequestLog(options.logs or options.home / LOG_FOLDER)
    return EtaService(predictor, store, log, subjects.key_of(options.home))


def serve(options: ServerOptions) -> None:
    """Serves until SIGTERM, SIGINT or, where asked for, the end of standard input."""
    app = create_app(load_service(options))
    listening = socket.create_server((options.host, options.port), backlog=MOST_CONNECTIONS)
    # asyncio does this only for sockets that name their protocol; without it each answer waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = int(listening.getsockname()[1])
    if options.port_file is not None:
        staged = options.port_file.with_suffix(".staged")
        staged.write_text(str(port), encoding="utf-8")
        staged.replace(options.port_file)
    if options.until_stdin_closes:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    logger.info("serving on http://%s:%d", options.host, port)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=30
    )
    uvicorn.Server(config).run(sockets=[listening])


def _stop_at_end_of_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
