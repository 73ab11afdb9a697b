"""Google Pub/Sub as the broker. URLs: ``pubsub:///PROJECT``.

A stream is a topic, a consumer a subscription with ordering, and the event's key the ordering key. Nothing keeps what
was handled.
"""

from shoal.drivers.base import Broker, BrokerAdmin
from shoal.drivers.pubsub.admin import PubsubAdmin
from shoal.drivers.pubsub.broker import PubsubBroker


def broker(url: str) -> Broker:
    """Return one service's connection, not yet open."""
    return PubsubBroker(url)


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side; it may make topics and subscriptions."""
    return PubsubAdmin(url)
