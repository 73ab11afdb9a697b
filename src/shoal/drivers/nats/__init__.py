"""NATS JetStream as the broker. URLs: ``nats://user:password@host:port``."""

from shoal.drivers.base import Broker, BrokerAdmin
from shoal.drivers.nats.admin import NatsAdmin
from shoal.drivers.nats.broker import NatsBroker


def broker(url: str) -> Broker:
    """Return one service's connection, not yet open; answers reach it below ``_INBOX_<user>``."""
    return NatsBroker(url)


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side; its user may use all of JetStream's API."""
    return NatsAdmin(url)
