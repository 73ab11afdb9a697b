"""Both doors of the namespace, on loopback."""

import asyncio
from urllib.parse import quote

from shoal.local.ports import LOOPBACK, free_port
from tests.servicebus_played.management import PlayedManagement
from tests.servicebus_played.peer import Peer
from tests.servicebus_played.state import Namespace, Subscription

ALL = frozenset({"send", "listen", "manage"})


class PlayedServicebus:
    """A server that can be killed and started again, with what it had."""

    def __init__(self) -> None:
        self.namespace = Namespace(policies={"operator": ("key/of+the=operator", {"": ALL})})
        self.port = free_port()
        self.management = PlayedManagement(self.namespace)
        self.peers: list[Peer] = []
        self._server: asyncio.Server | None = None

    def url(self, policy: str) -> str:
        key = quote(self.namespace.policies[policy][0], safe="")
        return f"servicebus://{policy}:{key}@{LOOPBACK}:{self.port}?tls=0&manage={self.management.port}"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._peer, LOOPBACK, self.port, reuse_address=True)
        await self.management.start()

    async def crash(self) -> None:
        """Break every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.cut()
        await self.management.stop()
        if server is not None:
            await server.wait_closed()

    def cut(self) -> None:
        """Break every connection of AMQP, and be there for others."""
        peers, self.peers = self.peers, []
        for peer in peers:
            peer.abort()

    def _peer(self) -> Peer:
        peer = Peer(self.namespace, self._changed)
        self.peers.append(peer)
        return peer

    def _changed(self, subscription: Subscription) -> None:
        for peer in self.peers:
            for name, (_, heard, _) in [*peer.hears.items()]:
                if heard is subscription:
                    peer.pump(name)
