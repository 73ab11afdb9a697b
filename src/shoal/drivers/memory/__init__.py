"""Store, broker, cache and warehouse inside one process: the reference of the contract, and the engine of fast tests.

URLs: ``memory://name``; one name is one store, one broker and one cache within the process.
"""

from urllib.parse import urlsplit

from shoal.drivers.base import Broker, BrokerAdmin, Cache, KeyRing, Store, StoreAdmin, Warehouse
from shoal.drivers.memory.broker import MemoryBroker
from shoal.drivers.memory.cache import MemoryCache
from shoal.drivers.memory.objects import MemoryObjects
from shoal.drivers.memory.search import MemorySearch
from shoal.drivers.memory.store import MemoryAdmin, MemoryStore
from shoal.drivers.memory.warehouse import MemoryWarehouse

__all__ = [
    "MemoryBroker",
    "MemoryCache",
    "MemoryObjects",
    "MemorySearch",
    "MemoryStore",
    "MemoryWarehouse",
    "broker",
    "broker_admin",
    "cache",
    "key_ring",
    "store",
    "store_admin",
    "warehouse",
]

_stores: dict[str, MemoryStore] = {}
_brokers: dict[str, MemoryBroker] = {}
_caches: dict[str, MemoryCache] = {}
_warehouses: dict[str, MemoryWarehouse] = {}
_rings: dict[str, KeyRing] = {}


def store(url: str) -> Store:
    """Return the store of this name; everybody in the process shares it."""
    return _stores.setdefault(_name(url), MemoryStore())


def broker(url: str) -> Broker:
    """Return the broker of this name; everybody in the process shares it."""
    return _brokers.setdefault(_name(url), MemoryBroker())


def cache(url: str) -> Cache:
    """Return the cache of this name; everybody in the process shares it."""
    return _caches.setdefault(_name(url), MemoryCache())


def warehouse(url: str) -> Warehouse:
    """Return the warehouse of this name; everybody in the process shares it."""
    return _warehouses.setdefault(_name(url), MemoryWarehouse())


def key_ring(url: str) -> KeyRing:
    """Return the key ring of this name; everybody in the process shares it."""
    from shoal.drivers.memory.keyring import MemoryKeyRing  # noqa: PLC0415 - cryptography takes 0.1 s to import

    return _rings.setdefault(_name(url), MemoryKeyRing())


def store_admin(url: str) -> StoreAdmin:  # noqa: ARG001 - the contract's parameter
    """Return the operator's side, which has nothing to do: a store needs no role."""
    return MemoryAdmin()


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side of the broker of this name."""
    return _brokers.setdefault(_name(url), MemoryBroker())


def _name(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc + parts.path
