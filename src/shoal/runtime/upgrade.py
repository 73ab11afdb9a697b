"""An upgrade to a WebSocket as the request that it begins as: its refusals are answers, status 101 accepts it."""

from collections.abc import MutableMapping
from typing import Any

from shoal.model.sockets import BEARER, PROTOCOL
from shoal.runtime.request import Scope, Send

SUBPROTOCOL = b"sec-websocket-protocol"


def is_upgrade(scope: Scope) -> bool:
    """Tell whether an ASGI scope is that of a WebSocket."""
    return bool(scope["type"] == "websocket")


def as_request(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Give an upgrade the method and the credential that it has, and translate the messages of its answer.

    Its method is that of RFC 6455, 4.1. A token that is offered as a subprotocol counts as a header; one header of its
    own comes first.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    tokens = [offer.removeprefix(BEARER) for offer in _offered(headers) if offer.startswith(BEARER)]
    if tokens:
        headers = {b"authorization": f"Bearer {tokens[0]}".encode("latin-1"), **headers}

    async def told(message: MutableMapping[str, Any]) -> None:
        await send(_translated(message))

    return {**scope, "method": "GET", "headers": [*headers.items()]}, told


def _translated(message: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if message["type"] == "http.response.body":
        return {**message, "type": "websocket.http.response.body"}
    if message["type"] != "http.response.start":
        return message
    if message["status"] != 101:
        return {**message, "type": "websocket.http.response.start"}
    headers = [(name, value) for name, value in message["headers"] if name not in (b"content-length", SUBPROTOCOL)]
    chosen = dict(message["headers"]).get(SUBPROTOCOL)
    return {"type": "websocket.accept", "subprotocol": chosen and chosen.decode(), "headers": headers}


def chosen(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Choose our subprotocol where it is offered; a token among the others is not repeated."""
    return [(SUBPROTOCOL, PROTOCOL.encode())] if PROTOCOL in _offered(headers) else []


def _offered(headers: dict[bytes, bytes]) -> list[str]:
    return [offer.strip() for offer in headers.get(SUBPROTOCOL, b"").decode("latin-1").split(",")]
