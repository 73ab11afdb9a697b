"""`Objects` as handlers see them: what is written first and stays by the commit."""

import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

from shoal.drivers.base import Row, Store
from shoal.drivers.base.objects import ObjectStore, Stored, pieces
from shoal.errors import Problem
from shoal.model.objects import ObjectKind
from shoal.runtime.objects import loose
from shoal.runtime.transaction import UnitOfWork
from shoal.service.context import Clock
from shoal.service.declare import Service
from shoal.service.objects import LINK, UPLOAD, Objects, StoredObject, UploadTicket, object_mark

_FRESH = re.compile(r"[0-9a-f]{32}")


def shelves(
    service: Service, objects: ObjectStore, store: Store, clock: Clock, stir: Callable[[], None]
) -> dict[Any, "Shelf"]:
    """Make what handlers of a service ask for, by type."""
    kinds = service.objects.kinds if service.objects is not None else ()
    return {Objects[kind]: Shelf(object_mark(kind).kind, objects, store, clock, stir) for kind in kinds}  # type: ignore[valid-type]


class Shelf:
    """The objects of one kind, for each transaction.

    Args:
        kind: What may be in them.
        objects: Where they are.
        store: Where it is written which of them stay.
        clock: The time.
        stir: Called when some may be removed.
    """

    def __init__(
        self, kind: ObjectKind, objects: ObjectStore, store: Store, clock: Clock, stir: Callable[[], None]
    ) -> None:
        self.kind, self.objects, self.store, self.clock, self.stir = kind, objects, store, clock, stir

    def within(self, unit: UnitOfWork) -> "ShelvedObjects":
        """Take objects within a transaction."""
        return ShelvedObjects(self, unit)

    async def fresh(self, seconds: float, *, type: str = "", size: int = 0) -> str:
        """Make a name that nobody can guess, under which somebody may write this within some seconds."""
        name = f"{self.kind.name}/{secrets.token_hex(16)}"
        due = self.now() + timedelta(seconds=seconds) + loose.KEPT
        await loose.begin(self.store, name, due, type=type, size=size)
        return name

    def now(self) -> datetime:
        """Tell the time."""
        return self.clock.now()

    def full(self, name: str) -> str:
        """Return a name of this kind, else answer 404: one that a caller sent may be anything."""
        kind, _, rest = name.partition("/")
        if kind != self.kind.name or not _FRESH.fullmatch(rest):
            raise Problem(404, "not-found", f"this is no name of {self.kind.name}")
        return name

    def check(self, type: str, size: int = 0) -> None:
        """Refuse what the kind does not allow."""
        if self.kind.types and type not in self.kind.types:
            allowed = ", ".join(self.kind.types)
            raise Problem(415, "unsupported-media-type", f"{self.kind.name} are one of: {allowed}")
        if size > self.kind.largest:
            raise Problem(413, "object-too-large", f"{self.kind.name} have at most {self.kind.largest} bytes")

    async def limited(self, content: bytes | AsyncIterable[bytes], type: str) -> AsyncIterator[bytes]:
        """Hand a content over, and break off when it becomes too large."""
        size = 0
        async for piece in pieces(content):
            size += len(piece)
            self.check(type, size)
            yield piece


class ShelvedObjects(Objects[Any]):
    """Implements `shoal.Objects`."""

    __slots__ = ("_shelf", "_unit")

    def __init__(self, shelf: Shelf, unit: UnitOfWork) -> None:
        self._shelf, self._unit = shelf, unit

    async def put(self, content: bytes | AsyncIterable[bytes], *, type: str) -> StoredObject:
        """Note a fresh name, write, and take the name off the list with the commit."""
        shelf = self._shelf
        shelf.check(type, len(content) if isinstance(content, bytes) else 0)
        name = await shelf.fresh(0)
        stored = await shelf.objects.put(name, shelf.limited(content, type), type)
        self._keep(await loose.hold(self._unit.session, name))
        return _shown(stored)

    async def ticket(self, *, type: str, size: int, seconds: float = UPLOAD) -> UploadTicket:
        """Note a fresh name, and sign for it."""
        shelf = self._shelf
        shelf.check(type, size)
        name = await shelf.fresh(seconds, type=type, size=size)
        upload = await shelf.objects.upload(name, seconds, type=type, size=size)
        until = shelf.now() + timedelta(seconds=seconds)
        return UploadTicket(name=name, url=upload.url, headers=upload.headers, until=until)

    async def accept(self, name: str) -> StoredObject:
        """Look whether what came is what was agreed, and take its name off the list with the commit."""
        shelf = self._shelf
        stored = await shelf.objects.head(shelf.full(name))  # before anything is locked
        held = await loose.hold(self._unit.session, name)
        if stored is None:
            raise Problem(409, "nothing-uploaded", "nothing was brought under this name yet: send it, then accept it")
        shelf.check(stored.type, stored.size)
        _check(stored, held)
        self._keep(held)
        return _shown(stored)

    async def find(self, name: str) -> StoredObject | None:
        """Ask for its head."""
        found = await self._shelf.objects.head(self._shelf.full(name))
        return None if found is None else _shown(found)

    async def read(self, name: str) -> bytes | None:
        """Read it whole."""
        return await self._shelf.objects.get(self._shelf.full(name))

    async def stream(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Read it in pieces."""
        return await self._shelf.objects.read(self._shelf.full(name), start, stop)

    async def url(self, name: str, *, seconds: float = LINK, download: str = "") -> str:
        """Sign for it."""
        return await self._shelf.objects.link(self._shelf.full(name), seconds, download=download)

    def delete(self, name: str, *, linger: float = LINK) -> None:
        """Put its name on the list with the commit."""
        shelf = self._shelf
        self._unit.uncommitted = True
        loose.let_go(self._unit.session, shelf.full(name), shelf.now() + timedelta(seconds=linger))
        self._unit.then(shelf.stir)

    def _keep(self, held: Row) -> None:
        self._unit.uncommitted = True
        loose.keep(self._unit.session, held)


def _check(stored: Stored, held: Row) -> None:
    """Compare what came with what was agreed; not every engine refuses anything else at its own door."""
    if held["type"] is not None and (stored.type, stored.size) != (held["type"], held["size"]):
        agreed, brought = f"{held['size']} bytes of {held['type']}", f"{stored.size} of {stored.type}"
        raise Problem(409, "not-as-agreed", f"{brought} were brought, not {agreed}: ask for another ticket")


def _shown(stored: Stored) -> StoredObject:
    return StoredObject(
        name=stored.name, size=stored.size, type=stored.type, sha256=stored.sha256, modified=stored.modified
    )
