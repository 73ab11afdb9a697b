"""What authors write to keep objects, such as pictures and exports, and what handlers ask for."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.model.objects import ObjectKind as KindModel
from shoal.model.objects import ObjectsUse
from shoal.service.marks import check_kinds, placed
from shoal.service.source import of_caller, of_class

C = TypeVar("C")
T_co = TypeVar("T_co", covariant=True)

UPLOAD = 900.0
"""Seconds in which a client may begin to bring an object, when nothing is said."""

LINK = 3600.0
"""Seconds that a URL leads to an object, and that one stays which was deleted, when nothing is said."""


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object that is there."""

    name: str
    """What a record keeps of it."""
    size: int
    """Bytes."""
    type: str
    """Media type, as it was said by who brought it."""
    sha256: str = ""
    """Digest of the content, hexadecimal; empty when a client brought it without passing through the service, and
    when the engine keeps none."""
    modified: datetime


class UploadTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What a client needs to bring one object: ``PUT url`` with these headers, and as many bytes as agreed."""

    name: str
    """What it sends back when it is done, for `Objects.accept`."""
    url: str
    headers: Mapping[str, str]
    until: datetime
    """When it ends."""


class Objects(Protocol[T_co]):
    """The objects of one kind, within the transaction of the handler.

    A store of objects commits with no database. So each object has a fresh name, and nothing replaces it: it is written
    first, and stays if, and only if, the transaction commits that keeps its name. What is left of the others is removed
    a day later. Every method but `delete` may raise `Unavailable`.
    """

    async def put(self, content: bytes | AsyncIterable[bytes], *, type: str) -> StoredObject:
        """Write an object, which stays if this transaction commits; keep its name in a record.

        Write before you lock records, which others would wait for.

        Raises:
            Problem: 413 or 415 for what the kind does not allow, since it is most often what a caller sent.
        """
        ...

    async def ticket(self, *, type: str, size: int, seconds: float = UPLOAD) -> UploadTicket:
        """Let a client bring an object itself, past the service; what nobody accepts is removed.

        It commits by itself, whatever becomes of this transaction.

        Args:
            type: Media type of what it will bring.
            size: Bytes of it, exactly.
            seconds: Within which it may begin, up to six days.

        Raises:
            Problem: 413 or 415 for what the kind does not allow.
        """
        ...

    async def accept(self, name: str) -> StoredObject:
        """Take what a client brought by a ticket: it stays if this transaction commits.

        Raises:
            Problem: 404 where there is no such ticket any more; 409 where nothing was brought yet, or something else
                than was agreed.
        """
        ...

    async def find(self, name: str) -> StoredObject | None:
        """Ask what is known of an object; None when there is none."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Read an object whole; None when there is none."""
        ...

    async def stream(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Read an object in pieces, from byte `start` up to `stop`; None when there is none."""
        ...

    async def url(self, name: str, *, seconds: float = LINK, download: str = "") -> str:
        """Sign a URL by which whoever has it reads the object, up to six days; asks nobody whether it is there.

        Args:
            name: Which one.
            seconds: How long it holds.
            download: File name under which a browser saves it; it shows it when empty.
        """
        ...

    def delete(self, name: str, *, linger: float = LINK) -> None:
        """Remove an object once this transaction has committed, `linger` seconds after: URLs may still be about."""
        ...


class ObjectMark(msgspec.Struct, frozen=True, kw_only=True):
    """What `object_kind` says about a class."""

    kind: KindModel


class ObjectsDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A service's objects, their kinds as classes."""

    production: str
    kinds: tuple[type, ...]
    why: str = ""


def object_kind(name: str, *, largest: int, types: Sequence[str] = ()) -> Callable[[type[C]], type[C]]:
    """Declare objects of one kind; a handler asks for them by ``Objects[TheClass]``.

    Args:
        name: How their names begin: lower-case letters, digits and ``-``.
        largest: Bytes that one may have, up to 5,000 MiB.
        types: Media types that one may have, such as ``image/png``; any when there is none. What a browser shows can
            run scripts in the name of your site when it is HTML or SVG: name those that you mean.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        check_kinds(
            f"object_kind({name!r})",
            {"name": name, "largest": largest, "types": types},
            {"name": str, "largest": int, "types": Sequence[str]},
            place,
        )
        with placed(place):
            kind = KindModel(name=name, largest=largest, types=tuple(types), source=place)
        cls.__shoal_object__ = ObjectMark(kind=kind)  # type: ignore[attr-defined]
        return cls

    return mark


def S3(*, kinds: Sequence[type], why: str = "") -> ObjectsDeclaration:  # noqa: N802 - reads as the engine
    """Keep objects in Amazon S3 in production, or in what speaks its protocol; on a laptop in a folder.

    Args:
        kinds: Classes declared with `object_kind`.
        why: Why this engine suits the service, for the documents.
    """
    return _objects("s3", kinds, why, of_caller()[1])


def CloudStorage(*, kinds: Sequence[type], why: str = "") -> ObjectsDeclaration:  # noqa: N802 - reads as the engine
    """Keep objects in Google Cloud Storage in production; on a laptop in a folder.

    Args:
        kinds: Classes declared with `object_kind`.
        why: Why this engine suits the service, for the documents.
    """
    return _objects("gcs", kinds, why, of_caller()[1])


def BlobStorage(*, kinds: Sequence[type], why: str = "") -> ObjectsDeclaration:  # noqa: N802 - reads as the engine
    """Keep objects in Azure Blob Storage in production; on a laptop in a folder.

    Args:
        kinds: Classes declared with `object_kind`.
        why: Why this engine suits the service, for the documents.
    """
    return _objects("blob", kinds, why, of_caller()[1])


def _objects(production: str, kinds: Sequence[type], why: str, place: str) -> ObjectsDeclaration:
    check_kinds("objects", {"kinds": kinds}, {"kinds": Sequence[type]}, place)
    with placed(place):
        for kind in kinds:
            object_mark(kind)
    return ObjectsDeclaration(production=production, kinds=tuple(kinds), why=why)


def object_mark(cls: type) -> ObjectMark:
    """Return what `object_kind` said about a class, or raise `DeclarationError`."""
    found = cls.__dict__.get("__shoal_object__")
    if isinstance(found, ObjectMark):
        return found
    raise DeclarationError(
        f"{cls.__name__} is no kind of objects",
        hint='decorate it: @object_kind("pictures", largest=5_000_000)',
        where=of_class(cls),
    )


def describe_objects(declared: ObjectsDeclaration | None) -> ObjectsUse | None:
    """Describe a service's objects as pure data."""
    if declared is None:
        return None
    kinds = tuple(object_mark(kind).kind for kind in declared.kinds)
    return ObjectsUse(production=declared.production, kinds=kinds, why=declared.why)
