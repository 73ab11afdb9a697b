"""Kafka's protocol as the broker. URLs: ``kafka://user:password@host:port,host:port?tls=1&sasl=SCRAM-SHA-512``.

A stream is a topic with one partition, a consumer a group without members, whose offset its one reader commits.
"""

from shoal.drivers.base import Broker, BrokerAdmin
from shoal.drivers.kafka.admin import KafkaAdmin
from shoal.drivers.kafka.broker import KafkaBroker


def broker(url: str) -> Broker:
    """Return one service's connection, not yet open."""
    return KafkaBroker(url)


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side; its user may make topics."""
    return KafkaAdmin(url)
