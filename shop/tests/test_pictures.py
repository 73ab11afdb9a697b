"""Pictures of products, and reports as files: brought and fetched past the services."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shoal.testing import MemorySystem
from shop.tests.people import Customer

MUG = "KIT-0160"
PNG = b"\x89PNG\r\n\x1a\n and so on"


async def bring(system: MemorySystem, admin_token: str, content: bytes = PNG) -> str:
    offer = {"type": "image/png", "size": len(content)}
    answer = await system.post(f"/products/{MUG}/pictures/tickets", json=offer, token=admin_token)
    assert answer.status == 201, answer.body
    ticket = answer.json()
    put = await system.follow(ticket["url"], method="PUT", headers=ticket["headers"], content=content)
    assert put.status == 200
    return str(ticket["name"])


async def images(system: MemorySystem, count: int) -> list[str]:
    """Look at the page until it shows so many: it is kept until its product's event has come, and a moment longer."""
    async with asyncio.timeout(10):
        while True:
            found = list((await system.get(f"/v2/products/{MUG}")).json()["images"])
            if len(found) == count:
                return found
            await asyncio.sleep(0.02)


async def test_a_picture_is_brought_shown_and_taken_down(system: MemorySystem, admin_token: str) -> None:
    await images(system, 0)
    name = await bring(system, admin_token)
    assert (await system.post(f"/products/{MUG}/pictures", json={"name": name}, token=admin_token)).status == 204
    (url,) = await images(system, 1)
    seen = await system.follow(url)
    assert (seen.body, seen.headers["content-type"]) == (PNG, "image/png")
    path = f"/products/{MUG}/pictures/{name.partition('/')[2]}"
    assert (await system.delete(path, token=admin_token)).status == 204
    assert (await system.delete(path, token=admin_token)).status == 404
    await images(system, 0)
    assert (await system.follow(url)).status == 200
    system.clock.advance(timedelta(hours=1, seconds=1))
    await system.settle()
    assert await system.objects("products").list() == []


async def test_a_picture_that_is_not_hung_goes(system: MemorySystem, admin_token: str) -> None:
    name = await bring(system, admin_token)
    assert (await system.post("/products/KIT-9999/pictures", json={"name": name}, token=admin_token)).status == 404
    system.clock.advance(timedelta(days=2))
    await system.settle()
    assert await system.objects("products").list() == []


async def test_a_product_has_eight_pictures(system: MemorySystem, admin_token: str) -> None:
    for status in [204] * 8 + [409]:
        name = await bring(system, admin_token)
        answer = await system.post(f"/products/{MUG}/pictures", json={"name": name}, token=admin_token)
        assert answer.status == status
    await images(system, 8)


@pytest.mark.parametrize(
    "offer", [{"type": "image/svg+xml", "size": 5}, {"type": "image/png", "size": 5_000_001}, {"type": "image/png"}]
)
async def test_what_is_no_picture_is_refused(system: MemorySystem, admin_token: str, offer: dict[str, Any]) -> None:
    answer = await system.post(f"/products/{MUG}/pictures/tickets", json=offer, token=admin_token)
    assert answer.status == 422


async def test_customers_hang_nothing(system: MemorySystem, ada: Customer) -> None:
    offer = {"type": "image/png", "size": 5}
    assert (await system.post(f"/products/{MUG}/pictures/tickets", json=offer, token=ada.token)).status == 403
    assert (await system.post(f"/products/{MUG}/pictures", json={"name": "x"}, token=ada.token)).status == 403


async def test_a_report_is_a_file_for_an_hour(system: MemorySystem, ada: Customer, admin_token: str) -> None:
    total = (await ada.order((MUG, 2))).json()["total"]
    await system.settle()
    answer = await system.post("/reports/revenue/exports", token=admin_token)
    assert answer.status == 201, answer.body
    file = await system.follow(answer.json()["url"])
    assert file.headers["content-disposition"].endswith("revenue.csv")
    head, row = file.body.decode().splitlines()
    assert head.startswith("day,")
    assert row.endswith(f",{total}")
    assert (await system.post("/reports/revenue/exports", token=ada.token)).status == 403
    system.clock.advance(3601)
    await system.settle()
    assert (await system.follow(answer.json()["url"])).status == 403
    assert await system.objects("analytics").list() == []
