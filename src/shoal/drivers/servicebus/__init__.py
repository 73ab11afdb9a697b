"""Azure Service Bus as the broker. URLs: ``servicebus://NAMESPACE.servicebus.windows.net``.

A stream is a topic, a consumer a subscription, and a subscription one session: whoever has it reads in the order of the
topic. Nothing keeps what was handled.
"""

from shoal.drivers.base import Broker, BrokerAdmin
from shoal.drivers.servicebus.admin import ServicebusAdmin
from shoal.drivers.servicebus.broker import ServicebusBroker


def broker(url: str) -> Broker:
    """Return one service's connection, not yet open."""
    return ServicebusBroker(url)


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side; it may make topics and subscriptions."""
    return ServicebusAdmin(url)
