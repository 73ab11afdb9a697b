"""Finding products through the gateway."""

from shoal.testing import MemorySystem


async def names(system: MemorySystem, query: str) -> list[str]:
    answer = await system.get(f"/search?{query}")
    assert answer.status == 200, answer.body
    return [product["name"] for product in answer.json()["data"]]


async def test_products_are_found_by_their_words(system: MemorySystem) -> None:
    await system.settle()
    skillets = await names(system, "q=SKILLET+cast-iron")
    assert skillets
    assert all("skillet" in name.lower() for name in skillets)
    assert await names(system, "q=skillet&category=books") == []
    cheap = (await system.get("/search?q=skillet&at_most=4000")).json()
    assert {product["amount"] <= 4000 for product in cheap["data"]} == {True}
    assert await names(system, "q=unobtainium") == []
    assert (await system.get("/search?q=")).status == 422
    assert (await system.get("/search")).status == 422


async def test_slips_are_forgiven_and_said(system: MemorySystem) -> None:
    await system.settle()
    guessed = (await system.get("/search?q=skilet")).json()
    assert guessed["guessed"]
    assert "skillet" in guessed["data"][0]["name"].lower()
    suggested = (await system.get("/search/suggestions?q=skil")).json()
    assert suggested
    assert all("skil" in name.lower() for name in suggested)


async def test_what_is_found_is_counted_by_category_and_price(system: MemorySystem) -> None:
    await system.settle()
    found = (await system.get("/search?q=cotton&limit=1")).json()
    total = found["pagination"]["total"]
    assert total == sum(each["count"] for each in found["categories"]) == sum(each["count"] for each in found["prices"])
    first = found["categories"][0]
    narrowed = (await system.get(f"/search?q=cotton&category={first['category']}")).json()
    assert narrowed["pagination"]["total"] == first["count"] < total
    band = next(each for each in found["prices"] if each["count"])
    dear = (await system.get(f"/search?q=cotton&at_least={band['least']}&at_most={band['below'] - 1}")).json()
    assert dear["pagination"]["total"] == band["count"]


async def test_what_is_sold_out_is_told_apart(system: MemorySystem, admin_token: str) -> None:
    await system.settle()
    lamp = {"sku": "HOM-9002", "name": "Zephyr lamp", "description": "Light.", "category": "home", "amount": 8900}
    await system.post("/products", json=lamp, token=admin_token)
    await system.settle()
    assert await names(system, "q=zephyr&stock=SOLD_OUT") == ["Zephyr lamp"]
    for available, stock in ((3, "IN_STOCK"), (2, "IN_STOCK"), (0, "SOLD_OUT")):
        answer = await system.put("/stock/HOM-9002", json={"available": available}, token=admin_token)
        assert answer.status == 200, answer.body
        await system.settle()
        assert await names(system, f"q=zephyr&stock={stock}") == ["Zephyr lamp"]
    assert await names(system, "q=zephyr&stock=IN_STOCK") == []
    assert await names(system, "q=skillet&stock=IN_STOCK")


async def test_what_is_found_has_pages(system: MemorySystem) -> None:
    await system.settle()
    first = (await system.get("/search?q=enamel&limit=2")).json()
    assert first["pagination"]["total"] > 2
    second = (await system.get(first["_links"]["next"])).json()
    assert not {p["sku"] for p in first["data"]} & {p["sku"] for p in second["data"]}
    assert (await system.get("/search?q=enamel&page=20000")).status == 400
    for beyond in (2**64, -(2**64)):
        whole = (await system.get(f"/search?q=enamel&{'at_most' if beyond > 0 else 'at_least'}={beyond}")).json()
        assert whole["pagination"] == {**first["pagination"], "limit": 20}
    assert await names(system, f"q=enamel&at_most={-(2**64)}") == []


async def test_new_and_changed_products_are_found_by_what_they_are_now(system: MemorySystem, admin_token: str) -> None:
    globe = {"sku": "HOM-9001", "name": "Globe", "description": "The world.", "category": "home", "amount": 8900}
    await system.post("/products", json=globe, token=admin_token)
    await system.settle()
    assert await names(system, "q=globe") == ["Globe"]
    changed = {key: globe[key] for key in ("category", "amount")} | {"name": "Atlas", "description": "The world, flat."}
    await system.put("/products/HOM-9001", json=changed, token=admin_token)
    await system.settle()
    assert await names(system, "q=globe") == []
    assert await names(system, "q=flat+world") == ["Atlas"]
