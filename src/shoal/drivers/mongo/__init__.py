"""MongoDB, and what speaks its protocol, as a store. URLs: ``mongodb://user:password@host:port/database?authSource=...``.

What the client's URL allows is allowed here, such as several hosts, ``replicaSet`` and ``tls``.
"""

from urllib.parse import urlsplit

from shoal.drivers.base import Store, StoreAdmin
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.mongo.admin import MongoAdmin
from shoal.drivers.mongo.engine import MongoEngine


def store(url: str) -> Store:
    """Return one service's connection, not yet open."""
    return DocumentStore(MongoEngine(url, urlsplit(url).path.removeprefix("/")))


def store_admin(url: str) -> StoreAdmin:
    """Return the operator's side of the server."""
    return MongoAdmin(url)
