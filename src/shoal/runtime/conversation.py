"""One WebSocket under way: what is heard, what is said, and with which code it ends (RFC 6455, 7.4)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from shoal.errors import Disconnected, Problem
from shoal.model.sockets import Socket
from shoal.runtime.problems import to_problem
from shoal.runtime.request import Receive, Send
from shoal.service import codec

AHEAD = 8
"""Messages that are read before the handler takes them; a client that says more is not read meanwhile."""

GRACE = 5.0
"""Seconds in which a handler may finish when its client goes, or the process is about to."""

REASON = 123
"""Bytes of a close frame's reason (RFC 6455, 5.5)."""

_log = logging.getLogger("shoal.sockets")


class Close(msgspec.Struct, frozen=True):
    """How a conversation ends."""

    code: int
    reason: str = ""

    def message(self) -> dict[str, Any]:
        """Spell it for ASGI."""
        reason = self.reason.encode()[:REASON].decode("utf-8", "ignore")
        return {"type": "websocket.close", "code": self.code, "reason": reason}


DONE = Close(1000)
LEAVING = Close(1001, "the server is going away")
IDLE = Close(1001, "nobody said anything")
OVER = Close(1001, "the time is over")
BINARY = Close(1003, "send JSON as text")
EXPIRED = Close(1008, "the token has expired")
RATE = Close(1008, "too many messages")
LARGE = Close(1009, "a message is too large")
FAILED = Close(1011, "the failure was recorded")

Bound = tuple[Callable[[], float], Close]
"""Seconds that are left, and what then ends it."""


class Conversation:
    """Implements `shoal.Socket` for one client."""

    def __init__(self, reader: codec.Codec[Any], rule: Socket) -> None:
        self.asked = asyncio.Event()
        """Set when the handler first reads or sends."""
        self._reader, self._rule = reader, rule
        self._opened = asyncio.Event()
        self._room = asyncio.Semaphore(AHEAD)
        self._heard: asyncio.Queue[list[Any]] = asyncio.Queue()  # a list of one message; an empty one at the end
        self._send: Send | None = None
        self._gone = self._over = False
        self._now = asyncio.get_running_loop().time
        self._spoke = self._counted = self._now()
        self._allowed = max(1.0, rule.rate)

    def __aiter__(self) -> "Conversation":
        """Iterate over what the client says."""
        return self

    async def __anext__(self) -> Any:
        """Return the next message."""
        await self._open()
        found = [] if self._over else await self._heard.get()
        if not found:
            self._over = True
            raise StopAsyncIteration
        self._room.release()
        return found[0]

    async def send(self, message: object) -> None:
        """Send a message; wait while the client is slow."""
        send = await self._open()
        text = codec.encode(message).decode()
        try:
            if self._gone:
                raise ConnectionError
            await send({"type": "websocket.send", "text": text})
        except OSError as error:
            raise Disconnected("a message was sent to a client that has gone") from error
        self._spoke = self._now()

    async def _open(self) -> Send:
        self.asked.set()
        await self._opened.wait()
        if self._send is None:
            raise RuntimeError("unreachable: it is opened with it")
        return self._send

    async def run(
        self,
        wires: tuple[Send, Receive],
        working: "asyncio.Future[None]",
        leaving: asyncio.Event,
        bounds: tuple[Bound, ...],
    ) -> None:
        """Converse until the handler, the client, the process or a bound ends it."""
        self._send, self._spoke = wires[0], self._now()
        self._opened.set()
        listening, left = asyncio.ensure_future(self._listen(wires[1])), asyncio.ensure_future(leaving.wait())
        try:
            close = await self._until(working, listening, left, (*bounds, (self._silence, IDLE)))
            self._gone = True
        finally:
            for task in (working, listening, left):
                task.cancel()
            await asyncio.gather(working, listening, left, return_exceptions=True)
        if close is not None:
            await wires[0](close.message())

    async def _until(
        self,
        working: "asyncio.Future[None]",
        listening: "asyncio.Future[Close | None]",
        left: "asyncio.Future[Any]",
        bounds: tuple[Bound, ...],
    ) -> Close | None:
        """Wait for the end; None where the client ended it."""
        while True:
            nearest = min(remaining() for remaining, _ in bounds)
            waited: set[asyncio.Future[Any]] = {working, listening, left}
            await asyncio.wait(waited, timeout=nearest, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return _outcome(working)
            if listening.done():
                self._gone = listening.result() is None
                if self._gone:
                    await self._finish(working)
                return listening.result()
            if left.done():
                listening.cancel()
                await self._finish(working)
                return LEAVING
            for remaining, close in bounds:
                if remaining() <= 0:
                    return close

    async def _finish(self, working: "asyncio.Future[None]") -> None:
        """Let the handler take what was heard, and go."""
        self._heard.put_nowait([])
        await asyncio.wait({working}, timeout=GRACE)
        if working.done():
            _outcome(working)

    def _silence(self) -> float:
        return self._spoke + self._rule.idle - self._now()

    async def _listen(self, receive: Receive) -> Close | None:
        """Read what the client says, as far as the handler follows; return why it is to be ended."""
        await receive()  # that there is one
        while True:
            await self._room.acquire()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return None
            self._spoke = self._now()
            text = message.get("text")
            if text is None:
                return BINARY
            refused = self._measure(body := text.encode())
            if refused is not None:
                return refused
            try:
                self._heard.put_nowait([self._reader.decode(body)])
            except codec.Malformed as error:
                return Close(1007, str(error))

    def _measure(self, body: bytes) -> Close | None:
        """Hold a message to its size, and the client to its rate."""
        rate, now = self._rule.rate, self._now()
        self._allowed = min(max(1.0, rate), self._allowed + (now - self._counted) * rate) - 1
        self._counted = now
        if self._allowed < 0:
            return RATE
        return LARGE if len(body) > self._rule.largest else None


def _outcome(working: "asyncio.Future[None]") -> Close | None:
    """Choose the code for how a handler ended."""
    if working.cancelled():
        return FAILED
    error = working.exception()
    if error is None:
        return DONE
    if isinstance(error, Disconnected):
        return None
    if not isinstance(error, Exception):
        raise error
    problem = to_problem(error)
    if isinstance(error, Problem) and problem.status < 500:
        return Close(1008, problem.code)
    _log.error("a socket failed: %s", error, exc_info=error)
    return FAILED
