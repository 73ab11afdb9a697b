"""Small vocabulary of HTTP: headers as parameters, pages, and answers with their own status."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar
from urllib.parse import urlencode

import msgspec

T = TypeVar("T")

MAX_LIMIT = 100
"""Most items of one page."""


class Header(msgspec.Struct, frozen=True):
    """Marks a parameter as a header: ``Annotated[str, Header("X-Device")]``."""

    name: str


class Reply(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An answer with a status or headers of its own."""

    body: T
    status: int | None = None
    """The operation's own when nothing is said."""
    headers: Mapping[str, str] = {}


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands."""

    page: int
    limit: int
    total: int


class Links(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to go from a page."""

    self: str
    next: str | None = None
    prev: str | None = None


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of items."""

    data: Sequence[T]
    pagination: Pagination
    links: Links = msgspec.field(name="_links")


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which page the caller wants: the query parameters ``page`` (from 1) and ``limit`` (1 to 100)."""

    page: int = 1
    limit: int = 20
    path: str = ""
    """Path of the request as it was sent, percent-encoded, for the links."""
    query: tuple[tuple[str, str], ...] = ()
    """The other query parameters, for the links."""

    @property
    def offset(self) -> int:
        """Items before this page."""
        return (self.page - 1) * self.limit

    def of(self, items: Sequence[T], total: int) -> Page[T]:
        """Make the page of `items` out of `total`."""
        return Page(
            data=items,
            pagination=Pagination(page=self.page, limit=self.limit, total=total),
            links=Links(
                self=self._link(self.page),
                next=self._link(self.page + 1) if self.offset + self.limit < total else None,
                prev=self._link(self.page - 1) if self.page > 1 else None,
            ),
        )

    def _link(self, page: int) -> str:
        return f"{self.path}?{urlencode([*self.query, ('page', page), ('limit', self.limit)])}"
