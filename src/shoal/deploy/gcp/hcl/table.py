"""Which printer writes which resource, and into which file. A new kind is a line."""

from collections.abc import Callable, Iterator
from typing import Any

from shoal.deploy.gcp import resources as made
from shoal.deploy.gcp.hcl import (
    balancer,
    cluster,
    compute,
    door,
    frame,
    inside,
    messages,
    network,
    roles,
    secrets,
    stores,
    watch,
)
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.terraform.values import Block

Printer = Callable[[Any, Context], Iterator[Block]]

PRINTERS: dict[type, tuple[str, Printer]] = {
    made.Interfaces: ("interfaces", frame.interfaces),
    made.Network: ("network", network.network),
    made.Passage: ("network", network.passage),
    made.Key: ("keys", secrets.key),
    made.Password: ("keys", secrets.password),
    made.Secret: ("keys", secrets.secret),
    made.Repository: ("images", compute.repository),
    made.Logs: ("watch", compute.logs),
    made.Workload: ("services", compute.workload),
    made.Operator: ("operator", compute.operator),
    made.Cluster: ("cluster", cluster.cluster),
    made.Grade: ("accounts", roles.grade),
    made.Account: ("accounts", roles.account),
    made.Turn: ("accounts", roles.turn),
    made.Postgres: ("engines", stores.postgres),
    made.Documents: ("engines", stores.documents),
    made.Bucket: ("engines", stores.bucket),
    made.Dataset: ("engines", stores.dataset),
    made.Cache: ("engines", stores.cache),
    made.Topic: ("streams", messages.topic),
    made.Subscription: ("streams", messages.subscription),
    made.Door: ("edge", door.door),
    made.Reached: ("edge", balancer.reached),
    made.Inside: ("edge", inside.inside),
    made.Watch: ("watch", watch.watch),
    made.Alarm: ("watch", watch.alarm),
}
"""A resource that one service has for itself is in that service's file."""
