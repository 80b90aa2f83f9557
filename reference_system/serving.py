"""Starts a server as a process of its own on this machine, and makes sure that it stops."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from reference_system import request_log
from reference_system.flight_request import LARGEST_BATCH

SECONDS_TO_START = 120.0
SECONDS_TO_STOP = 10.0
BATCH = min(200, LARGEST_BATCH)
CODE_ROOT = Path(__file__).resolve().parent.parent


class ServingError(RuntimeError):
    """A server that did not start or did not answer; the message carries its last words."""


class Handle:
    """A running server at `url`; leaving the context stops it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, logs: Path) -> None:
        self.url = url
        self._process = process
        self._logs = logs
        self._client = httpx.Client(base_url=url, timeout=30.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answers to raw flight records, in their order. Raises ServingError when one is refused."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(records), BATCH):
            body = {"flights": [dict(record) for record in records[start : start + BATCH]]}
            answers.extend(self._posted("/predict", body)["answers"])
        return answers

    def observe(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Sends raw rows of `flights` or `weather` as a feed would."""
        for start in range(0, len(rows), BATCH):
            self._posted("/events", {table: [dict(row) for row in rows[start : start + BATCH]]})

    def request_log(self, since: datetime | None = None) -> pa.Table:
        """What this server answered for moments from `since` on, with the features as served."""
        return request_log.read(self._logs, since)

    def erase(self, tailnum: str) -> None:
        """Takes the requests for one plane out of the log."""
        self._posted("/erasures", {"tailnum": tailnum})

    def metrics(self) -> str:
        """The server's metrics in Prometheus' text format."""
        return self._client.get("/metrics").raise_for_status().text

    def stop(self) -> None:
        """Stops the server, gently first; safe to call twice."""
        self._client.close()
        _stop(self._process)

    def _posted(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        if answer.is_error:
            raise ServingError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found


def start(
    home: Path,
    workdir: Path,
    *,
    as_of: datetime,
    version: str | None = None,
    data: Path | Mapping[str, pa.Table] | None = None,
    origins: Collection[str] | None = None,
    code: Path | None = None,
) -> Handle:
    """A server of the model `version` (the champion by default) that knows everything before `as_of`.

    `data` is a folder of raw tables or the tables themselves, `workdir` takes a new folder with its logs, `code` is
    the folder that holds the package, by default the one that runs. Returns once it is ready. Raises ServingError.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="server-", dir=workdir.resolve()))
    port_file, logs, output = folder / "port", folder / "requests", folder / "server.log"
    options = ["--home", home.resolve(), "--as-of", as_of.isoformat(), "--port", "0", "--until-stdin-closes"]
    options += ["--port-file", port_file, "--logs", logs]
    if version is not None:
        options += ["--version", version]
    if data is not None:
        options += ["--data", (data if isinstance(data, Path) else saved(data, folder / "raw")).resolve()]
    for origin in origins or ():
        options += ["--origin", origin]
    command = [sys.executable, "-m", "reference_system", "serve", *map(str, options)]
    with output.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command, cwd=code or CODE_ROOT, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        return Handle(process, f"http://127.0.0.1:{_port(process, port_file, output)}", logs)
    except BaseException:
        _stop(process)
        raise


def saved(tables: Mapping[str, pa.Table], folder: Path) -> Path:
    """Writes raw tables to a folder that `raw.load` reads, and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def _port(process: subprocess.Popen[bytes], port_file: Path, output: Path) -> int:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServingError(f"the server ended with status {process.returncode}: {_last_words(output)}")
        if port_file.exists():
            return int(port_file.read_text(encoding="utf-8"))
        time.sleep(0.02)
    raise ServingError(f"the server was not ready within {SECONDS_TO_START:.0f} s: {_last_words(output)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_words(output: Path) -> str:
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
