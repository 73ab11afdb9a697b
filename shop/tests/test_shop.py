"""The rest of the shop: accounts, the catalogue and the shelves."""

import base64
import json
from typing import Any

import pytest

from shoal.testing import MemorySystem
from shop.inventory.delivery import opening as opening_shelves
from shop.products.catalogue import opening as opening_catalogue
from shop.products.contract import PriceChanged
from shop.tests.people import Customer

ACCOUNT = {"email": "Ada@Example.com", "name": "Ada Lovelace", "password": "a password of some length"}
GLOBE = {
    "sku": "HOM-9001",
    "name": "Globe",
    "description": "The world, 30 cm across.",
    "category": "home",
    "amount": 8900,
}


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def test_a_customer_signs_up_logs_in_and_is_known(system: MemorySystem) -> None:
    made = await system.post("/users", json=ACCOUNT)
    assert made.status == 201
    assert "password" not in made.body.decode()
    credentials = {"email": "ada@example.COM", "password": ACCOUNT["password"]}
    session = await system.post("/sessions", json=credentials)
    assert session.status == 200
    assert session.headers["cache-control"] == "no-store"
    assert (session.json()["token_type"], session.json()["expires_in"]) == ("Bearer", 3600)
    token = session.json()["access_token"]
    assert claims_of(token)["email"] == "Ada@Example.com"
    assert claims_of(token)["roles"] == ["customer"]
    me = await system.get("/users/me", token=token)
    assert me.json() == made.json()


async def test_an_address_has_one_account(system: MemorySystem) -> None:
    assert (await system.post("/users", json=ACCOUNT)).status == 201
    again = await system.post("/users", json=ACCOUNT | {"email": "ada@EXAMPLE.com"})
    assert again.status == 409
    assert again.json()["type"].endswith("email-taken")


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_a_wrong_password_and_an_unknown_user_are_told_the_same(
    system: MemorySystem, ada: Customer, email: str
) -> None:
    answer = await system.post("/sessions", json={"email": email, "password": "wrong"})
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["detail"] == "e-mail address or password is wrong"


async def test_a_token_ends(system: MemorySystem, ada: Customer) -> None:
    assert (await system.get("/users/me", token=ada.token)).status == 200
    system.clock.advance(3600 + 120)
    assert (await system.get("/users/me", token=ada.token)).status == 401


async def test_the_catalogue_has_pages_and_categories(system: MemorySystem) -> None:
    first = (await system.get("/products?limit=100")).json()
    assert first["pagination"]["total"] == len(opening_catalogue())
    names = [product["name"] for product in first["data"]]
    assert names == sorted(names)
    books = (await system.get("/products?category=books&limit=5")).json()
    assert {product["category"] for product in books["data"]} == {"books"}
    assert "category=books" in books["_links"]["next"]
    following = (await system.get(books["_links"]["next"])).json()
    assert following["pagination"]["page"] == 2
    assert not {p["sku"] for p in books["data"]} & {p["sku"] for p in following["data"]}
    assert (await system.get("/products?category=swords")).json()["data"] == []
    assert (await system.get("/products?limit=101")).status == 422


async def test_a_product_is_shown_or_unknown(system: MemorySystem) -> None:
    assert (await system.get("/products/KIT-0160")).json()["name"] == "Enamel mug, cream"
    assert (await system.get("/products/KIT-9999")).status == 404


async def test_a_product_has_two_versions_and_a_printed_link(system: MemorySystem) -> None:
    first = await system.get("/products/KIT-0160")
    second = (await system.get("/products/KIT-0160", headers={"api-version": "2"})).json()
    assert (first.json()["amount"], second["price"]) == (1250, {"amount": 1250, "currency": "EUR"})
    assert {"deprecation", "sunset", "link"} <= first.headers.keys()
    printed = await system.get("/p/KIT-0160?utm_source=autumn")
    assert printed.json() == second == (await system.get("/v2/products/KIT-0160")).json()
    assert (await system.get("/products/KIT-0160/printed")).status == 404


async def test_prices_are_for_services_only(system: MemorySystem, ada: Customer) -> None:
    assert (await system.get("/prices?skus=KIT-0160", token=ada.token)).status == 404


async def test_an_administrator_lists_a_product_with_its_shelf(
    system: MemorySystem, ada: Customer, admin_token: str
) -> None:
    assert (await system.post("/products", json=GLOBE, token=ada.token)).status == 403
    made = await system.post("/products", json=GLOBE, token=admin_token)
    assert (made.status, made.headers["location"]) == (201, "/products/HOM-9001")
    assert (await system.post("/products", json=GLOBE, token=admin_token)).status == 409
    await system.settle()
    assert (await system.get("/stock/HOM-9001")).json()["available"] == 0
    counted = await system.put("/stock/HOM-9001", json={"available": 5}, token=admin_token)
    assert (counted.json()["received"], counted.json()["available"]) == (5, 5)
    assert (await ada.order(("HOM-9001", 1))).json()["total"] == 8900


async def test_a_new_price_is_announced_and_spares_placed_orders(
    system: MemorySystem, ada: Customer, admin_token: str
) -> None:
    order_id = (await ada.order(("KIT-0160", 1))).json()["order_id"]
    mug = (await system.get("/products/KIT-0160")).json()
    dearer = {key: mug[key] for key in ("name", "description", "category")} | {"amount": 1400}
    assert (await system.put("/products/KIT-0160", json=dearer, token=ada.token)).status == 403
    assert (await system.put("/products/KIT-0160", json=dearer, token=admin_token)).json()["amount"] == 1400
    changed = await system.events.expect(PriceChanged)
    assert (changed.sku, changed.before, changed.amount) == ("KIT-0160", 1250, 1400)
    assert (await ada.get(f"/orders/{order_id}"))["total"] == 1250
    assert (await ada.order(("KIT-0160", 1))).json()["total"] == 1400


async def test_what_administrators_do_is_on_record(system: MemorySystem, ada: Customer, admin_token: str) -> None:
    await system.post("/products", json=GLOBE, token=admin_token)
    await system.settle()
    await system.put("/stock/HOM-9001", json={"available": 5}, token=admin_token)
    await ada.order(("HOM-9001", 1))
    await system.settle()
    admin = claims_of(admin_token)["sub"]
    for service, operation, status in (("products", "list_product", 201), ("inventory", "count_stock", 200)):
        (entry,) = await system.commands(service)
        assert (entry.subject, entry.operation, entry.status) == (admin, operation, status)
    assert await system.commands("orders") == []


async def test_only_an_administrator_counts_stock(system: MemorySystem, ada: Customer) -> None:
    assert (await system.put("/stock/KIT-0160", json={"available": 1})).status == 401
    assert (await system.put("/stock/KIT-0160", json={"available": 1}, token=ada.token)).status == 403


async def test_every_product_has_a_shelf() -> None:
    assert {item.sku for item in opening_shelves()} == {product.sku for product in opening_catalogue()}


class TestWithoutAPasswordForAnAdministrator:
    @pytest.fixture
    def system_environ(self) -> dict[str, str]:
        return {}

    async def test_nobody_is_one(self, system: MemorySystem) -> None:
        for password in ("", "correct horse battery staple", "admin"):
            credentials = {"email": "admin@shop.example", "password": password}
            assert (await system.post("/sessions", json=credentials)).status == 401
