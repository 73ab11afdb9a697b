"""Who comes to the shop, and what they do there; for ``shoal load``. Everything they ask for is in the catalogue."""

from itertools import count
from urllib.parse import quote

import msgspec

from shoal.load import Answer, Journey, Load, Persona, Visitor, constant, exponential, lognormal

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist
CARDS = {"tok_visa": 85, "tok_mastercard": 5, "tok_declined": 5, "tok_insufficient_funds": 4, "tok_slow": 1}
"""Cards by how often they are shown."""
REGULARS = 5
"""Customers who have an account already."""
LOOKS = 15
"""How often a customer looks whether his order is confirmed."""


class Offer(msgspec.Struct, frozen=True):
    """A product as far as visitors care."""

    sku: str
    name: str
    category: str


class Offers(msgspec.Struct, frozen=True):
    """A page of the catalogue."""

    data: tuple[Offer, ...]


class Token(msgspec.Struct, frozen=True):
    """What signing in gives."""

    access_token: str


class Placed(msgspec.Struct, frozen=True):
    """An order, as far as its customer looks."""

    order_id: str
    status: str


class Known(msgspec.Struct, frozen=True):
    """What visitors know of the shop."""

    offers: tuple[Offer, ...]
    words: tuple[str, ...]
    """What they look for."""
    regulars: tuple[str, ...]
    """Tokens."""


Shopper = Visitor[Known]


async def prepare(visitor: Visitor[None]) -> Known:
    """Read the catalogue, and let a few regular customers open their accounts."""
    offers: list[Offer] = []
    for page in count(1):
        found = (await visitor.get(f"/products?limit=100&page={page}")).read(Offers).data
        offers += found
        if not found:
            break
    regulars = [await account(visitor, f"{visitor.name}-{number}@load.example") for number in range(REGULARS)]
    words = {word for offer in offers for word in offer.name.replace(",", "").split() if len(word) > 3}
    return Known(tuple(offers), tuple(sorted(words)), tuple(regulars))


async def browse(visitor: Shopper) -> None:
    """Leaf, search, look at a few products, and go."""
    page = visitor.random.randint(1, 1 + len(visitor.data.offers) // 20)
    await visitor.get(f"/products?limit=20&page={page}")
    await visitor.think()
    if visitor.random.random() < 0.5:
        await visitor.get(f"/search?q={quote(visitor.random.choice(visitor.data.words))}")
        await visitor.think()
    for _ in range(visitor.random.randint(1, 4)):
        await look(visitor)
        await visitor.think()


async def fill_cart(visitor: Shopper) -> None:
    """Put some products into a cart, look at it, and think better of it."""
    for sku in await choose(visitor):
        await visitor.put(f"/web/cart/{quote(sku)}", json={"quantity": visitor.random.randint(1, 2)})
        await visitor.think()
    await visitor.get("/web/cart")
    if visitor.random.random() < 0.3:
        await visitor.think()
        await visitor.delete("/web/visit")


async def first_order(visitor: Shopper) -> None:
    """Open an account, go on with the cart that is there, and buy it."""
    wanted = await choose(visitor)
    for sku in wanted:
        await visitor.put(f"/web/cart/{quote(sku)}", json={"quantity": 1})
        await visitor.think()
    visitor.bearer = await account(visitor, f"{visitor.name}@load.example")
    await visitor.post("/web/visit")
    await visitor.get("/web/cart")
    await visitor.think()
    await buy(visitor, wanted)


async def another_order(visitor: Shopper) -> None:
    """Come back, see what was ordered before, and buy something."""
    visitor.bearer = visitor.random.choice(visitor.data.regulars)
    await visitor.get("/history?limit=10")
    await visitor.think()
    await buy(visitor, await choose(visitor))


async def report(visitor: Shopper) -> None:
    """Look how the shop does."""
    await visitor.get("/reports/revenue")
    await visitor.think()
    await visitor.get("/reports/top-products?limit=10")
    await visitor.think()
    await visitor.get("/reports/funnel")


async def account(visitor: Visitor[Known] | Visitor[None], email: str) -> str:
    """Sign up and in."""
    await visitor.post("/users", json={"email": email, "name": "Ada", "password": PASSWORD})
    answer = await visitor.post("/sessions", json={"email": email, "password": PASSWORD})
    return answer.read(Token).access_token


async def look(visitor: Shopper) -> str:
    """Look at one product, and at what there is of it and its neighbours."""
    offer = visitor.random.choice(visitor.data.offers)
    await visitor.get(f"/v2/products/{quote(offer.sku)}")
    await visitor.get(f"/web/products?sku={quote(offer.sku)}")
    return offer.sku


async def choose(visitor: Shopper) -> list[str]:
    """Look at some products, and want them."""
    wanted = []
    for _ in range(visitor.random.choices((1, 2, 3), (6, 3, 1))[0]):
        wanted.append(await look(visitor))
        await visitor.think()
    return list(dict.fromkeys(wanted))


async def buy(visitor: Shopper, wanted: list[str]) -> None:
    """Order, wait for the order's end, and give it back now and then."""
    card = visitor.random.choices(tuple(CARDS), tuple(CARDS.values()))[0]
    order = {"lines": [{"sku": sku, "quantity": 1} for sku in wanted], "payment_method": card}
    answer = await visitor.post("/orders", json=order, headers={"Idempotency-Key": visitor.name})
    placed = await end_of(visitor, answer)
    if placed.status == "CONFIRMED" and visitor.random.random() < 0.1:
        await visitor.think()
        await visitor.post(f"/orders/{placed.order_id}/return")


async def end_of(visitor: Shopper, answer: Answer) -> Placed:
    """Look at an order until it is confirmed or cancelled, or until it takes too long."""
    placed = answer.read(Placed)
    for _ in range(LOOKS):
        if placed.status in ("CONFIRMED", "CANCELLED"):
            break
        await visitor.think(constant(1.0))
        placed = (await visitor.get(f"/orders/{placed.order_id}")).read(Placed)
    return placed


load = Load(
    [
        Journey("browse", browse, weight=70, think=lognormal(2.0)),
        Journey("cart", fill_cart, weight=15, think=lognormal(2.0)),
        Journey("first-order", first_order, weight=4, think=lognormal(3.0)),
        Journey("another-order", another_order, weight=10, think=lognormal(2.0)),
        Journey("report", report, weight=1, think=exponential(5.0), persona=Persona(subject="staff", roles=("admin",))),
    ],
    prepare=prepare,
)
