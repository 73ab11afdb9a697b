"""Says of each request whether its caller's buckets have a token left."""

import asyncio
import time
from pathlib import Path

from shoal.drivers.valkey.link import Link
from shoal.errors import EngineError, Unavailable
from shoal.local import grpc
from shoal.local.limiter import bucket, messages
from shoal.local.limiter.messages import Entry, Question, Status
from shoal.local.limiter.settings import Limits, Settings

SLOW = 0.08
"""Seconds after which a question that is taken back was not answered in time; before, its client may have gone."""


class Limiter:
    """Counts in one Valkey."""

    def __init__(self, settings: Settings) -> None:
        self._link = Link(settings.door)
        self._limits = Limits(Path(settings.limits))
        self._away = ""

    async def should_rate_limit(self, data: bytes) -> bytes:
        """Answer one question; raises `grpc.Failed` where it cannot be counted: Envoy then lets the request pass."""
        try:
            question = messages.question(data)
        except ValueError as error:
            raise grpc.Failed("invalid", str(error)) from error
        began = time.monotonic()
        try:
            statuses = [await self._take(question, entries) for entries in question.descriptors]
        except EngineError as error:
            self._tell(str(error) or "away")
            code: grpc.Code = "unavailable" if isinstance(error, Unavailable) else "internal"
            raise grpc.Failed(code, str(error)) from error
        except asyncio.CancelledError:
            if time.monotonic() - began >= SLOW:
                self._tell("Valkey has not replied in time")
            raise
        self._tell("")
        return messages.answer(tuple(statuses))

    async def close(self) -> None:
        """Leave Valkey."""
        await self._link.close()

    async def _take(self, question: Question, entries: tuple[Entry, ...]) -> Status:
        operation = entries[0][1] if entries else ""
        limit = self._limits.of(operation)
        if limit is None:
            raise grpc.Failed("not-found", f"no limit is known of operation {operation!r}")
        return await bucket.take(self._link, question, entries, limit)

    def _tell(self, away: str) -> None:
        """Write into the log when counting stops, and when it goes on."""
        if bool(away) != bool(self._away):
            said = f"not counting: {away}; each gateway limits for itself" if away else "counting again"
            print(said, flush=True)  # noqa: T201 - its log
        self._away = away


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Answer until told to stop."""
    limiter = Limiter(settings)
    server = await grpc.serve(Path(settings.listen), {messages.METHOD: limiter.should_rate_limit})
    print(f"takes questions at {settings.listen}", flush=True)  # noqa: T201 - its log
    await stop.wait()
    server.close()
    await limiter.close()
