"""One HTTP request as the runtime sees it, and the small ASGI vocabulary around it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from shoal.errors import Problem
from shoal.runtime.trace import Context
from shoal.service.context import Principal, Transaction

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT = 1024 * 1024
"""Largest request body in bytes."""


class Request:
    """What injection reads from."""

    __slots__ = (
        "_query",
        "body",
        "context",
        "headers",
        "path",
        "path_values",
        "principal",
        "scope",
        "transaction",
    )

    def __init__(
        self, scope: Scope, headers: dict[bytes, bytes], path_values: tuple[str, ...], context: Context
    ) -> None:
        self.scope = scope
        self.headers = headers
        self.path: str = scope["path"]
        self.path_values = path_values
        self.context = context
        self.body: Any = None
        self.principal: Principal | None = None
        self.transaction: Transaction | None = None
        self._query: dict[str, list[str]] | None = None

    def query(self) -> dict[str, list[str]]:
        """Parse the query string, once."""
        if self._query is None:
            try:
                self._query = parse_qs(
                    self.scope["query_string"].decode("ascii"), keep_blank_values=True, max_num_fields=100
                )
            except ValueError as error:
                raise Problem(400, "malformed-query", str(error)) from error
        return self._query


class Response(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def read_body(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """Read a request's body, or raise 413 when it is larger than `limit` bytes, 400 when the client went away."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and message["type"] == "http.request":
        return _within(body, limit)
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            break
    if message["type"] == "http.disconnect":
        raise Problem(400, "incomplete-body", "the connection ended within the body")
    return _within(b"".join(chunks), limit)


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise Problem(413, "body-too-large", f"a body may have {limit} bytes")
    return body


async def send_response(send: Send, response: Response) -> None:
    """Send an answer."""
    length = (b"content-length", str(len(response.body)).encode())
    await send({"type": "http.response.start", "status": response.status, "headers": [*response.headers, length]})
    await send({"type": "http.response.body", "body": response.body})
