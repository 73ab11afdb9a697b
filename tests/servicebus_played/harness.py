"""A namespace that is empty for each test."""

import asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, BrokerAdmin
from shoal.model import catalog
from tests.conformance.harness import soon
from tests.servicebus_played.server import ALL, PlayedServicebus

ROW = catalog.engine("servicebus")


class ServicebusHarness(PlayedServicebus):
    """A played server, and who connected to it."""

    capabilities = ROW.capabilities - {"permissions"}
    """The suite of permissions asks of subjects; Service Bus's are those of topics, and are tested apart."""

    def __init__(self) -> None:
        super().__init__()
        self.namespace.policies["service"] = ("key of the service", {"": ALL - {"manage"}})
        self._opened: list[Broker] = []

    async def broker(self, user: str) -> Broker:
        broker = open_broker(self.url(user))
        self._opened.append(broker)
        await broker.open()
        return broker

    def admin(self) -> BrokerAdmin:
        return broker_admin(self.url("operator"))

    async def clear(self) -> None:
        """Forget everybody who connected, and everything that there was."""
        opened, self._opened = self._opened, []
        await soon(asyncio.gather(*(broker.close() for broker in opened)))
        self.namespace.topics.clear()
        self.namespace.tokens.clear()
        self.namespace.asleep = False
        self.namespace.severed, self.namespace.refused = True, lambda _: None
