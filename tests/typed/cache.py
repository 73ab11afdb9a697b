"""Values, sessions, leases and kept results as authors write them; none of it is flagged."""

from typing import assert_type

import msgspec

from shoal import CacheStore, Held, Locks, Postgres, Service, Sessions, ShortLived, Transaction, Valkey, anyone
from tests.typed.contract import QuoteMade


class Cart(msgspec.Struct, frozen=True):
    """What somebody means to buy."""

    skus: tuple[str, ...] = ()


carts = Service("carts", store=Postgres(), cache=Valkey())


@carts.cached(ttl=60.0, stale=30.0, absent=5, key="sku", until=[QuoteMade])
async def price(sku: str, tx: Transaction) -> int | None:
    """Tell a price."""
    return await tx.count(Cart, {"sku": sku})


@carts.cached(ttl=60.0)
async def page(number: int, size: int = 20) -> list[str]:
    """List something."""
    return [str(number)] * size


def added(cart: Cart | None) -> Cart:
    """Put something into a cart."""
    return Cart((*(cart or Cart()).skus, "tea"))


@carts.post("/carts/{id}", access=anyone)
async def add(id: str, tx: Transaction, kept: ShortLived, cache: CacheStore) -> Cart:
    """Use everything that keeps values."""
    assert_type(await price("tea", tx), int | None)
    assert_type(await page(1, size=2), list[str])
    assert_type(await cache.get(Cart, id), Cart | None)
    assert_type(await cache.get_many(Cart, [id]), dict[str, Cart])
    await cache.put(id, Cart(), ttl=60)
    assert_type(await kept.count("visits", ttl=60), int)
    found = await kept.update(Cart, id, added, ttl=60)
    assert_type(found, Cart | None)
    return found or Cart()


@carts.post("/sign-in", access=anyone)
async def sign_in(id: str, sessions: Sessions, locks: Locks) -> str:
    """Use sessions and leases."""
    assert_type(await sessions.find(Cart, id), Cart | None)
    assert_type(await sessions.save(id, Cart()), bool)
    async with locks.hold("stock", ttl=5.0, wait=1.0) as held:
        assert_type(held, Held)
        assert_type(held.token, int)
    return await sessions.rotate(id, Cart())
