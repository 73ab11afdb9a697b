"""What handlers ask for to keep values for a time: `CacheStore`, `ShortLived`, `Sessions`, `Locks`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from shoal.model.cache import CacheUse

T = TypeVar("T")

SESSION = 1800.0
"""Seconds after which a session that nobody uses ends, when nothing is said."""


def Valkey(*, why: str = "") -> CacheUse:  # noqa: N802 - reads as the engine
    """Keep short-lived values in Valkey, in a part of it that no other service sees.

    Args:
        why: Why this engine suits the service, for the documents.
    """
    return CacheUse(engine="valkey", why=why)


class CacheStore(Protocol):
    """Values that can be had again: while the cache is away reads find nothing and writes are dropped, and measured.

    A value is told apart by its class and its key. One that can no longer be read as its class, because that has
    changed, is not there. Every value ends after its `ttl`, in seconds, and may be gone before.
    """

    async def get(self, kind: type[T], key: str) -> T | None:
        """Read one value."""
        ...

    async def get_many(self, kind: type[T], keys: Sequence[str]) -> dict[str, T]:
        """Read those values that are there, in one round trip."""
        ...

    async def put(self, key: str, value: object, *, ttl: float) -> None:
        """Write one value."""
        ...

    async def put_many(self, values: Mapping[str, object], *, ttl: float) -> None:
        """Write several values in one round trip; it is no transaction."""
        ...

    async def delete(self, kind: type[Any], *keys: str) -> None:
        """Remove values."""
        ...


class ShortLived(Protocol):
    """Values that live nowhere else, such as carts: while the engine is away every method raises `Unavailable`.

    They share their names with `CacheStore`. The engine may lose them when it stops: keep in a store what must not be
    lost.
    """

    async def get(self, kind: type[T], key: str) -> T | None:
        """Read one value; None when there is none, or none any more."""
        ...

    async def put(self, key: str, value: object, *, ttl: float) -> None:
        """Write one value."""
        ...

    async def update(self, kind: type[T], key: str, change: Callable[[T | None], T | None], *, ttl: float) -> T | None:
        """Replace a value by what `change` makes of it, and return that; None removes it.

        Of several at the same time each finds the result of the one before: `change` may be called again, so it must
        do nothing else.
        """
        ...

    async def delete(self, kind: type[Any], *keys: str) -> None:
        """Remove values."""
        ...

    async def count(self, name: str, amount: int = 1, *, ttl: float) -> int:
        """Add to a counter and return its sum; it begins anew `ttl` seconds after its first addition."""
        ...


class Sessions(Protocol):
    """What a server remembers of a visitor, under an id that nobody can guess; raises `Unavailable` as `ShortLived`.

    Each use gives a session `ttl` seconds from then on. The engine never sees an id, only its hash.
    """

    async def begin(self, value: object, *, ttl: float = SESSION) -> str:
        """Begin a session and return its id."""
        ...

    async def find(self, kind: type[T], id: str, *, ttl: float = SESSION) -> T | None:
        """Read what is remembered; None when the session has ended."""
        ...

    async def save(self, id: str, value: object, *, ttl: float = SESSION) -> bool:
        """Remember something else; false when the session has ended, which is then not begun again."""
        ...

    async def rotate(self, id: str, value: object, *, ttl: float = SESSION) -> str:
        """Go on under a new id; the old one is void. Do so whenever somebody signs in, or gets further rights.

        Else somebody who made a visitor use an id of his own choice would be signed in with him.
        """
        ...

    async def end(self, id: str) -> None:
        """End a session."""
        ...


class Held(Protocol):
    """A lease that is held."""

    @property
    def token(self) -> int:
        """Grows with every holder: what refuses a token smaller than one it has seen refuses who has lost the lease."""
        ...

    @property
    def lost(self) -> bool:
        """Whether it is known to be lost. A process that was frozen learns that late; its token is refused at once."""
        ...


class Locks(Protocol):
    """Rights that one task of all replicas has at a time; raises `Unavailable` as `ShortLived`."""

    def hold(self, name: str, *, ttl: float = 10.0, wait: float = 0.0) -> AbstractAsyncContextManager[Held]:
        """Hold a right for the length of a block; it is renewed, and free `ttl` seconds after its holder has died.

        Raises:
            Unavailable: Somebody has had it for all of `wait` seconds, or the engine is away.
        """
        ...


NEEDING: tuple[type, ...] = (CacheStore, ShortLived, Sessions, Locks)
"""What only a service with a cache has."""
