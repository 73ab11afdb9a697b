"""Mistakes with values, sessions, leases and kept results; each line that says so must be flagged."""

from shoal import CacheStore, Locks, Service, Sessions, ShortLived, Valkey
from tests.typed.cache import Cart, page, price

text = Service("text", cache="valkey")  # expect-error
carts = Service("carts", cache=Valkey())
sized = Valkey(memory=1)  # expect-error


@carts.cached(seconds=60)  # expect-error
async def unknown(sku: str) -> str:
    """Name an option that there is not."""
    return sku


@carts.cached(ttl=60)  # expect-error
def blocking(sku: str) -> str:
    """Keep what is not asynchronous."""
    return sku


async def forever(cache: CacheStore, sessions: Sessions, kept: ShortLived) -> None:
    """Keep without an end, and mistake what is found."""
    await cache.put("a", Cart())  # expect-error
    await kept.count("visits")  # expect-error
    number: int = await cache.get(Cart, "a")  # expect-error
    await sessions.begin(Cart(), ttl="1 h")  # expect-error
    await kept.update(Cart, "a", len, ttl=60)  # expect-error
    assert number


async def calls(locks: Locks) -> None:
    """Keep the signature of a function."""
    await price(1)  # expect-error
    await page("1")  # expect-error
    with locks.hold("stock"):  # expect-error
        pass
