"""One HTTP request as the runtime sees it, and the small ASGI vocabulary around it."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

import msgspec

from shoal.errors import Problem
from shoal.runtime.envelope import Envelope
from shoal.runtime.trace import Context
from shoal.service.context import Principal, Transaction

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT = 1024 * 1024
"""Largest request body in bytes."""


class Request(msgspec.Struct):
    """What injection reads from."""

    scope: Scope
    headers: dict[bytes, bytes]
    path_values: tuple[str, ...]
    context: Context
    body: Any = None
    principal: Principal | None = None
    transaction: Transaction | None = None
    events: tuple[Envelope, ...] = ()
    """The events at hand, where it is no request."""
    _query: dict[str, list[str]] | None = None

    @property
    def path(self) -> str:
        """Its path."""
        return cast("str", self.scope["path"])

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

    sized: ClassVar[bool] = True
    """Whether its body is known as a whole."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def read_body(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """Read a request's body, or raise 413 when it is larger than `limit` bytes, 400 when the client went away."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and message["type"] == "http.request" and len(body) <= limit:
        return body
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
    for message in messages(response):
        await send(message)


def messages(response: Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """Spell an answer as the two messages of ASGI."""
    body = response.body
    headers = [*response.headers]
    if response.status != 304 and response.sized:  # it would name the length of what is not sent (RFC 9110, 8.6)
        headers.append((b"content-length", b"%d" % len(body)))
    return (
        {"type": "http.response.start", "status": response.status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Spell an author's headers for ASGI; a line break would begin a header of its own (RFC 9110, 5.5)."""
    for name, value in headers.items():
        if not {"\r", "\n", "\0"}.isdisjoint(name + value):
            raise ValueError(f"header {name!r} holds a line break")
    return [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
