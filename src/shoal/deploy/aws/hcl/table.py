"""Which printer writes which resource, and into which file. A new kind is a line."""

from collections.abc import Callable, Iterator
from typing import Any

from shoal.deploy.aws import resources as made
from shoal.deploy.aws.hcl import (
    compute,
    copies,
    door,
    eks,
    forward,
    host,
    mail,
    messages,
    network,
    roles,
    secrets,
    stores,
    warehouse,
    watch,
)
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.terraform.values import Block

Printer = Callable[[Any, Context], Iterator[Block]]


PRINTERS: dict[type[Resource], tuple[str, Printer]] = {
    made.Network: ("network", network.network),
    made.Group: ("network", network.group),
    made.Key: ("keys", secrets.key),
    made.Password: ("keys", secrets.password),
    made.Secret: ("keys", secrets.secret),
    made.Cluster: ("cluster", compute.cluster),
    made.Repository: ("cluster", compute.repository),
    made.Logs: ("cluster", compute.logs),
    made.Workload: ("cluster", compute.workload),
    made.Operator: ("operator", compute.operator),
    made.Kubernetes: ("eks", eks.kubernetes),
    made.Nodes: ("eks", eks.nodes),
    made.Identity: ("eks", eks.identity),
    made.Role: ("roles", roles.role),
    made.Fence: ("roles", roles.fence),
    made.Postgres: ("engines", stores.postgres),
    made.Documents: ("engines", stores.documents),
    made.Table: ("engines", stores.table),
    made.Bucket: ("engines", stores.bucket),
    made.Copying: ("engines", copies.copying),
    made.Images: ("cluster", copies.images),
    made.Cache: ("engines", stores.cache),
    made.Search: ("engines", stores.search),
    made.Warehouse: ("engines", warehouse.warehouse),
    made.Topic: ("streams", messages.topic),
    made.Queue: ("streams", messages.queue),
    made.Bus: ("forward", forward.bus),
    made.Pipe: ("forward", forward.pipe),
    made.Door: ("edge", door.door),
    made.Certificate: ("edge", host.certificate),
    made.Pool: ("edge", door.pool),
    made.Watch: ("watch", watch.watch),
    made.Alarm: ("watch", watch.alarm),
    made.Address: ("mail", mail.address),
}
"""A resource that one service has for itself is in that service's file."""


def printed(one: Resource, context: Context) -> tuple[str, Iterator[Block]]:
    """Write a resource where it is: here, in a second region, or as what is looked up; and name its file."""
    topic, printer = PRINTERS[type(one)]
    place = one.place if isinstance(one, made.Copied) else "here"
    if place == "given":
        printer = copies.given
    blocks = printer(one, context)
    return topic, copies.abroad(blocks) if place == "abroad" else blocks
