"""Serve a stream as server-sent events (HTML, 9.2): heartbeats, resumption, an end in order."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, ClassVar, cast

from shoal.errors import Problem
from shoal.runtime.endpoint import Endpoint
from shoal.runtime.problems import render, to_problem
from shoal.runtime.request import Receive, Request, Response, Send
from shoal.service import codec
from shoal.service.streams import Update

FIRST = 1.0
"""Seconds for which the status waits for the first event, so that a refusal is still one."""

HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]

BEGIN = b"retry: 1000\n\n"
"""Milliseconds after which a browser comes back when the stream ends."""

PULSE = b": \n\n"

_log = logging.getLogger("shoal.streams")


class Flow(Response, frozen=True):
    """An answer that goes on."""

    sized: ClassVar[bool] = False
    run: Callable[[Send, Receive], Any]
    """Sends everything behind the status and the headers."""


class StreamEndpoint(Endpoint):
    """Serves one stream."""

    async def _work(self, request: Request, _: Receive) -> Response:
        """Begin the stream; what it refuses before its first event is an answer of its own."""
        updates = cast("AsyncGenerator[Any, None]", self._handler(**self._plan.arguments(request)))
        first = asyncio.ensure_future(anext(updates, None))
        try:
            await asyncio.wait({first}, timeout=min(FIRST, request.context.budget.remaining()))
            if first.done():
                first.result()
        except BaseException:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await updates.aclose()
            raise
        last = request.headers.get(b"last-event-id", b"").decode("utf-8", "replace")

        async def may() -> bool:
            try:
                await self._authorize(request)
            except Problem:
                return False
            return True

        async def run(send: Send, receive: Receive) -> None:
            flow = _Running(updates, first, last, may)
            stream = self.operation.edge.stream
            leaving = self._around.leaving
            if stream is not None and leaving is not None:
                await flow.run(send, receive, leaving, (stream.heartbeat, request.context.budget.remaining))

        return Flow(200, list(HEADERS), b"", run)


class _Running:
    """One stream under way."""

    def __init__(
        self,
        updates: AsyncGenerator[Any, None],
        first: "asyncio.Future[Any]",
        last: str,
        may: Callable[[], Awaitable[bool]],
    ) -> None:
        self._updates, self._next, self._last, self._may = updates, first, last, may

    async def run(
        self, send: Send, receive: Receive, leaving: asyncio.Event, pace: tuple[float, Callable[[], float]]
    ) -> None:
        """Send events until the generator, the client, the process, the time or the client's right to them ends.

        The next event is asked for when the one before has been taken: a slow client slows its own generator.
        """
        gone, left = asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(leaving.wait())
        try:
            await send(_part(BEGIN))
            while not (gone.done() or left.done()) and (remaining := pace[1]()) > 0:
                waited = {self._next, gone, left}
                await asyncio.wait(waited, timeout=min(pace[0], remaining), return_when=asyncio.FIRST_COMPLETED)
                if not await self._may():
                    break
                if self._next.done():
                    if not await self._told(send):
                        break
                elif pace[1]() > 0 and not (gone.done() or left.done()):
                    await send(_part(PULSE))
        finally:
            for task in (self._next, gone, left):
                task.cancel()
            await asyncio.gather(self._next, gone, left, return_exceptions=True)
            await self._updates.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _told(self, send: Send) -> bool:
        """Send the event at hand and ask for the next; False when there is none."""
        try:
            update = self._next.result()
            told = b"" if update is None else spell(update)
        except Exception as error:  # noqa: BLE001 - the border: the status is already sent
            _log.exception("a stream failed")
            await send(_part(b"event: problem\ndata: " + render(to_problem(error), "") + b"\n\n"))
            return False
        if update is None:
            return False
        if not (self._last and update.id == self._last):
            await send(_part(told))
        self._last = ""
        self._next = asyncio.ensure_future(anext(self._updates, None))
        return True


def spell(update: Update[Any]) -> bytes:
    """Write one event; its data is JSON, which has no line breaks."""
    for text in (update.id, update.event):
        if not {"\r", "\n", "\0"}.isdisjoint(text):
            raise ValueError(f"{text!r} cannot be the id or the kind of an event: it holds a line break")
    head = (f"id: {update.id}\n" if update.id else "") + (f"event: {update.event}\n" if update.event else "")
    return head.encode() + b"data: " + codec.encode(update.data) + b"\n\n"


def _part(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
