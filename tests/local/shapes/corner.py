"""A service that keeps values in Valkey, and one that keeps nothing."""

import msgspec

from shoal import CacheStore, Service, ShortLived, System, Valkey, anyone


class Note(msgspec.Struct, frozen=True):
    """Something to remember for a while."""

    text: str


corner = Service("corner", cache=Valkey())
plain = Service("plain")


@corner.put("/notes/{name}", access=anyone)
async def write(name: str, note: Note, cache: CacheStore) -> None:
    """Remember it, unless the cache is away."""
    await cache.put(name, note, ttl=600)


@corner.get("/notes/{name}", access=anyone)
async def read(name: str, cache: CacheStore) -> Note | None:
    """Tell it."""
    return await cache.get(Note, name)


@corner.post("/visits", access=anyone)
async def visit(kept: ShortLived) -> int:
    """Count visits, which nothing else knows."""
    return await kept.count("visits", ttl=600)


@plain.get("/plain", access=anyone)
async def nothing() -> str:
    """Answer."""
    return "nothing is kept"


system = System("village", services=[corner, plain])
