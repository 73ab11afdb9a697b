"""Read a stream by place, without a consumer (JetStream's direct get of batches, ADR-31)."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shoal.drivers.base import Kept
from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming
from shoal.drivers.nats.mux import Answered, Asking, Mux
from shoal.errors import EngineError, Unavailable

ANSWER_SECONDS = 5.0


class Reader:
    """The reads of one connection."""

    def __init__(self, connection: Connection, mux: Mux) -> None:
        self._connection = connection
        self._mux = mux

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read up to `limit` messages; the server may send fewer, but none only when there is none."""
        subject = f"$JS.API.DIRECT.GET.{stream}"
        page = _Page(subject)
        token = self._mux.enter(page)
        request = msgspec.json.encode({"seq": above + 1, "next_by_subj": ">", "batch": limit})
        try:
            await self._connection.send(subject, request, token=f"{token}0")
            while not page.ended:
                await page.pause(ANSWER_SECONDS, f"NATS did not answer {subject} within {ANSWER_SECONDS:g} s")
        finally:
            self._mux.leave(token)
        return page.messages


class _Page(Asking, Answered):
    """One request and what came of it."""

    def __init__(self, subject: str) -> None:
        super().__init__(subject)
        self.messages: list[Kept] = []
        self.ended = False

    def receive(self, number: str, message: Incoming) -> None:  # noqa: ARG002 - it asks once
        """Take a message, or the end."""
        headers = message.headers or {}
        status = headers.get(wire.STATUS)
        if status is None:
            self.messages.append(_kept(message.data, headers))
        elif status == wire.NO_RESPONDERS:
            self.fail(Unavailable(f"nothing answers at {self.subject}", hint="declare the stream first"))
        elif status in wire.READ:
            self.ended = True
            self.wake()
        else:
            self.fail(EngineError(f"NATS refused {self.subject}: {status} {headers.get(wire.DESCRIPTION, '')}"))


def _kept(data: bytes, headers: dict[str, str]) -> Kept:
    sequence, stream = int(headers[wire.SEQUENCE]), headers[wire.STREAM]
    meta = wire.Metadata(stream, sequence, 0, 0)
    return Kept(
        sequence=sequence,
        at=datetime.fromisoformat(headers[wire.AT]),
        message=wire.message(headers[wire.SUBJECT], meta, data, headers),
    )
