"""Serve a socket: refuse before the upgrade what is refused, then converse."""

import asyncio
from typing import Any

from shoal.errors import Problem
from shoal.runtime.conversation import EXPIRED, OVER, Bound, Conversation
from shoal.runtime.endpoint import Endpoint, Surroundings
from shoal.runtime.metrics.registry import Series
from shoal.runtime.request import Receive, Request, Response, Send
from shoal.runtime.streaming import Flow
from shoal.runtime.upgrade import chosen, is_upgrade
from shoal.service import codec
from shoal.service.conversing import messages
from shoal.service.declare import EndpointDeclaration
from shoal.service.signature import Signature

HANDSHAKE = 10.0
"""Seconds in which a handler must accept or refuse."""


class SocketEndpoint(Endpoint):
    """Serves one socket."""

    def __init__(
        self, declared: EndpointDeclaration, signature: Signature, around: Surroundings, series: Series
    ) -> None:
        super().__init__(declared, signature, around, series)
        said = messages(signature)
        self._messages: codec.Codec[Any] = codec.Codec(Any if said is None else said[0])

    async def _work(self, request: Request, _: Receive) -> Response:
        """Begin the conversation; what the handler refuses before it reads or sends is an answer of its own."""
        rule, leaving = self.operation.edge.socket, self._around.leaving
        if not is_upgrade(request.scope):
            raise Problem(426, "upgrade-required", "open a WebSocket here", headers={"Upgrade": "websocket"})
        if rule is None or leaving is None:
            raise RuntimeError("unreachable: compiled for sockets, within a host")
        if leaving.is_set():
            raise Problem(503, "unavailable", "try again shortly", headers={"Retry-After": "1"})
        talk = Conversation(self._messages, rule)
        request.body = talk
        working = asyncio.ensure_future(self._handler(**self._plan.arguments(request)))
        await _accepted(talk, working, min(HANDSHAKE, request.context.budget.remaining()))
        bounds = self._bounds(request)

        async def run(send: Send, receive: Receive) -> None:
            await talk.run((send, receive), working, leaving, bounds)

        return Flow(101, chosen(request.headers), b"", run)

    def _bounds(self, request: Request) -> tuple[Bound, ...]:
        """List when it ends at the latest: its own time, and that of the token."""
        mine: Bound = (request.context.budget.remaining, OVER)
        expires = None if request.principal is None else request.principal.claims.get("exp")
        clock = self._around.clock
        if clock is None or not isinstance(expires, int | float):
            return (mine,)
        ends = float(expires)
        return mine, (lambda: ends - clock.now().timestamp(), EXPIRED)


async def _accepted(talk: Conversation, working: "asyncio.Future[None]", within: float) -> None:
    """Wait until the handler accepts; raise what it refuses with."""
    asked = asyncio.ensure_future(talk.asked.wait())
    waited: set[asyncio.Future[Any]] = {working, asked}
    try:
        async with asyncio.timeout(within):
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    except BaseException:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise
    finally:
        asked.cancel()
