"""What a session on documents can do besides: changes that hold only for the version that was read."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from shoal.drivers.base import Row, Table
from shoal.drivers.base.documents.engine import Document


@runtime_checkable
class VersionedSession(Protocol):
    """A `base.Session` whose rows have versions; a version means nothing but itself, and is never empty.

    Writes are held back as others are. One whose document has another version, or is gone, raises `Conflict`, at
    the latest with the commit, and nothing of the transaction happens.
    """

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read those rows that there are, with their versions, in any order.

        What this session itself has written keeps the version that it had before; empty when there was none.
        """
        ...

    def put_at(self, table: Table, row: Row, version: str) -> None:
        """Replace the row if it has this version."""
        ...

    def delete_at(self, table: Table, key: object, version: str) -> None:
        """Remove the row if it has this version."""
        ...

    def raw(self, table: Table) -> Any:
        """Return what the engine's own client calls the table, outside this transaction."""
        ...
