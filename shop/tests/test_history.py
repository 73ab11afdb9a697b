"""A customer's order history, as told by events."""

from shoal.testing import MemorySystem
from shop.tests.people import Customer


async def test_the_history_tells_how_each_order_ended(system: MemorySystem, ada: Customer, bob: Customer) -> None:
    kept = (await ada.order(("KIT-0160", 2))).json()["order_id"]
    declined = (await ada.order(("KIT-0110", 1), card="tok_declined")).json()["order_id"]
    missing = (await ada.order(("BOK-0121", 1))).json()["order_id"]
    given_back = (await ada.order(("KIT-0160", 1))).json()["order_id"]
    await bob.order(("KIT-0160", 5))
    await system.settle()
    answer = await system.post(f"/orders/{given_back}/return", token=ada.token)
    assert answer.status == 202, answer.body
    await system.settle()

    history = await ada.get("/history")
    told = {past["order_id"]: (past["outcome"], past.get("reason")) for past in history["data"]}
    assert told == {
        kept: ("CONFIRMED", None),
        declined: ("CANCELLED", "payment-declined"),
        missing: ("CANCELLED", "out-of-stock"),
        given_back: ("RETURNED", None),
    }
    mug = (await ada.get("/products/KIT-0160"))["amount"]
    assert await ada.get("/history/totals") == {
        "customer_id": ada.user_id,
        "orders": 4,
        "confirmed": 1,
        "cancelled": 2,
        "returned": 1,
        "spent": {"EUR": 2 * mug},
    }


async def test_the_history_has_pages_and_belongs_to_its_customer(
    system: MemorySystem, ada: Customer, bob: Customer
) -> None:
    placed = [(await ada.order(("KIT-0160", 1))).json()["order_id"]]
    for _ in range(2):
        system.clock.advance(60)
        placed.append((await ada.order(("KIT-0160", 1))).json()["order_id"])
    await system.settle()
    first = await ada.get("/history?limit=2")
    second = await ada.get(first["_links"]["next"])
    assert [past["order_id"] for past in first["data"] + second["data"]] == placed[::-1]
    assert (await bob.get("/history"))["data"] == []
    assert (await bob.get("/history/totals"))["orders"] == 0
    assert (await system.get("/history")).status == 401
