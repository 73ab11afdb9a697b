"""What was ordered shows up in the reports, once."""

from shoal.testing import MemorySystem
from shop.tests.people import Customer

MUG, SOLD_OUT = "KIT-0160", "BOK-0121"


async def test_orders_show_up_in_the_reports_once(system: MemorySystem, ada: Customer, admin_token: str) -> None:
    for number, card in enumerate(("tok_visa", "tok_visa", "tok_declined")):
        answer = await ada.order((MUG, 2), card=card, key=f"order-{number}")
        assert answer.status == 201, answer.body
        repeated = await ada.order((MUG, 2), card=card, key=f"order-{number}")
        assert repeated.status == 201
    total = answer.json()["total"]
    await system.settle()

    async def report(name: str) -> list[dict[str, object]]:
        answer = await system.get(f"/reports/{name}", token=admin_token)
        assert answer.status == 200, answer.body
        return list(answer.json())

    (day,) = await report("revenue")
    assert (day["currency"], day["orders"], day["revenue"]) == ("EUR", 2, 2 * total)
    assert [(row["step"], row["times"]) for row in await report("funnel")] == [
        ("signed-up", 2), ("placed", 3), ("reserved", 2), ("paid", 2), ("confirmed", 2),
        ("declined", 1), ("cancelled", 1),
    ]  # fmt: skip
    (top,) = await report("top-products")
    assert (top["sku"], top["orders"], top["pieces"], top["revenue"]) == (MUG, 2, 4, 2 * total)
    (failed,) = await report("failed-payments")
    assert (failed["day"], failed["reason"], failed["payments"]) == (day["day"], "generic_decline", 1)
    assert await report("revenue?until=2020-01-01") == []
    assert (await system.get("/reports/revenue?since=2020-01-02&until=2020-01-01", token=admin_token)).status == 422


async def test_customers_see_no_reports(system: MemorySystem, ada: Customer) -> None:
    for name in ("revenue", "funnel", "top-products", "failed-payments"):
        assert (await system.get(f"/reports/{name}", token=ada.token)).status == 403
