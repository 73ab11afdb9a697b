"""Documents in PostgreSQL: one table for each type of record, with a key, a version and the rest as JSONB.

URLs are those of `drivers.postgres` with the scheme ``documents``.
"""

from shoal.drivers.base import Store, StoreAdmin
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.postgres.admin import PostgresAdmin
from shoal.drivers.postgres.documents.engine import JsonEngine


def store(url: str) -> Store:
    """Return the store at `url`, not yet connected; ``?pool=`` sets its number of connections."""
    return DocumentStore(JsonEngine(_plain(url)))


def store_admin(url: str) -> StoreAdmin:
    """Return the operator's side; `url` is a superuser's."""
    return PostgresAdmin(_plain(url))


def _plain(url: str) -> str:
    """Spell a URL as PostgreSQL's client knows it."""
    return url.replace("documents:", "postgres:", 1)
