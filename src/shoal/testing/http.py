"""What tests send and get back."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from shoal.service import codec


class Response(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def trace_id(self) -> str:
        """The trace of the request."""
        return self.headers.get("x-trace-id", "")


class Sender(Protocol):
    """Sends one request through the gateway."""

    async def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Send it and collect the answer."""
        ...


class Client:
    """The usual verbs over a sender."""

    def __init__(self, sender: Sender) -> None:
        self._send = sender

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request; `json` may be anything that is JSON or a model, `token` becomes a bearer token."""
        sent = dict(headers or {})
        body = b""
        if json is not None:
            body = codec.encode(json)
            sent.setdefault("content-type", "application/json")
        if token:
            sent["authorization"] = f"Bearer {token}"
        return await self._send(method, path, sent, body)

    async def get(self, path: str, *, token: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """Send ``GET path``."""
        return await self.request("GET", path, token=token, headers=headers)

    async def post(
        self, path: str, *, json: object = None, token: str = "", headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send ``POST path``."""
        return await self.request("POST", path, json=json, token=token, headers=headers)

    async def put(
        self, path: str, *, json: object = None, token: str = "", headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send ``PUT path``."""
        return await self.request("PUT", path, json=json, token=token, headers=headers)

    async def patch(
        self, path: str, *, json: object = None, token: str = "", headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send ``PATCH path``."""
        return await self.request("PATCH", path, json=json, token=token, headers=headers)

    async def delete(self, path: str, *, token: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """Send ``DELETE path``."""
        return await self.request("DELETE", path, token=token, headers=headers)
