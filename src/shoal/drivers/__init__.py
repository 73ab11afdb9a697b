"""Drivers by URL scheme; each is imported on first use."""

from importlib import import_module
from typing import cast
from urllib.parse import urlsplit

from shoal.drivers.base import Broker, BrokerAdmin, Cache, KeyRing, Store, StoreAdmin, Warehouse
from shoal.drivers.base.objects import ObjectsAdmin, ObjectStore
from shoal.drivers.base.search import Search
from shoal.errors import DeclarationError

STORES = {
    "postgres": "shoal.drivers.postgres",
    "documents": "shoal.drivers.postgres.documents",
    "mongodb": "shoal.drivers.mongo",
    "dynamodb": "shoal.drivers.dynamodb",
    "firestore": "shoal.drivers.firestore",
    "memory": "shoal.drivers.memory",
}
BROKERS = {
    "nats": "shoal.drivers.nats", "kafka": "shoal.drivers.kafka", "sns": "shoal.drivers.sns",
    "rabbitmq": "shoal.drivers.rabbitmq", "pubsub": "shoal.drivers.pubsub", "servicebus": "shoal.drivers.servicebus",
    "memory": "shoal.drivers.memory",
}  # fmt: skip
CACHES = {
    "valkey": "shoal.drivers.valkey", "valkeys": "shoal.drivers.valkey", "valkey+cluster": "shoal.drivers.valkey",
    "valkeys+cluster": "shoal.drivers.valkey", "memory": "shoal.drivers.memory",
}  # fmt: skip
WAREHOUSES = {
    "duckdb": "shoal.drivers.duckdb", "bigquery": "shoal.drivers.bigquery", "redshift": "shoal.drivers.redshift",
    "memory": "shoal.drivers.memory",
}  # fmt: skip
KEY_RINGS = {
    "keyfile": "shoal.drivers.keyfile", "awskms": "shoal.drivers.awskms", "keyvault": "shoal.drivers.keyvault",
    "cloudkms": "shoal.drivers.cloudkms", "memory": "shoal.drivers.memory",
}  # fmt: skip
SEARCHES = {"opensearch": "shoal.drivers.opensearch", "postgres": "shoal.drivers.postgres"}
OBJECTS = {
    "folder": "shoal.drivers.folder",
    "s3": "shoal.drivers.s3",
    "gcs": "shoal.drivers.s3",
    "azblob": "shoal.drivers.azblob",
}

_EXTRAS = {
    "dynamodb": "aws", "sns": "aws", "s3": "aws", "gcs": "aws", "awskms": "aws", "redshift": "aws",
    "mongodb": "mongo", "duckdb": "warehouse",
}  # fmt: skip
"""Extras of shoal that bring a driver's client, where they are not called like its scheme."""


def open_store(url: str) -> Store:
    """Return the driver for a store's URL, not yet connected."""
    return cast("Store", _module(STORES, url).store(url))


def open_broker(url: str) -> Broker:
    """Return the driver for a broker's URL, not yet connected."""
    return cast("Broker", _module(BROKERS, url).broker(url))


def open_cache(url: str) -> Cache:
    """Return the driver for a cache's URL, not yet connected."""
    return cast("Cache", _module(CACHES, url).cache(url))


def open_search(url: str) -> Search:
    """Return the driver for the URL of indexes, not yet connected."""
    return cast("Search", _module(SEARCHES, url).search(url))


def open_objects(url: str) -> ObjectStore:
    """Return the driver for the URL of objects, not yet connected."""
    return cast("ObjectStore", _module(OBJECTS, url).objects(url))


def open_warehouse(url: str) -> Warehouse:
    """Return the driver for a warehouse's URL, not yet connected."""
    return cast("Warehouse", _module(WAREHOUSES, url).warehouse(url))


def open_key_ring(url: str) -> KeyRing:
    """Return the driver for a key ring's URL."""
    return cast("KeyRing", _module(KEY_RINGS, url).key_ring(url))


def store_admin(url: str) -> StoreAdmin:
    """Return the operator's side of a store."""
    return cast("StoreAdmin", _module(STORES, url).store_admin(url))


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side of a broker."""
    return cast("BrokerAdmin", _module(BROKERS, url).broker_admin(url))


def objects_admin(url: str) -> ObjectsAdmin:
    """Return the operator's side of a store of objects."""
    return cast("ObjectsAdmin", _module(OBJECTS, url).objects_admin(url))


def _module(table: dict[str, str], url: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Import the module of a URL's scheme; its functions are checked by the conformance suites."""
    scheme = urlsplit(url).scheme
    if scheme not in table:
        raise DeclarationError(f"no driver for the scheme {scheme!r}", hint=f"use one of: {', '.join(sorted(table))}")
    try:
        return import_module(table[scheme])
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "shoal":
            raise
        hint = f"pip install 'shoal[{_EXTRAS.get(scheme, scheme)}]'"
        raise DeclarationError(f"the driver of {scheme} needs the package {error.name}", hint=hint) from None
