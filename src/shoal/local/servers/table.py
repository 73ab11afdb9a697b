"""Every server: a new one is a file beside this and a line here."""

from shoal.local.servers import (
    aws,
    blob,
    firestore,
    kafka,
    limiter,
    mailbox,
    mongo,
    nats,
    objects,
    postgres,
    pubsub,
    rabbitmq,
    s3,
    valkey,
)
from shoal.local.servers.server import Server

SERVERS: dict[str, Server] = {
    one.SERVER.name: one.SERVER
    for one in (
        postgres,
        mongo,
        aws,
        firestore,
        nats,
        kafka,
        rabbitmq,
        pubsub,
        mailbox,
        valkey,
        limiter,
        objects,
        s3,
        blob,
    )
}
"""By the name that it has among a plan's engines."""
