"""A service's way to Pub/Sub, by its REST interface. Each request stands for itself; see `base.pulse`.

Source: Pub/Sub REST reference, v1; "Error codes".
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from shoal.drivers.base.pulse import Pulse
from shoal.drivers.base.rest import Reply, Rest
from shoal.drivers.google.identity import bearer
from shoal.drivers.pubsub.address import PubsubAddress
from shoal.errors import EngineError, ShoalError, Unavailable, Undeclared

PING_SECONDS = 1.0
ANSWER_SECONDS = 10.0

SLACK_SECONDS = 3.0
"""For so long beyond its end a request for messages may be answered. A busy emulator does not answer some at all."""

_EARLY = 1.0
"""Seconds by which the emulator's waiting ends before its time."""

CONNECTIONS = 32
HEARING = 512
"""Requests for messages that are open at a time; each consumer has at most one."""

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer; one with messages has less than 20 MB."""

PAGE = 1000
"""Topics or subscriptions of one page."""

Lane = Literal["ask", "hear"]
Json = Mapping[str, Any]

_JSON = {"content-type": "application/json"}
_BUSY = frozenset({"ABORTED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE"})
_LATE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED"})


class Untaken(EngineError):
    """Say that what was sent can never be taken as it is."""


class Exists(EngineError):
    """Say that what was to be made is there."""


class Late(Unavailable):
    """Say that the time of a request was over."""


class Silent(Unavailable):
    """Say that there was no answer."""


class Gone(Unavailable):
    """Say that a topic or a subscription does not exist."""


class Link:
    """Pub/Sub, for one user."""

    def __init__(self, address: PubsubAddress) -> None:
        self.address = address
        self.pulse = Pulse()
        self._rest: dict[Lane, Rest] = {
            "ask": Rest("Pub/Sub", seconds=ANSWER_SECONDS, connections=CONNECTIONS, largest=LARGEST),
            "hear": Rest("Pub/Sub", seconds=address.wait + SLACK_SECONDS, connections=HEARING, largest=LARGEST),
        }
        self._bearer = None if address.emulated else bearer(self._rest["ask"])
        seconds = math.ceil(address.wait + _EARLY)
        self._limits = {  # the one is for Google's front end, the other for the emulator
            "ask": _JSON, "hear": {**_JSON, "x-server-timeout": str(seconds), "grpc-timeout": f"{seconds}S"},
        }  # fmt: skip
        self._base = f"{address.place}/v1/"

    @property
    def place(self) -> str:
        """Where it is."""
        return f"Pub/Sub at {self.address.place}"

    def topic(self, name: str) -> str:
        """Spell a topic as Pub/Sub does."""
        return f"projects/{self.address.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        """Spell a subscription as Pub/Sub does."""
        return f"projects/{self.address.project}/subscriptions/{name}"

    async def close(self) -> None:
        """Let go of every connection."""
        self.pulse.fall()
        await asyncio.gather(*(rest.close() for rest in self._rest.values()))

    async def ping(self) -> None:
        """Look up a topic; that there is none, or that we may not know, is a sign of life as well."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.ask("GET", self.topic("shoal-ping"))
        except (Gone, Undeclared):
            return
        except TimeoutError as error:
            raise Silent(f"{self.place} did not answer within {PING_SECONDS:g} s") from error

    async def ask(self, method: str, path: str, body: Json | None = None, *, lane: Lane = "ask") -> Json:
        """Send one request.

        Raises:
            Gone: What it is about does not exist.
            Undeclared: This service has no right to it.
            Exists: What it makes is there.
            Unavailable: There was no answer, or the request was not served now.
            Untaken: What it says can never be taken.
            EngineError: It is refused for another reason.
        """
        try:
            headers = self._limits[lane] | (await self._bearer.headers() if self._bearer else {})
            text = b"" if body is None else msgspec.json.encode(body)
            reply = await self._rest[lane].ask(method, self._base + path, headers, text)
        except Unavailable as error:
            raise self._silence(lane, error) from error
        if reply.status >= 300:
            raise self._meaning(f"{method} {path}", reply)
        self.pulse.rise()
        found = reply.read()
        return found if isinstance(found, dict) else {}

    async def pages(self, kind: str) -> AsyncIterator[Json]:
        """List all ``topics`` or ``subscriptions`` of the project."""
        token = ""
        while True:
            query = f"?pageSize={PAGE}" + (f"&pageToken={quote(token, safe='')}" if token else "")
            answer = await self.ask("GET", f"projects/{self.address.project}/{kind}{query}")
            for one in answer.get(kind, ()):
                yield one
            token = str(answer.get("nextPageToken", ""))
            if not token:
                return

    def _silence(self, lane: Lane, error: Unavailable) -> Unavailable:
        """Say what it means that there was no answer; one that was slow is no sign of another Pub/Sub."""
        if not isinstance(error.__cause__, TimeoutError):
            self.pulse.fall()
        elif lane == "hear":
            return Late(error.message, hint=error.hint)
        return Silent(error.message, hint=error.hint)

    def _meaning(self, what: str, reply: Reply) -> ShoalError:
        found = reply.read()
        error = found.get("error") if isinstance(found, dict) else None
        told: Json = error if isinstance(error, dict) else {}
        status = str(told.get("status", ""))
        said = f"{self.place} refused {what}: {reply.status} {status} {told.get('message', '')}".rstrip()
        if status in _LATE or reply.status in (499, 504):
            return Late(said, hint="it is tried again")
        if status in _BUSY or reply.status >= 500 or reply.status == 429:
            return Unavailable(said, hint="it is tried again")
        self.pulse.rise()
        if reply.status == 401 and self._bearer is not None:
            self._bearer.forget()
        kind, hint = _MEANINGS.get(reply.status, (EngineError, ""))
        return kind(said, hint=hint)


_MEANINGS: Mapping[int, tuple[type[ShoalError], str]] = {
    400: (Untaken, ""),
    401: (Unavailable, "look at who this process is; it is tried again with another token"),
    403: (Undeclared, "declare what the service says and hears, and give its account that right"),
    404: (Gone, "declare it first"),
    409: (Exists, ""),
    413: (Untaken, ""),
}
