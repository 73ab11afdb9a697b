"""Labels show prices while the catalogue is away; nobody can buy by them."""

from shoal.testing import MemorySystem
from shop.tests.people import Customer


def away(system: MemorySystem, service: str) -> None:
    """Let a service be gone from the network."""
    del system._transport.applications[service]


async def test_a_label_says_what_the_catalogue_says(system: MemorySystem) -> None:
    assert (await system.get("/stock/KIT-0160/label")).json() == {
        "sku": "KIT-0160",
        "available": 2840,
        "price": {"sku": "KIT-0160", "name": "Enamel mug, cream", "amount": 1250, "currency": "EUR"},
        "current": True,
    }
    assert (await system.get("/stock/NO-0000/label")).status == 404


async def test_a_scanner_is_told_what_belongs_on_each_shelf(system: MemorySystem, admin_token: str) -> None:
    async with system.socket("/scanner", token=admin_token) as scanner:
        for sku, price in (("KIT-0160", 1250), ("BOK-0121", 6500)):
            await scanner.say({"sku": sku})
            assert (await scanner.hear())["label"]["price"]["amount"] == price
        await scanner.say({"sku": "NO-0000"})
        assert await scanner.hear() == {"sku": "NO-0000", "label": None}
    async with system.socket("/scanner") as stranger:
        assert stranger.status == 401


async def test_while_the_catalogue_is_away_the_last_price_is_shown_and_said_to_be_old(
    system: MemorySystem, ada: Customer
) -> None:
    await system.get("/stock/KIT-0160/label")
    away(system, "products")
    seen = [(await system.get("/stock/KIT-0160/label")).json() for _ in range(12)]
    assert {(label["price"]["amount"], label["current"]) for label in seen} == {(1250, False)}
    never_asked = (await system.get("/stock/KIT-0110/label")).json()
    assert (never_asked["price"], never_asked["current"]) == (None, False)
    refused = await ada.order(("KIT-0160", 1))
    assert refused.status == 502
    system.clock.advance(3601)
    assert (await system.get("/stock/KIT-0160/label")).json()["price"] is None
