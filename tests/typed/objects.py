"""Objects as authors write them; none of it is flagged."""

from collections.abc import AsyncIterator
from typing import assert_type

from shoal import (
    S3,
    BlobStorage,
    CloudStorage,
    Objects,
    Postgres,
    Service,
    StoredObject,
    Transaction,
    UploadTicket,
    anyone,
    object_kind,
)


@object_kind("pictures", largest=5_000_000, types=["image/png"])
class Picture:
    """What hangs."""


@object_kind("exports", largest=50_000_000)
class Export:
    """What is fetched once."""


gallery = Service("gallery", store=Postgres(), objects=S3(kinds=[Picture, Export], why="browsers fetch them"))
annex = Service("annex", store=Postgres(), objects=CloudStorage(kinds=(Picture,)))
cellar = Service("cellar", store=Postgres(), objects=BlobStorage(kinds=[Picture], why="it is where the rest is"))


async def lines() -> AsyncIterator[bytes]:
    """Come in pieces."""
    yield b"a"


@gallery.post("/pictures", access=anyone)
async def hang(pictures: Objects[Picture], exports: Objects[Export], tx: Transaction) -> UploadTicket:
    """Use everything that objects can."""
    assert_type(await pictures.put(b"x", type="image/png"), StoredObject)
    stored = await exports.put(lines(), type="text/csv")
    assert_type(stored.name, str)
    assert_type(await pictures.accept("pictures/1"), StoredObject)
    assert_type(await pictures.find(stored.name), StoredObject | None)
    assert_type(await pictures.read(stored.name), bytes | None)
    assert_type(await exports.stream(stored.name, 3, 9), AsyncIterator[bytes] | None)
    assert_type(await exports.url(stored.name, seconds=60, download="a.csv"), str)
    exports.delete(stored.name, linger=0)
    await tx.flush()
    return await pictures.ticket(type="image/png", size=5, seconds=60)
