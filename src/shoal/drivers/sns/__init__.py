"""Amazon SNS and SQS as the broker. URLs: ``sns://ACCESS:SECRET@HOST:PORT/NAME?region=eu-central-1``.

A stream is a FIFO topic, a consumer a FIFO queue that hears it. Nothing keeps what was handled.
"""

from shoal.drivers.base import Broker, BrokerAdmin
from shoal.drivers.sns.admin import SnsAdmin
from shoal.drivers.sns.broker import SnsBroker


def broker(url: str) -> Broker:
    """Return one service's connection, not yet open."""
    return SnsBroker(url)


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side; its keys may make topics and queues."""
    return SnsAdmin(url)
