"""Every server: a new one is a file beside this and a line here."""

from shoal.local.servers import aws, kafka, limiter, mailbox, mongo, nats, postgres, rabbitmq, valkey
from shoal.local.servers.server import Server

SERVERS: dict[str, Server] = {
    one.SERVER.name: one.SERVER for one in (postgres, mongo, aws, nats, kafka, rabbitmq, mailbox, valkey, limiter)
}
"""By the name that it has among a plan's engines."""
