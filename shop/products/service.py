"""The catalogue: what the shop sells, and for how much."""

from typing import Annotated

import msgspec

from shoal import (
    Conflict,
    Page,
    PageRequest,
    Postgres,
    Problem,
    Reply,
    Service,
    Transaction,
    anyone,
    role,
)
from shop.products.catalogue import (
    NewProduct,
    ProductDetails,
    Sku,
    listed,
    opening,
    price,
    price_changed,
    product,
)
from shop.products.contract import Price, PriceChanged, ProductListed, ProductsApi
from shop.products.records import Product

products = Service(
    "products",
    summary="The catalogue and its prices.",
    store=Postgres(),
    publishes=[ProductListed, PriceChanged],
    contracts=[ProductsApi],
)


@products.seed("catalogue")
async def seed_catalogue(tx: Transaction) -> None:
    """Open the shop with its first products; the other services open with their own share of them."""
    for new in opening():
        tx.insert(new)


@products.get("/products", access=anyone)
async def browse(
    page: PageRequest,
    tx: Transaction,
    category: Annotated[str, msgspec.Meta(max_length=120)] | None = None,
) -> Page[Product]:
    """Leaf through the catalogue, by name."""
    where = {"category": category} if category else {}
    found = await tx.find(Product, where, order=("name",), limit=page.limit, offset=page.offset)
    return page.of(found, await tx.count(Product, where))


@products.get("/products/{sku}", access=anyone)
async def show(sku: str, tx: Transaction) -> Product:
    """Show one product."""
    return await tx.require(Product, sku)


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
    after = product(sku, body)
    tx.put(after)
    if changed := price_changed(before, after):
        tx.publish(changed)
    return after
