"""A client of a socket, within the process."""

import asyncio
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Self

import msgspec

from shoal.errors import ShoalError
from shoal.runtime.asgi import scope
from shoal.runtime.request import Application
from shoal.service import codec

WITHIN = 10.0
"""Seconds after which an answer that has not come will not."""


class SocketClient:
    """Says and hears JSON; within its block the upgrade was accepted, or refused by `status`."""

    def __init__(self, application: Application, target: str, headers: Mapping[str, str]) -> None:
        offered = headers.get("sec-websocket-protocol", "")
        self._scope = {
            **scope("GET", target, headers),
            "type": "websocket",
            "scheme": "ws",
            "subprotocols": [one.strip() for one in offered.split(",") if one],
        }
        del self._scope["method"]
        self._application = application
        self._said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.status = 0
        """101, or that of the refusal."""
        self.subprotocol = ""
        self.refusal: Any = None
        """The problem document."""

    async def __aenter__(self) -> Self:
        """Ask for the upgrade."""
        self._said.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(self._application(self._scope, self._said.get, self._keep))
        first = await self._next()
        if first["type"] == "websocket.accept":
            self.status, self.subprotocol = 101, first.get("subprotocol") or ""
        else:
            self.status = first["status"]
            self.refusal = msgspec.json.decode((await self._next())["body"])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Go, and wait until the service has noticed."""
        self.leave()
        async with asyncio.timeout(WITHIN):
            await self._task

    async def say(self, message: object) -> None:
        """Send a message: anything that is JSON, or a model."""
        self.send_raw(text=codec.encode(message).decode())

    def send_raw(self, **message: object) -> None:
        """Send ``text=`` or ``bytes=`` as it is."""
        self._said.put_nowait({"type": "websocket.receive", **message})

    async def hear(self) -> Any:
        """Return the next message; `ShoalError` when the service closed instead."""
        message = await self._next()
        if message["type"] != "websocket.send":
            raise ShoalError(f"a message was awaited, and the socket closed with {message.get('code')}")
        return msgspec.json.decode(message["text"])

    async def closed(self) -> int:
        """Wait for the end and return its code; what was said before is skipped."""
        while (message := await self._next())["type"] != "websocket.close":
            pass
        return int(message["code"])

    def leave(self) -> None:
        """Hang up."""
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def _keep(self, message: MutableMapping[str, Any]) -> None:
        self._heard.put_nowait(message)

    async def _next(self) -> MutableMapping[str, Any]:
        async with asyncio.timeout(WITHIN):
            return await self._heard.get()
