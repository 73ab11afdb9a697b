"""Who asks whom, and how often."""

from tests.check.breaks.kinds import Break, Edit, Found

ORDERS = "shop/orders"
INVENTORY = "shop/inventory"
PRODUCTS = "shop/products"

_STOCKED = """\
async def prices(skus: list[str], tx: Transaction, stock: StockApi) -> list[Price]:
    \"\"\"Price products; those that are not on offer are left out.\"\"\"
    there = {level.sku for level in await stock.levels(skus) if level.available}
    skus = [sku for sku in skus if sku in there]
"""
_KNOWN = """\
async def prices(skus: list[str], tx: Transaction) -> list[Price]:
    \"\"\"Price products; those that are not on offer are left out.\"\"\"
    known = await tx.find(Availability, {"sku": tuple(skus)}, limit=len(skus))
    gone = {each.sku for each in known if each.stock != "IN_STOCK"}
    skus = [sku for sku in skus if sku not in gone]
"""
_PRICES = """\
async def prices(skus: list[str], tx: Transaction) -> list[Price]:
    \"\"\"Price products; those that are not on offer are left out.\"\"\"
"""

COUPLING = (
    Break(
        name="the catalogue asks inventory, which asks the catalogue",
        edits=(
            Edit(f"{PRODUCTS}/service.py", _PRICES, _STOCKED),
            Edit(f"{PRODUCTS}/service.py", "import AvailabilityChanged\n", "import AvailabilityChanged, StockApi\n"),
        ),
        found=(
            Found(
                "SH102",
                f"{INVENTORY}/service.py",
                "        prices = await products.prices([sku])",
                "services call each other in a circle: inventory → products → inventory",
                "let inventory announce by an event what products asks it for",
            ),
            Found(
                "SH305",
                f"{PRODUCTS}/service.py",
                "in await stock.levels(skus)",
                "products.prices is critical, and calls inventory.levels without a breaker",
                "declare one: products.breaker(StockApi.levels, reset_timeout=5)",
            ),
        ),
        remedy=(
            Edit(f"{PRODUCTS}/service.py", _STOCKED, _KNOWN),
            Edit(f"{PRODUCTS}/service.py", "import AvailabilityChanged, StockApi\n", "import AvailabilityChanged\n"),
        ),
    ),
    Break(
        name="prices are asked for one by one",
        edits=(
            Edit(
                f"{ORDERS}/service.py",
                "    offered = await products.prices(skus=list(pieces(body)))\n",
                "    offered = [(await products.prices(skus=[sku]))[0] for sku in pieces(body)]\n",
            ),
        ),
        found=(
            Found(
                "SH103",
                f"{ORDERS}/service.py",
                "offered = [",
                "orders.place_order calls products.prices for each round of a loop",
                "give products.prices all of them at once",
            ),
        ),
        remedy=(
            Edit(
                f"{ORDERS}/service.py",
                "[(await products.prices(skus=[sku]))[0] for sku in pieces(body)]\n",
                "await products.prices(list(pieces(body)))\n",
            ),
        ),
    ),
)
