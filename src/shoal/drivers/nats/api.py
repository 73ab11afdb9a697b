"""Requests to JetStream's own API, such as to describe a stream."""

from typing import TypeVar

import msgspec

from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming
from shoal.drivers.nats.mux import Answered, Asking, Mux, Silence
from shoal.errors import Unavailable

ANSWER_SECONDS = 5.0

A = TypeVar("A", bound=wire.Answer)


class Api:
    """The requests of one connection."""

    def __init__(self, connection: Connection, mux: Mux) -> None:
        self._connection = connection
        self._mux = mux

    async def ask(self, request: str, body: object, kind: type[A], *, within: float = ANSWER_SECONDS) -> A:
        """Send a request below ``$JS.API`` and read its answer.

        Raises:
            Unavailable: There was no answer within so many seconds.
            Undeclared: The server does not let this user ask.
        """
        subject = f"$JS.API.{request}"
        call = _Call(subject)
        token = self._mux.enter(call)
        try:
            data = b"" if body is None else msgspec.json.encode(body)
            await self._connection.send(subject, data, token=f"{token}0")
            while call.answer is None:
                await call.pause(within, f"NATS did not answer {subject} within {within:g} s")
        except Silence:
            await self._connection.doubt()
            raise
        finally:
            self._mux.leave(token)
        return wire.answer(call.answer, kind)


class _Call(Asking, Answered):
    """One request."""

    answer: bytes | None = None

    def receive(self, number: str, message: Incoming) -> None:  # noqa: ARG002 - it asks once
        """Take the answer."""
        if message.headers and message.headers.get(wire.STATUS) == wire.NO_RESPONDERS:
            self.fail(Unavailable("JetStream is off, or starting", hint="enable it, or try again"))
            return
        self.answer = message.data
        self.wake()
