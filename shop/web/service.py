"""Pages: everything about a few products, rather a gap than no page; visits, and carts for a week."""

from typing import Annotated

import msgspec

from shoal import (
    Deadline,
    Header,
    Objective,
    Partial,
    Parts,
    Principal,
    Problem,
    RateLimit,
    Reply,
    Rollout,
    Service,
    Sessions,
    ShortLived,
    Traffic,
    Valkey,
    anyone,
    signed_in,
)
from shop.inventory.contract import Level, StockApi
from shop.products.contract import Price, ProductsApi
from shop.web.carts import Cart, CartView, Sku, Wish, priced, wishing
from shop.web.visits import KEPT, cookie, entered, following, id_of, known

web = Service(
    "web",
    summary="What the shop's pages are told, and what visitors have in their carts.",
    cache=Valkey(why="a cart ends by itself, is read on every page, and is no loss after a week"),
    objectives=[Objective(availability=0.995)],
    traffic=Traffic(rollout=Rollout(override="anyone")),  # who makes the pages sees a new version before its guests do
)

Cookies = Annotated[str, Header("Cookie")]
Skus = Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One product on a page."""

    price: Price
    available: int | None = None
    """Pieces on the shelf; nothing is said where nobody knows."""


# shoal: ignore[SH307] many visitors share one address, and both calls end within their parts of two seconds
@web.get("/web/products", access=anyone, timeout=2.0, objectives=[Objective(latency=0.5, target=0.99)])
async def show_products(
    sku: Skus, deadline: Deadline, products: ProductsApi, inventory: StockApi
) -> Partial[list[Shown]]:
    """Show products with what there is of them."""
    async with Parts(deadline) as parts:
        prices = parts.ask("prices", products.prices(skus=sku), required=True)
        levels = parts.ask("stock", inventory.levels(skus=sku))
    if not prices.value:
        raise Problem(404, "not-found", "none of these is on offer")
    there = {level.sku: level.available for level in levels.otherwise(list[Level]())}
    return parts.of([Shown(price=price, available=there.get(price.sku)) for price in prices.value])


@web.put("/web/cart/{sku}", access=anyone, limit=RateLimit(requests=10, burst=50, by="address"))
async def put_into_cart(
    sku: Sku, body: Wish, sessions: Sessions, kept: ShortLived, cookies: Cookies = ""
) -> Reply[Cart]:
    """Want so many pieces of a product; of two wishes at the same time both count."""
    id_, visit, lasting = await entered(cookies, sessions)
    cart = await kept.update(Cart, visit.cart, lambda before: wishing(before, sku, body.quantity), ttl=lasting)
    return Reply(body=cart or Cart(), headers=cookie(id_, lasting=lasting))


# shoal: ignore[SH307] only who has a visit sets a call off, and visits are limited
@web.get("/web/cart", access=anyone)
async def show_cart(
    sessions: Sessions, kept: ShortLived, products: ProductsApi, cookies: Cookies = ""
) -> Reply[CartView]:
    """Show the visitor's cart at today's prices; who looks keeps it."""
    visit = await known(cookies, sessions)
    if visit is None:
        return Reply(body=CartView())
    cart = await looked_at(visit.cart, kept) or Cart()
    view = priced(cart, await products.prices(skus=list(cart.pieces))) if cart.pieces else CartView()
    return Reply(body=view, headers=cookie(id_of(cookies)))


@web.post("/web/visit", access=signed_in)
async def sign_in(principal: Principal, sessions: Sessions, kept: ShortLived, cookies: Cookies = "") -> Reply[None]:
    """Go on as a customer, with the same cart and under a new id: nobody shares the visit who knew the old one.

    Of a customer who was at this browser before, the cart goes with his visit.
    """
    id_, before, _ = await entered(cookies, sessions)
    visit = following(before, principal.subject)
    if visit.cart == before.cart:
        await looked_at(visit.cart, kept)
    else:
        await kept.delete(Cart, before.cart)
    return Reply(body=None, headers=cookie(await sessions.rotate(id_, visit, ttl=KEPT)))


@web.delete("/web/visit", access=anyone, limit=RateLimit(requests=10, burst=50, by="address"))
async def leave(sessions: Sessions, kept: ShortLived, cookies: Cookies = "") -> Reply[None]:
    """Forget the visit and its cart."""
    visit = await known(cookies, sessions)
    if visit is not None:
        await kept.delete(Cart, visit.cart)
        await sessions.end(id_of(cookies))
    return Reply(body=None, headers=cookie("", lasting=0))


async def looked_at(cart: str, kept: ShortLived) -> Cart | None:
    """Read a cart, and keep it as long as the visit."""
    return await kept.update(Cart, cart, lambda found: found, ttl=KEPT)
