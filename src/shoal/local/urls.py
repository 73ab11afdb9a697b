"""Addresses of the servers of this machine, as the drivers take them. Pure."""

from urllib.parse import quote, urlencode

from shoal.local.ports import LOOPBACK

KAFKA_WAIT = 0.1
"""Seconds that a request for messages waits at the local server of Kafka's protocol. It looks at its topics when a
request comes and after half of that, and does not notice what comes in between."""

PUBSUB_WAIT = 2.0
"""Seconds that a request for messages waits at the local emulator of Pub/Sub. It does not notice who is gone before."""

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


def pubsub_url(port: int, project: str = "shoal-local") -> str:
    """Write the address of the local emulator of Pub/Sub, which knows no users."""
    return f"pubsub://{LOOPBACK}:{port}/{project}?tls=0&wait={PUBSUB_WAIT:g}"


def firestore_url(port: int, database: str, project: str = "shoal-local") -> str:
    """Write the address of a database of the local emulator of Firestore, which knows no users."""
    name = f"{database.replace('_', '-')}-db"[-63:].lstrip("-0123456789")
    return f"firestore://{LOOPBACK}:{port}/{project}/{quote(name)}?tls=0"


def folder_url(folder: str, key: str, port: int, service: str) -> str:
    """Write the address of a service's objects in a folder, which are lent through a door on loopback."""
    at = urlencode({"at": f"http://{LOOPBACK}:{port}/{service}"}, safe=":/")
    return f"folder://:{quote(key, safe='')}@{quote(folder)}?{at}"


def blob_url(port: int, account: str, key: str, container: str) -> str:
    """Write the address of a container at the local emulator of Azure's storage, in an account of its own."""
    return f"azblob://{quote(account, safe='')}:{quote(key, safe='')}@{LOOPBACK}:{port}/{quote(container)}?tls=0"


def nats_url(port: int, user: str, password: str) -> str:
    """Write a URL of the broker."""
    return f"nats://{quote(user)}:{quote(password)}@{LOOPBACK}:{port}"


def kafka_url(port: int) -> str:
    """Write a URL of the local server of Kafka's protocol, which knows no users and looks but twice while it waits."""
    return f"kafka://{LOOPBACK}:{port}?wait={KAFKA_WAIT:g}"


def rabbitmq_url(port: int, user: str, password: str) -> str:
    """Write a URL of the local RabbitMQ."""
    return f"rabbitmq://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{port}/shoal"
