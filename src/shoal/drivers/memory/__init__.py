"""Store and broker inside one process: the reference of the contract, and the engine of fast tests.

URLs: ``memory://name``; one name is one store and one broker within the process.
"""

from urllib.parse import urlsplit

from shoal.drivers.base import Broker, BrokerAdmin, Store, StoreAdmin
from shoal.drivers.memory.broker import MemoryBroker
from shoal.drivers.memory.store import MemoryAdmin, MemoryStore

__all__ = ["MemoryBroker", "MemoryStore", "broker", "broker_admin", "store", "store_admin"]

_stores: dict[str, MemoryStore] = {}
_brokers: dict[str, MemoryBroker] = {}


def store(url: str) -> Store:
    """Return the store of this name; everybody in the process shares it."""
    return _stores.setdefault(_name(url), MemoryStore())


def broker(url: str) -> Broker:
    """Return the broker of this name; everybody in the process shares it."""
    return _brokers.setdefault(_name(url), MemoryBroker())


def store_admin(url: str) -> StoreAdmin:  # noqa: ARG001 - the contract's parameter
    """Return the operator's side, which has nothing to do: a store needs no role."""
    return MemoryAdmin()


def broker_admin(url: str) -> BrokerAdmin:
    """Return the operator's side of the broker of this name."""
    return _brokers.setdefault(_name(url), MemoryBroker())


def _name(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc + parts.path
