"""PostgreSQL as a service's own store.

URLs: ``postgres://role:password@host:port/database``, or ``postgres://role:password@/database?host=/folder/of/socket``.
"""

from shoal.drivers.base import Store, StoreAdmin
from shoal.drivers.base.search import Search
from shoal.drivers.postgres.admin import PostgresAdmin
from shoal.drivers.postgres.search import PostgresSearch
from shoal.drivers.postgres.store import PostgresStore


def store(url: str) -> Store:
    """Return the store at `url`, not yet connected.

    ``?pool=`` sets its number of connections, ``?part=`` the hours of one part of its outbox and inbox, in which both
    are let go of (24 by default).
    """
    return PostgresStore(url)


def store_admin(url: str) -> StoreAdmin:
    """Return the operator's side; `url` is a superuser's."""
    return PostgresAdmin(url)


def search(url: str) -> Search:
    """Return the indexes in the database at `url`, not yet connected."""
    return PostgresSearch(url)
