"""Bounds what one client can cost a server: bytes of a body and seconds to send it."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1_000_000
LARGEST_DISCARDED = 8_000_000
SECONDS_TO_SEND = 5.0


class BodyLimit:
    """ASGI middleware: 413 beyond `LARGEST_BODY` bytes, 408 for a body not sent within `SECONDS_TO_SEND`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(SECONDS_TO_SEND):
                body = await _whole(receive)
        except TimeoutError:
            await _refusal(408, "the body was not sent in time")(scope, receive, send)
            return
        if body is None:
            await _refusal(413, f"the body is larger than {LARGEST_BODY} bytes")(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)


async def _whole(receive: Receive) -> bytes | None:
    """The body, or None when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        # Reading on for a while lets a client finish sending and see the refusal instead of a broken connection.
        if size > LARGEST_DISCARDED or not message.get("more_body", False):
            return b"".join(parts) if size <= LARGEST_BODY else None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A receive channel that gives the body once and is the real one afterwards."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"field": "body", "message": message}, status_code=status, headers={"connection": "close"})
