"""The catalogue: what the shop sells, and for how much."""

from typing import Annotated

import msgspec

from shoal import (
    Cache,
    Conflict,
    HashBy,
    HealthCheck,
    MongoDB,
    Outliers,
    Page,
    PageRequest,
    Problem,
    RateLimit,
    ReadModel,
    Reply,
    Service,
    Shedding,
    Traffic,
    Transaction,
    anyone,
    role,
)
from shop.products.catalogue import (
    NewProduct,
    ProductDetails,
    Sku,
    changed,
    listed,
    opening,
    price,
    price_changed,
    product,
)
from shop.products.contract import Price, PriceChanged, ProductChanged, ProductListed, ProductsApi
from shop.products.coupons import Coupon, inherited
from shop.products.records import Product
from shop.products.searching import MOST, Filters, SearchWord, indexed, ranked, words
from shop.products.showing import DEPRECATED, PRINTED, SUNSET, ProductView, view

Category = Annotated[str, msgspec.Meta(max_length=120)]
Query = Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["cast iron"])]

KEPT = Cache(300, shared=True, invalidated_by=[ProductListed, ProductChanged])

TRAFFIC = Traffic(
    shed=Shedding(least=20),  # who only looks is refused before anybody who orders
    hash_by=HashBy(parameter="sku"),  # each replica keeps the answers about its own products, and not about all
    health=HealthCheck(interval=5, failures=2),  # the home of a product must not be a replica that cannot read it
    outliers=Outliers(errors=5),
)

products = Service(
    "products",
    summary="The catalogue and its prices.",
    store=MongoDB(why="each product has attributes of its own, and is read whole, by its number"),
    publishes=[ProductListed, ProductChanged, PriceChanged],
    contracts=[ProductsApi],
    traffic=TRAFFIC,
)
search = products.projection("product-search", records=[SearchWord])


@products.seed("catalogue")
async def seed_catalogue(tx: Transaction) -> None:
    """Open the shop with its first products; the other services open with their own share of them."""
    for new in opening():
        tx.insert(new)
        tx.publish(listed(new))


@products.get("/products", access=anyone, compress=True)
async def browse(
    page: PageRequest,
    tx: Transaction,
    category: Category | None = None,
) -> Page[Product]:
    """Leaf through the catalogue, by name."""
    where = {"category": category} if category else {}
    found = await tx.find(Product, where, order=("name",), limit=page.limit, offset=page.offset)
    return page.of(found, await tx.count(Product, where))


@products.get("/products/{sku}", access=anyone, cache=KEPT, deprecated=DEPRECATED, sunset=SUNSET)
async def show(sku: str, tx: Transaction) -> Product:
    """Show one product as it was shown before there were versions, to whoever names none."""
    return await tx.require(Product, sku)


@products.get("/products/{sku}", version=2, access=anyone, cache=KEPT)
async def show_priced(sku: str, tx: Transaction) -> ProductView:
    """Show one product, with its price as one thing."""
    return view(await tx.require(Product, sku))


@products.get("/products/{sku}/printed", access=anyone, cache=KEPT, transform=PRINTED)
async def show_printed(sku: str, tx: Transaction) -> ProductView:
    """Show the product to which a printed link leads."""
    return view(await tx.require(Product, sku))


@products.implements(ProductsApi.prices)
async def prices(skus: list[str], tx: Transaction) -> list[Price]:
    """Price products; those that are not on offer are left out."""
    return [price(found) for found in await tx.find(Product, {"sku": tuple(skus)})]


@products.post("/products", status=201, access=role("admin"), idempotent=True)
async def list_product(body: NewProduct, tx: Transaction) -> Reply[Product]:
    """Bring a product on offer."""
    new = product(body.sku, body)
    tx.insert(new)
    tx.publish(listed(new))
    try:
        await tx.flush()
    except Conflict as conflict:
        raise Problem(409, "sku-taken", f"a product {new.sku} is on offer already") from conflict
    return Reply(body=new, status=201, headers={"Location": f"/products/{new.sku}"})


@products.put("/products/{sku}", access=role("admin"))
async def change_product(sku: Sku, body: ProductDetails, tx: Transaction) -> Product:
    """Change a product; orders that were placed keep their price."""
    before = await tx.require(Product, sku, lock=True)
    after = product(sku, body, before.version + 1)
    tx.put(after)
    tx.publish(changed(after))
    if news := price_changed(before, after):
        tx.publish(news)
    return after


@products.get("/search", access=anyone, compress=True, limit=RateLimit(requests=20, burst=60, by="address"))
async def find_products(
    page: PageRequest, tx: Transaction, q: Query, category: Category | None = None, at_most: int | None = None
) -> Page[Product]:
    """Find products that have every word of `q` in name or description, the best first; `at_most` is in cents."""
    asked = [await tx.find(SearchWord, {"word": word}, limit=MOST) for word in dict.fromkeys(words(q))]
    skus = ranked(asked, Filters(category=category, at_most=at_most))
    shown = skus[page.offset : page.offset + page.limit]
    known = {found.sku: found for found in await tx.find(Product, {"sku": tuple(shown)})} if shown else {}
    return page.of([known[sku] for sku in shown if sku in known], len(skus))


@products.seed("coupons")
async def seed_coupons(tx: Transaction) -> None:
    """Take the coupons over from the old application."""
    for coupon in inherited():
        tx.insert(coupon)


@products.get("/coupons/{code}", access=anyone)
async def show_coupon(code: str, tx: Transaction) -> Coupon:
    """Show what a coupon takes off."""
    return await tx.require(Coupon, code)


@search.on(ProductListed)
async def index(event: ProductListed, records: ReadModel) -> None:
    """Note the words of a new product."""
    for word in indexed(event):
        records.insert(word)


@search.on(ProductChanged)
async def index_again(event: ProductChanged, records: ReadModel) -> None:
    """Note the words that a product has now, and none that it has no more."""
    fresh = {word.word_id: word for word in indexed(event)}
    for known in await records.find(SearchWord, {"sku": event.sku}):
        if known.word_id not in fresh:
            records.delete(SearchWord, known.word_id)
    for word in fresh.values():
        records.put(word)
