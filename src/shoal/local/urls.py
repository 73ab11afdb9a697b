"""Addresses of the servers of this machine, as the drivers take them. Pure."""

from urllib.parse import quote, urlencode

from shoal.local.ports import LOOPBACK

KAFKA_WAIT = 0.1
"""Seconds that a request for messages waits at the local server of Kafka's protocol. It looks at its topics when a
request comes and after half of that, and does not notice what comes in between."""

AWS_REGION = "eu-central-1"
"""The region that the local server of Amazon's interfaces plays."""


def postgres_url(folder: str, role: str, password: str, database: str) -> str:
    """Write a URL that goes through the UNIX socket in `folder`."""
    query = urlencode({"host": folder, "port": "5432"}, safe="/")
    return f"postgres://{quote(role)}:{quote(password)}@/{quote(database)}?{query}"


def mongo_url(port: int, user: str, password: str, database: str) -> str:
    """Write the address of a database of MongoDB's protocol; who enters is known to that database."""
    options = urlencode({"directConnection": "true", "authSource": database})
    return f"mongodb://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{port}/{quote(database)}?{options}"


def aws_url(scheme: str, port: int, access: str, secret: str, name: str) -> str:
    """Write the address of one of Amazon's interfaces at the local server, which plays one region."""
    options = urlencode({"region": AWS_REGION, "tls": "0"})
    return f"{scheme}://{quote(access, safe='')}:{quote(secret, safe='')}@{LOOPBACK}:{port}/{quote(name)}?{options}"


def nats_url(port: int, user: str, password: str) -> str:
    """Write a URL of the broker."""
    return f"nats://{quote(user)}:{quote(password)}@{LOOPBACK}:{port}"


def kafka_url(port: int) -> str:
    """Write a URL of the local server of Kafka's protocol, which knows no users and looks but twice while it waits."""
    return f"kafka://{LOOPBACK}:{port}?wait={KAFKA_WAIT:g}"


def rabbitmq_url(port: int, user: str, password: str) -> str:
    """Write a URL of the local RabbitMQ."""
    return f"rabbitmq://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{port}/shoal"
