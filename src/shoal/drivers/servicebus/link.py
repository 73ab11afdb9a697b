"""One service's connection to a namespace, made when it is needed, and made anew when it is lost."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from shoal.drivers.azure.identity import bearer
from shoal.drivers.base.pulse import Pulse
from shoal.drivers.base.rest import Rest
from shoal.drivers.servicebus import meaning
from shoal.drivers.servicebus.address import ServicebusAddress
from shoal.drivers.servicebus.asking import Answer, Asking
from shoal.drivers.servicebus.client import Client, Got, In, Out, Refused
from shoal.drivers.servicebus.rights import AGAIN_SECONDS, RESOURCE, Rights
from shoal.errors import Unavailable

PING_SECONDS = 1.0
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0

SESSION = "shoal"
"""The one session of each subscription: whoever has it reads, in the order of the topic, and nobody else does."""

_FILTER = "com.microsoft:session-filter"


class Link:
    """A namespace, for one user."""

    def __init__(self, address: ServicebusAddress) -> None:
        self.address, self.pulse = address, Pulse()
        self.rest = Rest(f"Service Bus at {address.management}", seconds=ANSWER_SECONDS, largest=16 * 1024 * 1024)
        self.rights = Rights(address, None if address.policy else bearer(self.rest, RESOURCE))
        self._client: Client | None = None
        self._cbs: Asking | None = None
        self._said: dict[str, str] = {}
        self._outs: dict[str, Out] = {}
        self._nodes: dict[str, Asking] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._keeper: asyncio.Task[None] | None = None

    @property
    def place(self) -> str:
        """Where it is."""
        return f"Service Bus at {self.address.host}:{self.address.port}"

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if client is not None:
            client.close()
        self.pulse.fall()
        await self.rest.close()

    async def sender(self, entity: str) -> Out:
        """Return the link to a topic; raises what `meaning` says."""
        async with self._doing(f"open {entity}", entity) as client:
            out = self._outs.get(entity)
            if out is None or out.fault is not None or out.client is not client:
                out = self._outs[entity] = await client.sender(entity)
        return out

    async def session(self, entity: str, got: Callable[[Got], None]) -> In:
        """Take the session of a subscription; `Held` while somebody else has it."""
        async with self._doing(f"take the session of {entity}", entity) as client:
            return await client.receiver(entity, got, filters={_FILTER: SESSION})

    async def manage(self, entity: str, operation: str, body: Mapping[str, Any], link: str = "") -> Answer:
        """Ask the management of a topic or subscription; raises what `meaning` says."""
        named = {"associated-link-name": link} if link else {}
        async with self._doing(f"{operation} of {entity}", entity) as client:
            node = self._nodes.get(entity)
            if node is None or not node.good:
                node = self._nodes[entity] = await Asking(client, f"{entity}/$management").open()
        async with self._answered(f"{operation} of {entity}"):
            return await node.ask({"operation": f"com.microsoft:{operation}", **named}, dict(body))

    async def taken(self, out: Out, sent: "asyncio.Future[None]") -> None:
        """Wait until a message is taken; raises what `meaning` says.

        Without an answer the connection is given up: nothing that is sent later may find what was lost in it.
        """
        try:
            async with self._answered("take a message"):
                await sent
        except Unavailable as error:
            if isinstance(error.__cause__, TimeoutError):
                out.client.abort()
            raise

    @asynccontextmanager
    async def _doing(self, what: str, entity: str) -> AsyncIterator[Client]:
        """Connect, and be let in; one at a time for each entity."""
        async with self._turns.setdefault(entity, asyncio.Lock()), self._answered(what):
            client = await self._connected()
            await self._enter(client, entity)
            yield client

    @asynccontextmanager
    async def _answered(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                yield
        except TimeoutError as error:
            raise Unavailable(f"{self.place} did not answer: {what}", hint="it is tried again") from error
        except Refused as error:
            raise meaning.error(f"{self.place} refused to {what}", error) from error

    async def _connected(self) -> Client:
        async with self._turns.setdefault("", asyncio.Lock()):
            if self._client is None:
                self._client = await self._connect()
                self.pulse.rise()
                self._keeper = asyncio.ensure_future(self._keep(self._client))
            return self._client

    async def _connect(self) -> Client:
        address = self.address
        client = Client(address.host)
        tls = ssl.create_default_context() if address.tls else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: client, address.host, address.port, ssl=tls)
                await client.opened
        except (OSError, TimeoutError, Refused) as error:
            client.abort()
            said = str(error) or type(error).__name__
            raise Unavailable(f"cannot reach {self.place}: {said}", hint="check the broker's URL") from error
        client.lost = self._lost
        if client.fault is not None:
            raise client.fault
        return client

    def _lost(self, fault: Refused) -> None:
        del fault
        self._client, self._cbs = None, None
        self._said, self._outs, self._nodes = {}, {}, {}
        if self._keeper is not None:
            self._keeper.cancel()
        self.pulse.fall()

    async def _gate(self, client: Client) -> Asking:
        """Return what tokens are shown to; Service Bus closes it when nothing is for a while."""
        async with self._turns.setdefault("$cbs", asyncio.Lock()):
            if self._cbs is None or not self._cbs.good:
                self._cbs = await Asking(client, "$cbs").open()
            return self._cbs

    async def _enter(self, client: Client, entity: str) -> None:
        """Say who we are, once for each entity and token."""
        resource = f"sb://{self.address.host}/{entity}"
        right = await self.rights.to(resource)
        if self._said.get(entity) == right.text:
            return
        asked = {"operation": "put-token", "type": right.kind, "name": resource}
        try:
            await (await self._gate(client)).ask(asked, right.text)
        except Refused:
            self.rights.forget()
            raise
        if client is self._client:
            self._said[entity] = right.text

    async def _keep(self, client: Client) -> None:
        """Say it again with other tokens before the former ones end."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            for entity in [*self._said]:
                with contextlib.suppress(Exception):  # what is refused is told to whoever uses the entity next
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._enter(client, entity)
