"""Sessions of the server, noted before they are used, so that others end what a dead process left open in them.

A transaction whose client died keeps its documents from everybody for a minute (``transactionLifetimeLimitSeconds``).
So a session is noted with an end, and again while it is used. Whoever finds one past its end kills it, which aborts its
transaction; that takes no rights, since all processes of a service are one user. A process that was only frozen learns
at its commit that the transaction is gone.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from math import inf

from shoal.drivers.mongo.client import NOW, AsyncClientSession, AsyncCollection, Binary, Json, borders
from shoal.errors import EngineError

LIFE = 8.0
"""Seconds for which a session that was noted is left alone; a commit takes far less."""

LOOK = 2.0
"""Seconds between two looks."""

_LATE: Json = {"$expr": {"$lt": ["$until", NOW]}}


class Sessions:
    """The sessions in which a process commits, and a look at those of others."""

    def __init__(self, collection: Callable[[], AsyncCollection[Json]]) -> None:
        self._collection = collection
        self._noted: dict[bytes, float] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Look at others' sessions from now on, also while this process itself waits for what they keep."""
        self._task = self._task or asyncio.create_task(self._watch())

    def close(self) -> None:
        """Look no longer."""
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(EngineError):
                await self.end_late()

    async def note(self, session: AsyncClientSession) -> None:
        """Say that a session is about to be used, unless that was said a moment ago."""
        name, now = session.session_id["id"], time.monotonic()
        if now - self._noted.get(bytes(name), -inf) < LIFE / 2:
            return
        until = {"$add": [NOW, int(LIFE * 1000)]}
        await self._collection().update_one({"_id": name}, [{"$set": {"until": until}}], upsert=True)
        self._noted = {known: at for known, at in self._noted.items() if now - at < LIFE} | {bytes(name): now}

    async def end_late(self) -> None:
        """End the sessions of which nobody has said anything for long, and their transactions with them."""
        sessions = self._collection()
        with borders("looking at sessions"):
            late = [one["_id"] async for one in sessions.find(_LATE, {"_id": 1})]
            if late:
                await sessions.database.command("killSessions", [{"id": Binary.from_uuid(name)} for name in late])
                await sessions.delete_many({"_id": {"$in": late}, **_LATE})
