"""Google Firestore as a store of documents, by its REST interface. See `address` for its URLs."""

from collections.abc import Sequence

from shoal.drivers.base import Account, Store, StoreAdmin
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.firestore.address import read
from shoal.drivers.firestore.engine import FirestoreEngine
from shoal.drivers.firestore.link import Link


class FirestoreAdmin:
    """A `base.StoreAdmin`: databases are made by their project's owner, and an emulator has every one."""

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Do nothing."""


def store(url: str) -> Store:
    """Return one service's connection, not yet open."""
    return DocumentStore(FirestoreEngine(Link(read(url))))


def store_admin(url: str) -> StoreAdmin:
    """Return the operator's side, which has nothing to do."""
    read(url)
    return FirestoreAdmin()
