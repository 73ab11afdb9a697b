"""The fronts differ for a reason: gaps in pages, little for the app, all or nothing for partners."""

import pytest

from shoal.testing import MemorySystem
from shop.inventory.contract import Level, StockApi

SKU = "KIT-0110"
PARTNERS = {"host": "partners.shop.example"}


class NoStock:
    """An inventory that is away."""

    async def levels(self, skus: list[str]) -> list[Level]:
        raise TimeoutError


async def test_everybody_is_told_what_they_need(system: MemorySystem) -> None:
    await system.settle()
    page = (await system.get(f"/web/products?sku={SKU}&sku=nothing")).json()
    assert page["missing"] == []
    (shown,) = page["data"]
    assert (shown["price"]["sku"], shown["available"] > 0) == (SKU, True)
    card = (await system.get(f"/mobile/products/{SKU}")).json()["data"]
    assert (card["name"], card["buyable"]) == (shown["price"]["name"], True)
    partner = PARTNERS | {"x-api-key": system.key("marketplace")}
    (offer,) = (await system.get(f"/partner/offers?sku={SKU}", headers=partner)).json()
    assert (offer["amount"], offer["available"]) == (shown["price"]["amount"], shown["available"])
    assert (await system.get(f"/v1/partner/offers?sku={SKU}", headers=partner)).json() == [offer]


async def test_while_the_shelves_are_away_pages_have_gaps_and_partners_wait(system: MemorySystem) -> None:
    await system.settle()
    with system.override(StockApi, NoStock()):
        page = (await system.get(f"/web/products?sku={SKU}")).json()
        assert (page["data"][0]["available"], page["missing"]) == (None, [{"part": "stock", "reason": "timed-out"}])
        card = (await system.get(f"/mobile/products/{SKU}")).json()
        assert (card["data"]["buyable"], [m["part"] for m in card["missing"]]) == (True, ["stock"])
        partner = PARTNERS | {"x-api-key": system.key("price-finder")}
        answer = await system.get(f"/partner/offers?sku={SKU}", headers=partner)
        assert answer.status >= 500


@pytest.mark.parametrize("path", ["/web/products?sku=nothing", "/mobile/products/nothing"])
async def test_what_is_not_on_offer_is_not_there(system: MemorySystem, path: str) -> None:
    assert (await system.get(path)).status == 404


async def test_offers_are_for_partners_at_their_own_host(system: MemorySystem) -> None:
    offers, key = f"/partner/offers?sku={SKU}", {"x-api-key": system.key("marketplace")}
    assert (await system.get(offers, headers=PARTNERS)).status == 401
    assert (await system.get(offers, headers=PARTNERS, token=system.token("ada"))).status == 403
    assert (await system.get(offers, headers=key)).status == 404
    assert (await system.get(offers, headers=key | {"host": "partners.localhost:8000"})).status == 200
    assert (await system.get("/orders", headers=key)).status == 403
