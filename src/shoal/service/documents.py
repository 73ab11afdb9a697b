"""`Documents`: the records of one type, as every engine of documents can keep them."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

T = TypeVar("T")


class Document(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One document as it was read."""

    value: T
    version: str
    """Another one after each write, and good for an ``ETag``; empty when this very transaction wrote it first."""


class Found(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a search."""

    items: Sequence[T]
    next: str = ""
    """Where the next page begins, for `after`; empty on the last one."""


class Documents(Protocol[T]):
    """The documents of one type, within the transaction of the handler: all of it commits, or nothing.

    Writes are held back until the handler returns, the next read, or `Transaction.flush`. What has expired is not
    there. The service declares ``store=MongoDB()`` or another store of documents.
    """

    async def get(self, key: object) -> Document[T] | None:
        """Read one document."""
        ...

    async def require(self, key: object) -> Document[T]:
        """Read one document, or answer the caller 404."""
        ...

    async def get_many(self, keys: Sequence[object]) -> Mapping[Any, Document[T]]:
        """Read those documents that there are, by key, in one request."""
        ...

    async def find(
        self, where: Mapping[str, object] | None = None, *, order: str = "", limit: int = 50, after: str = ""
    ) -> Found[T]:
        """Read a page of those whose fields equal `where`, by a declared index.

        Args:
            where: Fields and values: all of the first fields of an index, one unique field, or nothing.
            order: The field of that index that follows those of `where`, with ``-`` for descending; the key when
                nothing is said.
            limit: Most documents of a page, to 1000; one that has expired meanwhile leaves its place empty.
            after: `Found.next` of the page before. What is written meanwhile neither shifts nor repeats the others.

        Raises:
            Undeclared: No index serves this; the hint shows the one to declare.
            Problem: 400, since callers hand it on: `after` is not what a page of this search ended with.
        """
        ...

    def put(self, value: T, *, expect: str | None = None) -> None:
        """Write a document, replacing the one with its key.

        With `expect`, the version that somebody read, only if it has still that version: else the commit raises
        `Conflict`, which answers the caller 409. An empty one is that of what this transaction wrote first, and of
        nothing else; None looks at no version.
        """
        ...

    def put_many(self, values: Sequence[T]) -> None:
        """Write documents, each replacing the one with its key."""
        ...

    def insert(self, value: T) -> None:
        """Write a new document; the commit raises `Conflict` when its key, or a unique field, is taken."""
        ...

    def delete(self, key: object, *, expect: str | None = None) -> None:
        """Remove a document; with `expect` only if it still has this version."""
        ...

    @property
    def raw(self) -> Any:
        """What the engine's own client calls the place of these documents, outside this transaction.

        For what only one engine can do: it ties the code to that engine, and knows nothing of what this transaction
        holds back. On MongoDB a collection, on DynamoDB and PostgreSQL see docs/how-to/documents.md.
        """
        ...
