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


async def test_what_is_found_has_pages(system: MemorySystem) -> None:
    await system.settle()
    first = (await system.get("/search?q=enamel&limit=2")).json()
    assert first["pagination"]["total"] > 2
    second = (await system.get(first["_links"]["next"])).json()
    assert not {p["sku"] for p in first["data"]} & {p["sku"] for p in second["data"]}


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
