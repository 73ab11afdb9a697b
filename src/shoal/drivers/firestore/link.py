"""Questions to one database of Firestore, over its REST interface, and what its answers mean."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from shoal.drivers.base.observing import Asking
from shoal.drivers.base.rest import Reply, Rest
from shoal.drivers.firestore.address import FirestoreAddress
from shoal.drivers.firestore.values import Json
from shoal.drivers.google.identity import bearer
from shoal.errors import EngineError, TooLarge, Unavailable, Unstorable

SECONDS = 20.0
"""For one answer."""

LARGEST = 10 * 1024 * 1024
"""Bytes of a request that Firestore takes."""

_ANSWER = 256 * 1024 * 1024
_MANY = 300
"""Documents that are asked for at a time."""

_COLLIDED = frozenset({"ABORTED", "ALREADY_EXISTS", "FAILED_PRECONDITION", "NOT_FOUND"})
_BUSY = frozenset({"RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED"})


class Collided(Exception):
    """Say that nothing was written, because a document was not as it was demanded, or others were in the way."""


class Seen(NamedTuple):
    """What a look at documents found."""

    documents: dict[str, Json]
    """Those that there are, by their names in full."""
    at: datetime
    """When that was, by Firestore's clock."""


class Link:
    """A client of one database."""

    def __init__(self, address: FirestoreAddress) -> None:
        self._address = address
        self._rest = Rest("Firestore", seconds=SECONDS, largest=_ANSWER)
        self._bearer = None if address.emulated else bearer(self._rest)

    def path(self, collection: str, name: str) -> str:
        """Write a document's name in full."""
        return f"{self._address.database}/documents/{collection}/{name}"

    async def close(self) -> None:
        """Let go of every connection."""
        await self._rest.close()

    async def look(self, paths: Sequence[str]) -> Seen:
        """Read documents by name; many of them in several questions."""
        parts = [paths[first : first + _MANY] for first in range(0, len(paths), _MANY)]
        answers = await asyncio.gather(*(self.ask("batchGet", {"documents": [*part]}) for part in parts))
        found = [one for answer in answers for one in answer]
        documents = {one["found"]["name"]: one["found"] for one in found if "found" in one}
        return Seen(documents, min(datetime.fromisoformat(one["readTime"]) for one in found))

    async def query(self, query: Json) -> list[Json]:
        """Read documents that match, as one moment had them."""
        answer = await self.ask("runQuery", {"structuredQuery": query})
        return [one["document"] for one in answer if "document" in one]

    async def write(self, writes: Sequence[Json]) -> list[Json]:
        """Do everything or nothing; raises `Collided`."""
        answer = await self.ask("commit", {"writes": [*writes]})
        return list(answer.get("writeResults", ()))

    async def ask(self, verb: str, body: Json) -> Any:
        """Ask for one operation.

        Raises:
            Collided: A document was not as demanded, or others were in the way.
            TooLarge: It is more than Firestore takes at a time; nothing was asked.
            Unstorable: A document cannot be held.
            Unavailable: There was no answer, or not now.
            EngineError: It was refused.
        """
        sent = msgspec.json.encode(body)
        if len(sent) > LARGEST:
            raise TooLarge(
                f"a transaction has {len(sent)} bytes, and Firestore commits {LARGEST} at most; nothing was done",
                hint="write less in one transaction, and keep what is large in an object store",
            )
        headers = {"content-type": "application/json", **await self._credentials()}
        url = f"{self._address.place}/v1/{self._address.database}/documents:{verb}"
        with Asking("gcp.firestore", verb):
            reply = await self._rest.ask("POST", url, headers, sent)
            if reply.status != 200:
                raise self._explained(verb, reply)
        return reply.read()

    async def _credentials(self) -> dict[str, str]:
        return {"authorization": "Bearer owner"} if self._bearer is None else await self._bearer.headers()

    def _explained(self, verb: str, reply: Reply) -> Exception:
        found = reply.read()
        error = (found[0] if isinstance(found, list) and found else found) or {}
        said = error.get("error", {}) if isinstance(error, dict) else {}
        status, message = str(said.get("status", "")), str(said.get("message", ""))
        if status in _COLLIDED and verb == "commit":
            return Collided(message)
        if status in _BUSY or reply.status >= 500 or reply.status == 429:
            return Unavailable(f"Firestore answers {verb} with {reply.status} {status}: {message}", hint="try again")
        if reply.status == 401 and self._bearer is not None:
            self._bearer.forget()
            return Unavailable("Firestore does not believe this service's token", hint="try again")
        if status == "INVALID_ARGUMENT" and verb == "commit":
            return Unstorable(f"Firestore holds no such document: {message}", hint="make it smaller")
        return EngineError(f"Firestore refused {verb}: {reply.status} {status} {message}", hint="look at its rights")
