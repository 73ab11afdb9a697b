"""Which printer writes which resource, and into which file. A new kind is a line."""

from collections.abc import Callable, Iterator
from typing import Any

from shoal.deploy.azure import resources as made
from shoal.deploy.azure.hcl import cluster, compute, door, identities, mail, messages, network, secrets, stores, watch
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.terraform.values import Block

Printer = Callable[[Any, Context], Iterator[Block]]

PRINTERS: dict[type[Resource], tuple[str, Printer]] = {
    made.Network: ("network", network.network),
    made.Subnet: ("network", network.subnet),
    made.Wall: ("network", network.wall),
    made.Zone: ("network", network.zone),
    made.Borrowed: ("network", network.borrowed),
    made.Endpoint: ("network", network.endpoint),
    made.Vault: ("vault", secrets.vault),
    made.Key: ("vault", secrets.key),
    made.Password: ("vault", secrets.password),
    made.Secret: ("vault", secrets.secret),
    made.Lock: ("engines", secrets.lock),
    made.Logs: ("place", compute.logs),
    made.Registry: ("place", compute.registry),
    made.Place: ("place", compute.place),
    made.Workload: ("place", compute.workload),
    made.Operator: ("operator", compute.operator),
    made.Cluster: ("cluster", cluster.cluster),
    made.Identity: ("identities", identities.identity),
    made.Grade: ("identities", identities.grade),
    made.Right: ("identities", identities.right),
    made.Postgres: ("engines", stores.postgres),
    made.Cache: ("engines", stores.cache),
    made.Account: ("engines", stores.account),
    made.Bus: ("streams", messages.bus),
    made.Topic: ("streams", messages.topic),
    made.Subscription: ("streams", messages.subscription),
    made.Mail: ("mail", mail.mail),
    made.Door: ("edge", door.door),
    made.Watch: ("watch", watch.watch),
    made.Alarm: ("watch", watch.alarm),
}
"""A resource that one service has for itself is in that service's file."""
