"""Which engines run beside a system, and in which version: images, and resources of Terraform. Pure.

Only names that are known are read: what is called after an engine and is another program (``postgres-exporter``,
``cp-kafka``, whose versions are its own) says nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shoal.check.finding import Place

IMAGES: Mapping[str, str] = {
    "postgres": "postgres", "postgresql": "postgres", "postgresql-repmgr": "postgres", "postgis": "postgres",
    "pgvector": "postgres", "mongo": "mongo", "mongodb": "mongo", "mongodb-community-server": "mongo",
    "redis": "redis", "redis-cluster": "redis", "valkey": "valkey", "valkey-cluster": "valkey", "nats": "nats",
    "kafka": "kafka", "kafka-native": "kafka", "rabbitmq": "rabbitmq", "mysql": "mysql",
    "mysql-server": "mysql", "mariadb": "mariadb",
    "opensearch": "opensearch", "elasticsearch": "elasticsearch",
}  # fmt: skip
"""The last word of an image's name → the engine."""

RESOURCES: Mapping[str, str] = {
    "azurerm_postgresql_flexible_server": "postgres",
    "azurerm_mysql_flexible_server": "mysql",
    "aws_elasticache_cluster": "",
    "aws_elasticache_replication_group": "",
    "aws_db_instance": "",
    "aws_rds_cluster": "",
    "aws_mq_broker": "",
    "aws_msk_cluster": "kafka",
    "google_sql_database_instance": "",
    "google_redis_instance": "redis",
    "google_memorystore_instance": "valkey",
}
"""Kind of a resource → its engine; empty where it says which itself."""

_IMAGE = re.compile(r"[^#]*\bimage(?:Name)?:\s*[\"']?(?P<image>[^\s\"'#]+)")
_TAG = re.compile(r"(?:v|pg)?(?P<version>\d+(?:\.\d+)?)")
_RESOURCE = re.compile(r"resource\s+\"(?P<kind>\w+)\"")
_ENGINE = re.compile(r"\s*(?:engine|engine_type)\s*=\s*\"(?P<engine>[A-Za-z]+)")
_VERSION = re.compile(
    r"\s*(?:engine_version|version|database_version|redis_version|kafka_version)\s*=\s*"
    r"\"(?:(?P<engine>[A-Za-z]+)_)?(?P<version>\d+(?:[._]\d+)?)"
)


@dataclass(frozen=True)
class Running:
    """One engine that a file asks for."""

    where: Place
    engine: str
    version: str


def running(files: Mapping[str, str]) -> Iterator[Running]:
    """Find the engines of every file."""
    for path, text in files.items():
        yield from _resources(path, text) if path.endswith(".tf") else _images(path, text)


def of_image(image: str, where: Place) -> Running | None:
    """Say which engine an image is; None for one of something else, or without a version.

    Args:
        image: As it is written: ``registry/postgres:18-alpine``.
        where: Where that is.
    """
    name, _, tag = image.rpartition("/")[2].partition("@")[0].partition(":")
    version = _TAG.match(tag)
    return Running(where, IMAGES[name], version["version"]) if version is not None and name in IMAGES else None


def _images(path: str, text: str) -> Iterator[Running]:
    for number, line in enumerate(text.splitlines(), 1):
        found = _IMAGE.match(line)
        if found is None:
            continue
        engine = of_image(found["image"], Place(path, number))
        if engine is not None:
            yield engine


def _resources(path: str, text: str) -> Iterator[Running]:
    """Read the blocks of a file; in each, the engine comes before its version, as tools and people write it."""
    engine = "other"
    for number, line in enumerate(text.splitlines(), 1):
        if found := _RESOURCE.match(line):
            engine = RESOURCES.get(found["kind"], "other")
        elif line.startswith("}"):
            engine = "other"
        elif engine == "other":
            continue
        elif found := _ENGINE.match(line):
            engine = found["engine"].lower()
        elif found := _VERSION.match(line):
            said = (found["engine"] or "").lower()
            named = IMAGES.get(engine or said, engine or said)
            if named:
                yield Running(Place(path, number), named, found["version"].replace("_", "."))
