"""How a service that hears an event reads its personal fields: it borrows the key of the person from the owner, once.

For each event with personal fields its owner has an internal operation, which only the declared subscribers of that
event may call: the proxies refuse everybody else. It lends keys of that event alone; they open nothing of the owner's
store, nor other events of the same person. A borrower keeps them wrapped under its own keys, so that replays ask
nobody, and loses them when the person is erased.
"""

import base64
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from shoal.drivers.base import Query, Store
from shoal.errors import CallFailed, Unavailable
from shoal.runtime.clients import Transport
from shoal.runtime.deadline import REQUESTED
from shoal.runtime.privacy.tables import KEYS
from shoal.runtime.privacy.vault import DataKey, Vault
from shoal.runtime.trace import current
from shoal.service.access import internal
from shoal.service.declare import EndpointDeclaration
from shoal.service.lending import lending_name, lending_path
from shoal.service.marks import Operation

MOST = 40
"""Keys that are asked for at a time: as many as a path has room for."""

WITHIN = 2.0
"""Seconds that an owner may take to answer."""


class Lent(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a person for one event."""

    id: str
    subject: str
    secret: str
    """In base64."""


class Lender:
    """Lends the keys of a service's own events."""

    def __init__(self, vault: Vault, store: Store) -> None:
        self._vault, self._store = vault, store

    async def lend(self, event: str, ids: Sequence[str]) -> list[Lent]:
        """Return those keys that there still are."""
        async with self._store.session() as session:
            query = Query(where={"id": tuple(ids[:MOST]), "scope": event})
            keys = await self._vault.unwrapped(session, await session.find(KEYS.table, query))
        return [Lent(id=k.id, subject=k.subject, secret=base64.b64encode(k.secret).decode()) for k in keys]

    def endpoints(self, events: Sequence[str], source: str) -> list[EndpointDeclaration]:
        """Make the operations through which the keys of some events are lent."""
        return [self._endpoint(event, source) for event in events]

    def _endpoint(self, event: str, source: str) -> EndpointDeclaration:
        async def lend(ids: str) -> list[Lent]:
            return await self.lend(event, ids.split(","))

        handler: Callable[[str], Awaitable[list[Lent]]] = lend
        operation = Operation(
            name=lending_name(event), method="GET", path=lending_path(event), access=internal, source=source
        )
        return EndpointDeclaration(operation=operation, handler=handler)


class Borrower:
    """Asks the owners of events for keys."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def borrow(self, event: str, ids: Sequence[str]) -> list[DataKey]:
        """Return those keys that their owner still has.

        Raises:
            Unavailable: The owner does not answer, or that it does not lend, as an older version of it does.
        """
        found: list[DataKey] = []
        for first in range(0, len(ids), MOST):
            found += await self._ask(event, ids[first : first + MOST])
        return found

    async def _ask(self, event: str, ids: Sequence[str]) -> list[DataKey]:
        owner, path = event.partition(".")[0], lending_path(event).replace("{ids}", ",".join(ids))
        headers = {REQUESTED: str(int(WITHIN * 1000))}
        if (context := current.get()) is not None:
            headers |= context.trace.headers()
        try:
            answer = await self._transport.send(owner, "GET", path, headers, b"", WITHIN)
        except (CallFailed, TimeoutError) as error:  # its fault, never the event's
            raise Unavailable(f"{owner} did not lend the keys of {event}") from error
        if answer.status != 200:
            raise Unavailable(
                f"{owner} does not lend the keys of {event}: it answers {answer.status}",
                hint="is a version of it running that declares the event's fields as personal?",
            )
        lent = msgspec.json.decode(answer.body, type=list[Lent])
        return [
            DataKey(id=k.id, subject=k.subject, scope=event, secret=base64.b64decode(k.secret))
            for k in lent
            if k.id in ids
        ]
