"""RabbitMQ as the broker, by AMQP 0-9-1. URLs: ``rabbitmq://user:password@host:port/vhost?tls=1``.

A stream is a stream of RabbitMQ's, and where a consumer has come to is the last message of another.
"""

from shoal.drivers.base import Broker, BrokerAdmin
from shoal.drivers.rabbitmq.admin import RabbitAdmin
from shoal.drivers.rabbitmq.broker import RabbitBroker


def broker(url: str) -> Broker:
    """Return one service's connection, not yet open."""
    return RabbitBroker(url)


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side; its user may make queues."""
    return RabbitAdmin(url)
