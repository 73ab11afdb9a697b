"""The catalogue: what the shop sells, and for how much."""

from typing import Annotated

import msgspec

from shoal import (
    S3,
    Between,
    Cache,
    Conflict,
    HashBy,
    HealthCheck,
    MongoDB,
    Objective,
    Objects,
    OpenSearch,
    Outliers,
    Page,
    PageRequest,
    Problem,
    RateLimit,
    ReadModel,
    Reply,
    SearchIndex,
    Service,
    Shedding,
    Traffic,
    Transaction,
    UploadTicket,
    anyone,
    role,
)
from shop.inventory.contract import AvailabilityChanged
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
from shop.products.pictures import MOST as MOST_PICTURES
from shop.products.pictures import Gallery, Picture, PictureBrought, PictureOffer, urls
from shop.products.records import Product
from shop.products.searching import (
    PRICES,
    Availability,
    Offer,
    Results,
    Stock,
    availability,
    offer,
    prices_from,
    results,
)
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
    objects=S3(kinds=[Picture], why="pictures are large, and browsers fetch them past the services"),
    search=OpenSearch(indexes=[Offer], why="customers find products by words, also misspelt, the best first"),
    publishes=[ProductListed, ProductChanged, PriceChanged],
    contracts=[ProductsApi],
    objectives=[Objective(availability=0.999)],
    traffic=TRAFFIC,
)
search = products.projection("product-search", records=[Offer, Availability])


@products.seed("catalogue")
async def seed_catalogue(tx: Transaction) -> None:
    """Open the shop with its first products; the other services open with their own share of them."""
    for new in opening():
        tx.insert(new)
        tx.publish(listed(new))


@products.get("/products", access=anyone, compress=True, objectives=[Objective(latency=0.3, target=0.99)])
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
async def show_priced(sku: str, tx: Transaction, pictures: Objects[Picture]) -> ProductView:
    """Show one product, with its price as one thing, and where its pictures are."""
    return view(await tx.require(Product, sku), await urls(await tx.get(Gallery, sku), pictures))


@products.get("/products/{sku}/printed", access=anyone, cache=KEPT, transform=PRINTED)
async def show_printed(sku: str, tx: Transaction, pictures: Objects[Picture]) -> ProductView:
    """Show the product to which a printed link leads."""
    return view(await tx.require(Product, sku), await urls(await tx.get(Gallery, sku), pictures))


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


@products.post("/products/{sku}/pictures/tickets", status=201, access=role("admin"))
async def offer_picture(sku: Sku, body: PictureOffer, pictures: Objects[Picture], tx: Transaction) -> UploadTicket:
    """Let an administrator bring a picture, past the shop's services."""
    await tx.require(Product, sku)
    return await pictures.ticket(type=body.type, size=body.size)


@products.post("/products/{sku}/pictures", access=role("admin"))
async def hang_picture(sku: Sku, body: PictureBrought, pictures: Objects[Picture], tx: Transaction) -> None:
    """Show a picture that was brought, behind the others of its product."""
    brought = await pictures.accept(body.name)
    before = await tx.require(Product, sku, lock=True)
    gallery = await tx.get(Gallery, sku) or Gallery(sku=sku)
    if len(gallery.pictures) >= MOST_PICTURES:
        raise Problem(409, "gallery-full", f"a product has {MOST_PICTURES} pictures at most")
    tx.put(gallery.with_(brought.name))
    _change(before, tx)


@products.delete("/products/{sku}/pictures/{picture}", access=role("admin"))
async def take_picture_down(sku: Sku, picture: str, pictures: Objects[Picture], tx: Transaction) -> None:
    """Show a picture no more; it is gone an hour later, when no page leads to it."""
    before, name = await tx.require(Product, sku, lock=True), f"pictures/{picture}"
    gallery = await tx.get(Gallery, sku)
    if gallery is None or name not in gallery.pictures:
        raise Problem(404, "not-found", f"{sku} has no such picture")
    pictures.delete(name)
    tx.put(gallery.without(name))
    _change(before, tx)


def _change(before: Product, tx: Transaction) -> None:
    """Announce that a product is shown differently, which ends the pages of it that are kept."""
    after = msgspec.structs.replace(before, version=before.version + 1)
    tx.put(after)
    tx.publish(changed(after))


@products.get(
    "/search",
    access=anyone,
    compress=True,
    limit=RateLimit(requests=20, burst=60, by="address"),
    objectives=[Objective(latency=0.5, target=0.95)],
)
async def find_products(
    page: PageRequest,
    offers: SearchIndex[Offer],
    q: Query,
    category: Category | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
    stock: Stock | None = None,
) -> Results:
    """Find products that have every word of `q` in name or description, the best first; prices are in cents."""
    where: dict[str, str | Between] = {"amount": prices_from(at_least, at_most)}
    where |= {"category": category} if category else {}
    where |= {"stock": stock} if stock else {}
    found = await offers.search(q, where=where, facets=["category", PRICES], limit=page.limit, after=page.offset)
    return results(page, found)


@products.get("/search/suggestions", access=anyone, limit=RateLimit(requests=20, burst=60, by="address"))
async def suggest_products(offers: SearchIndex[Offer], q: Query) -> list[str]:
    """Complete what somebody types to names of products."""
    return list(await offers.suggest(q))


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
async def show_new(event: ProductListed, records: ReadModel) -> None:
    """Have a new product found."""
    await _show(event, records)


@search.on(ProductChanged)
async def show_changed(event: ProductChanged, records: ReadModel) -> None:
    """Have a product found by what it is now."""
    await _show(event, records)


@search.on(AvailabilityChanged)
async def show_stock(event: AvailabilityChanged, records: ReadModel) -> None:
    """Note whether there are any of a product, which may not be known yet."""
    now = availability(event)
    records.put(now)
    if known := await records.get(Offer, event.sku):
        records.put(msgspec.structs.replace(known, stock=now.stock))


async def _show(event: ProductListed | ProductChanged, records: ReadModel) -> None:
    known = await records.get(Availability, event.sku)
    records.put(offer(event, known.stock if known else "IN_STOCK"))
